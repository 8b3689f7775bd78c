//! The program `beacon-server`.
//!
//! Invariant: it ends in good order, whether a client asks for it or the system does: what was asked is answered first.

use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use kaa_rpc_runtime::transport::Address;
use kaa_rpc_runtime::{Secret, Server, ServerEvent};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

use crate::api::beacon::Beacon;
use crate::arguments::Arguments;
use crate::conversation::note;
use crate::program::ProgramError;
use crate::service::Session;
use crate::store::Store;

pub(crate) const HELP: &str = "\
Keeps a media database and serves it to beacon-client.

Usage: beacon-server --socket PATH --secret FILE --database FILE

  --socket PATH    where to listen; only this user can connect
  --secret FILE    the secret that clients must know; made if the file does not exist
  --database FILE  where the items are kept; made if the file does not exist
  --help           this text

It writes to standard error what it and its clients say to each other: a solid
arrow is a call, a dashed one its answer. It ends when a client calls shutdown,
and on SIGINT and SIGTERM.";

/// How long calls may take to end once the server is to stop.
const GRACE: Duration = Duration::from_secs(5);

pub(crate) async fn run(mut arguments: Arguments) -> Result<(), ProgramError> {
    let socket = PathBuf::from(arguments.required("--socket")?);
    let secret_file = PathBuf::from(arguments.required("--secret")?);
    let database = PathBuf::from(arguments.required("--database")?);
    arguments.finish()?;

    let secret = secret(&secret_file)?;
    let opened = tokio::task::block_in_place(|| {
        let store = Store::open(&database)?;
        Ok((store.count()?, store))
    });
    let (items, store) = opened.map_err(|source| ProgramError::Database { path: database, source })?;
    let store = Arc::new(store);
    let stop = Arc::new(Notify::new());
    let (clients, stop_here) = (AtomicU32::new(1), Arc::clone(&stop));
    let service = Beacon::server_with(move |peer| {
        let client = clients.fetch_add(1, Ordering::Relaxed);
        Session::new(peer, Arc::clone(&store), Arc::clone(&stop), client)
    });

    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let server = Server::builder().secret(secret).register(service).listen(Address::Unix(socket)).await?;
    let mut events = server.events();
    let log_refusals = async {
        while let Some(event) = events.next().await {
            if let ServerEvent::Refused(refused) = event {
                note(format_args!("refused a connection: {}", refused.reason));
            }
        }
    };
    if let Some(address) = server.address() {
        note(format_args!("listening on {address}; {items} items are kept"));
    }
    tokio::select! {
        () = stop_here.notified() => {}
        _signal = interrupt.recv() => {}
        _signal = terminate.recv() => {}
        () = log_refusals => {}
    }
    let report = server.shutdown(GRACE).await;
    match report.aborted {
        0 => note("all is said; the server ends"),
        cut => note(format_args!("the server ends; connections that had to be cut: {cut}")),
    }
    Ok(())
}

/// The secret in the file, or a new one in a new file.
fn secret(file: &FilePath) -> Result<Secret, ProgramError> {
    if !file.exists() {
        Secret::generate()?.write_new_file(file)?;
        note(format_args!("made a secret in {}", file.display()));
    }
    Ok(Secret::from_file(file)?)
}
