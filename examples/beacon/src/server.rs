//! The program `beacon-server`.
//!
//! Invariant: it shuts down gracefully, on a client's call and on a signal: running calls are answered first.

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
use crate::conversation::log;
use crate::program::ProgramError;
use crate::service::Session;
use crate::store::Store;

pub(crate) const HELP: &str = "\
Serves a media database to beacon-client.

Usage: beacon-server --socket PATH --secret FILE --database FILE

  --socket PATH    the socket to listen at; only this user can connect
  --secret FILE    the shared secret; created if the file does not exist
  --database FILE  the database; created if the file does not exist
  --help           print this text

It logs all calls to standard error: a solid arrow is a call, a dashed arrow its
result. It stops when a client calls shutdown, and on SIGINT and SIGTERM.";

/// The grace period of the shutdown.
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
    let (clients, stopped) = (AtomicU32::new(1), Arc::clone(&stop));
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
                log(format_args!("refused a connection: {}", refused.reason));
            }
        }
    };
    if let Some(address) = server.address() {
        log(format_args!("listening on {address}; the database has {items} items"));
    }
    tokio::select! {
        () = stopped.notified() => {}
        _signal = interrupt.recv() => {}
        _signal = terminate.recv() => {}
        () = log_refusals => {}
    }
    let report = server.shutdown(GRACE).await;
    match report.aborted {
        0 => log("the server has stopped"),
        aborted => log(format_args!("the server has stopped, and has aborted {aborted} connections")),
    }
    Ok(())
}

/// Reads the secret from the file, or creates a new one.
fn secret(file: &FilePath) -> Result<Secret, ProgramError> {
    if !file.exists() {
        Secret::generate()?.write_new_file(file)?;
        log(format_args!("created a secret in {}", file.display()));
    }
    Ok(Secret::from_file(file)?)
}
