//! The client: what the person types goes to the server, and what the server calls here goes to the screen.
//!
//! Invariant: what the server refuses is shown, and the person goes on; only the end of the connection ends the client.

use std::io;
use std::thread;

use kaa_rpc_runtime::{CallError, Client, Context, Fault, Secret};
use tokio::sync::mpsc;

use crate::api::chat::{Chat, ChatClient, ChatError, ChatServerProxy};
use crate::show;

/// Chats until the person leaves.
///
/// # Errors
/// There is no connection, or no longer.
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
    show("what is your name?")?;
    loop {
        let Some(name) = keyboard.recv().await else { return Ok(()) };
        match chat.enter(name).await {
            Ok(others) if others.is_empty() => break show("nobody else is here")?,
            Ok(others) => break show(format_args!("here already: {}", others.join(", ")))?,
            Err(CallError::Declared(ChatError::NameTaken(name))) => {
                show(format_args!("{name} is taken; what else can we call you?"))?;
            }
            Err(error) => show(format_args!("{error}; what is your name?"))?,
        }
    }
    while let Some(line) = keyboard.recv().await {
        match line.as_str() {
            "" => {}
            "/who" => show(format_args!("here: {}", chat.people().await?.join(", ")))?,
            "/leave" => break,
            line => {
                if let Err(error) = chat.say(line).await {
                    show(error)?;
                }
            }
        }
    }
    Ok(chat.leave().await?)
}

/// What the server may call here.
struct Screen;

impl ChatClient for Screen {
    async fn on_entered(&self, _cx: Context<ChatServerProxy>, name: String) -> Result<(), Fault> {
        Ok(show(format_args!("* {name} has come"))?)
    }

    async fn on_said(&self, _cx: Context<ChatServerProxy>, name: String, line: String) -> Result<(), Fault> {
        Ok(show(format_args!("{name}: {line}"))?)
    }

    async fn on_left(&self, _cx: Context<ChatServerProxy>, name: String) -> Result<(), Fault> {
        Ok(show(format_args!("* {name} has gone"))?)
    }
}

/// The lines that are typed. A thread of its own waits for them, and is not waited for when the program ends.
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
