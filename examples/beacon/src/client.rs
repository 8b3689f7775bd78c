//! The program `beacon-client`: one command, and whatever the server calls back meanwhile.

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
Asks a beacon-server, and answers when it asks back.

Usage: beacon-client --socket PATH --secret FILE COMMAND

  scan DIR                               have the server read a folder
  list [--kind KIND] [WORD…]             show items
  watch [--kind KIND] [WORD…]            show items, then every change to them
  add --kind KIND TITLE                  make an item
  set ID [--title TITLE] [--kind KIND]   change an item
  delete ID [--yes | --no]               delete an item; the server asks first,
                                         and --yes or --no answers for you
  shutdown                               end the server

KIND is audio, video, image or other. Every WORD must be in the title.";

/// What is asked of the server.
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
        (false, false) => Answer::AskThePerson,
    };
    let command = Command::parse(&mut arguments)?;
    arguments.finish()?;

    let (sender, news) = mpsc::channel(64);
    let screen = Screen { answer, news: sender };
    let client = Client::builder()
        .secret(Secret::from_file(secret_file)?)
        .register(Beacon::client(screen))
        .connect(Address::Unix(socket))?;
    client.ready().await?;
    command.run(&client, news).await
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

    async fn run(self, client: &Client, news: mpsc::Receiver<Notice>) -> Result<(), ProgramError> {
        let beacon: BeaconServerProxy = client.proxy();
        match self {
            Self::Scan(directory) => {
                // The server's working directory is another one.
                let path = std::fs::canonicalize(&directory).and_then(|path| {
                    path.into_os_string().into_string().map_err(|_| io::ErrorKind::InvalidFilename.into())
                });
                let path = path.map_err(|source| ProgramError::Directory { directory, source })?;
                say(beacon.scan_directory(Path(path)).await?)
            }
            Self::List(query) => show(&beacon.items(query).await?),
            Self::Watch(query) => watch(client, &beacon, query, news).await,
            Self::Add(kind, title) => say(beacon.item_create(kind, title).await?),
            Self::Set(id, change) => say(beacon.item_update(id, change).await?),
            Self::Delete(id) => say(format_args!("deleted {}", beacon.item_delete(id).await?)),
            Self::Shutdown => {
                beacon.shutdown().await?;
                say("the server ends")
            }
        }
    }
}

fn query(arguments: &mut Arguments) -> Result<Query, UsageError> {
    Ok(Query { kind: arguments.kind()?, words: arguments.words()?, ..Query::default() })
}

/// Shows the answer and its changes, until the server or the person has had enough.
async fn watch(
    client: &Client,
    beacon: &BeaconServerProxy,
    query: Query,
    mut news: mpsc::Receiver<Notice>,
) -> Result<(), ProgramError> {
    show(&beacon.monitor_add(RequestId(1), query).await?)?;
    say("watching; Ctrl-C ends it")?;
    loop {
        tokio::select! {
            biased;
            Some(notice) = news.recv() => say(notice)?,
            reason = client.closed() => return match reason {
                CloseReason::ClosedByPeer { .. } => say("the server has ended"),
                reason => Err(ProgramError::Lost(reason)),
            },
            interrupted = tokio::signal::ctrl_c() => return Ok(interrupted?),
        }
    }
}

/// What the server may call here.
struct Screen {
    answer: Answer,
    news: mpsc::Sender<Notice>,
}

/// How questions are answered.
#[derive(Clone, Copy)]
enum Answer {
    AskThePerson,
    Always(bool),
}

impl BeaconClient for Screen {
    async fn confirm(&self, _cx: Context<BeaconServerProxy>, question: String) -> Result<bool, Fault> {
        match self.answer {
            Answer::Always(answer) => Ok(answer),
            Answer::AskThePerson => ask(question).await,
        }
    }

    async fn on_notify(
        &self,
        _cx: Context<BeaconServerProxy>,
        _request: RequestId,
        notice: Notice,
    ) -> Result<(), Fault> {
        Ok(self.news.send(notice).await?)
    }
}

/// Asks whoever sits in front of the terminal; no answer is a no.
async fn ask(question: String) -> Result<bool, Fault> {
    let (sender, answer) = oneshot::channel();
    // A thread of its own: it may wait for the person long after the server has lost interest.
    thread::spawn(move || {
        let mut line = String::new();
        let asked =
            write!(io::stderr(), "{question} [y/N] ").and_then(|()| io::stdin().lock().read_line(&mut line));
        let _nobody_waits = sender.send(asked.map(|_length| matches!(line.trim(), "y" | "Y" | "yes")));
    });
    Ok(answer.await??)
}

fn show(items: &[Item]) -> Result<(), ProgramError> {
    for item in items {
        let file = item.file.as_ref().map_or("", |file| file.path.0.as_str());
        say(format_args!("{:>5}  {:<5}  {:<24}  {file}", format!("#{}", item.id), item.kind, item.title))?;
    }
    match items.len() {
        0 => say("no items"),
        1 => say("1 item"),
        count if u32::try_from(count).is_ok_and(|count| count >= MAX_ITEMS) => {
            say(format_args!("the first {count} items; there may be more"))
        }
        count => say(format_args!("{count} items")),
    }
}

fn say(text: impl std::fmt::Display) -> Result<(), ProgramError> {
    Ok(writeln!(io::stdout(), "{text}")?)
}
