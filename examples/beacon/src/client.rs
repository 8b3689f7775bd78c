//! The program `beacon-client`: runs one command, and serves the calls of the server meanwhile.

use std::io::{self, BufRead, Write};
use std::path::PathBuf;
use std::thread;

use kaa_rpc_runtime::transport::Address;
use kaa_rpc_runtime::{Client, CloseReason, Context, Fault, Secret};
use tokio::sync::{mpsc, oneshot};

use crate::api::beacon::{
    Beacon, BeaconClient, BeaconServerProxy, Item, ItemChange, ItemId, Kind, MAX_ITEMS, Notice, Path, Query,
    RequestId,
};
use crate::arguments::{Arguments, UsageError};
use crate::program::ProgramError;

pub(crate) const HELP: &str = "\
Sends a command to a beacon-server.

Usage: beacon-client --socket PATH --secret FILE COMMAND

  scan DIR                               let the server read a directory
  list [--kind KIND] [WORD…]             print items
  watch [--kind KIND] [WORD…]            print items, then every change to them
  add --kind KIND TITLE                  create an item
  set ID [--title TITLE] [--kind KIND]   change an item
  delete ID [--yes | --no]               delete an item; the server asks for a
                                         confirmation: --yes or --no answers it
  shutdown                               stop the server

KIND is audio, video, image or other. Every WORD must be in the title.";

/// A command for the server.
enum Command {
    Scan(String),
    List(Query),
    Watch(Query),
    Add(Kind, String),
    Set(ItemId, ItemChange),
    Delete(ItemId),
    Shutdown,
}

pub(crate) async fn run(mut arguments: Arguments) -> Result<(), ProgramError> {
    let socket = PathBuf::from(arguments.required("--socket")?);
    let secret_file = arguments.required("--secret")?;
    let answer = match (arguments.flag("--yes"), arguments.flag("--no")) {
        (_, true) => Answer::Always(false),
        (true, false) => Answer::Always(true),
        (false, false) => Answer::AskUser,
    };
    let command = Command::parse(&mut arguments)?;
    arguments.finish()?;

    let (sender, notices) = mpsc::channel(64);
    let screen = Screen { answer, notices: sender };
    let client = Client::builder()
        .secret(Secret::from_file(secret_file)?)
        .register(Beacon::client(screen))
        .connect(Address::Unix(socket))?;
    client.ready().await?;
    command.run(&client, notices).await
}

impl Command {
    fn parse(arguments: &mut Arguments) -> Result<Self, UsageError> {
        let name = arguments.word("COMMAND")?;
        Ok(match name.as_str() {
            "scan" => Self::Scan(arguments.word("DIR")?),
            "list" => Self::List(query(arguments)?),
            "watch" => Self::Watch(query(arguments)?),
            "add" => {
                let kind = arguments.kind()?.ok_or(UsageError::Missing("--kind"))?;
                Self::Add(kind, arguments.word("TITLE")?)
            }
            "set" => {
                let change = ItemChange { title: arguments.option("--title")?, kind: arguments.kind()? };
                let id = arguments.item()?;
                if change == ItemChange::default() {
                    return Err(UsageError::NothingToChange);
                }
                Self::Set(id, change)
            }
            "delete" => Self::Delete(arguments.item()?),
            "shutdown" => Self::Shutdown,
            _ => return Err(UsageError::UnknownCommand(name)),
        })
    }

    async fn run(self, client: &Client, notices: mpsc::Receiver<Notice>) -> Result<(), ProgramError> {
        let beacon: BeaconServerProxy = client.proxy();
        match self {
            Self::Scan(directory) => {
                // The server may have another working directory.
                let path = std::fs::canonicalize(&directory).and_then(|path| {
                    path.into_os_string().into_string().map_err(|_| io::ErrorKind::InvalidFilename.into())
                });
                let path = path.map_err(|source| ProgramError::Directory { directory, source })?;
                print(beacon.scan_directory(Path(path)).await?)
            }
            Self::List(query) => print_items(&beacon.items(query).await?),
            Self::Watch(query) => watch(client, &beacon, query, notices).await,
            Self::Add(kind, title) => print(beacon.item_create(kind, title).await?),
            Self::Set(id, change) => print(beacon.item_update(id, change).await?),
            Self::Delete(id) => print(format_args!("deleted {}", beacon.item_delete(id).await?)),
            Self::Shutdown => {
                beacon.shutdown().await?;
                print("the server is stopping")
            }
        }
    }
}

fn query(arguments: &mut Arguments) -> Result<Query, UsageError> {
    Ok(Query { kind: arguments.kind()?, words: arguments.words()?, ..Query::default() })
}

/// Prints the answer and its changes, until the server stops or the user presses Ctrl-C.
async fn watch(
    client: &Client,
    beacon: &BeaconServerProxy,
    query: Query,
    mut notices: mpsc::Receiver<Notice>,
) -> Result<(), ProgramError> {
    print_items(&beacon.monitor_add(RequestId(1), query).await?)?;
    print("watching; press Ctrl-C to stop")?;
    loop {
        tokio::select! {
            biased;
            Some(notice) = notices.recv() => print(notice)?,
            reason = client.closed() => return match reason {
                CloseReason::ClosedByPeer { .. } => print("the server has stopped"),
                reason => Err(ProgramError::Lost(reason)),
            },
            interrupted = tokio::signal::ctrl_c() => return Ok(interrupted?),
        }
    }
}

/// The methods that the server calls.
struct Screen {
    answer: Answer,
    notices: mpsc::Sender<Notice>,
}

/// How questions of the server are answered.
#[derive(Clone, Copy)]
enum Answer {
    AskUser,
    Always(bool),
}

impl BeaconClient for Screen {
    async fn confirm(&self, _cx: Context<BeaconServerProxy>, question: String) -> Result<bool, Fault> {
        match self.answer {
            Answer::Always(answer) => Ok(answer),
            Answer::AskUser => ask_user(question).await,
        }
    }

    async fn on_notify(
        &self,
        _cx: Context<BeaconServerProxy>,
        _request: RequestId,
        notice: Notice,
    ) -> Result<(), Fault> {
        Ok(self.notices.send(notice).await?)
    }
}

/// Asks the user at the terminal; no answer counts as no.
async fn ask_user(question: String) -> Result<bool, Fault> {
    let (sender, answer) = oneshot::channel();
    // On its own thread: the user may answer long after the server has cancelled the call.
    thread::spawn(move || {
        let mut line = String::new();
        let read =
            write!(io::stderr(), "{question} [y/N] ").and_then(|()| io::stdin().lock().read_line(&mut line));
        let _cancelled = sender.send(read.map(|_length| matches!(line.trim(), "y" | "Y" | "yes")));
    });
    Ok(answer.await??)
}

fn print_items(items: &[Item]) -> Result<(), ProgramError> {
    for item in items {
        let file = item.file.as_ref().map_or("", |file| file.path.0.as_str());
        print(format_args!("{:>5}  {:<5}  {:<24}  {file}", format!("#{}", item.id), item.kind, item.title))?;
    }
    match items.len() {
        0 => print("no items"),
        1 => print("1 item"),
        count if u32::try_from(count).is_ok_and(|count| count >= MAX_ITEMS) => {
            print(format_args!("the first {count} items; there may be more"))
        }
        count => print(format_args!("{count} items")),
    }
}

fn print(text: impl std::fmt::Display) -> Result<(), ProgramError> {
    Ok(writeln!(io::stdout(), "{text}")?)
}
