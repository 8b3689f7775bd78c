//! The client: sends typed lines to the server, and prints the events that the server sends.
//!
//! Invariant: an error of a call is printed, and the client continues; only the end of the connection ends it.

use std::io;
use std::thread;

use kaa_rpc_runtime::{CallError, Client, Context, Fault, Secret};
use tokio::sync::mpsc;

use crate::api::chat::{Chat, ChatClient, ChatError, ChatServerProxy};
use crate::print;

/// Chats until the user leaves.
///
/// # Errors
/// The client cannot connect, or its connection is closed.
pub async fn run(address: &str, secret_file: &str) -> Result<(), Fault> {
    let client = Client::builder()
        .secret(Secret::from_file(secret_file)?)
        .register(Chat::client(Screen))
        .connect(address)?;
    client.ready().await?;
    let (server, mut keyboard) = (client.proxy(), keyboard());
    tokio::select! {
        result = chat(&server, &mut keyboard) => result,
        reason = client.closed() => Err(reason.into()),
    }
}

async fn chat(chat: &ChatServerProxy, keyboard: &mut mpsc::Receiver<String>) -> Result<(), Fault> {
    print("what is your name?")?;
    loop {
        let Some(name) = keyboard.recv().await else { return Ok(()) };
        match chat.enter(name).await {
            Ok(others) if others.is_empty() => break print("the room is empty")?,
            Ok(others) => break print(format_args!("in the room: {}", others.join(", ")))?,
            Err(CallError::Declared(ChatError::NameTaken(name))) => {
                print(format_args!("{name} is taken; choose another name"))?;
            }
            Err(error) => print(format_args!("{error}; what is your name?"))?,
        }
    }
    while let Some(line) = keyboard.recv().await {
        match line.as_str() {
            "" => {}
            "/who" => print(format_args!("in the room: {}", chat.people().await?.join(", ")))?,
            "/leave" => break,
            line => {
                if let Err(error) = chat.say(line).await {
                    print(error)?;
                }
            }
        }
    }
    Ok(chat.leave().await?)
}

/// The methods that the server calls.
struct Screen;

impl ChatClient for Screen {
    async fn on_entered(&self, _cx: Context<ChatServerProxy>, name: String) -> Result<(), Fault> {
        Ok(print(format_args!("* {name} has entered"))?)
    }

    async fn on_said(&self, _cx: Context<ChatServerProxy>, name: String, line: String) -> Result<(), Fault> {
        Ok(print(format_args!("{name}: {line}"))?)
    }

    async fn on_left(&self, _cx: Context<ChatServerProxy>, name: String) -> Result<(), Fault> {
        Ok(print(format_args!("* {name} has left"))?)
    }
}

/// The typed lines. They are read on their own thread, which does not keep the program from ending.
fn keyboard() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(1);
    thread::spawn(move || {
        for line in io::stdin().lines().map_while(Result::ok) {
            if sender.blocking_send(line).is_err() {
                break;
            }
        }
    });
    lines
}
