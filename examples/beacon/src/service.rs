//! Serves the server's side: one [`Session`] for each connection.
//!
//! Invariants: the database is used on blocking threads; every monitored query has one task, which ends when the query is
//! removed or the connection ends; a slow client delays only its own notices.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use kaa_rpc_runtime::{Context, Failure, Fault, IntoFault};
use tokio::sync::Notify;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::task::JoinHandle;

use crate::api::beacon::{
    BeaconClientProxy, BeaconError, BeaconServer, Item, ItemChange, ItemId, Kind, Notice, Path, Query,
    RequestId, ScanReport,
};
use crate::conversation::{Conversation, log};
use crate::folder::Folder;
use crate::store::{Changes, Store, StoreError};

/// The server's side of one connection.
pub(crate) struct Session {
    peer: BeaconClientProxy,
    store: Arc<Store>,
    /// Stops the server.
    stop: Arc<Notify>,
    log: Conversation,
    monitors: Mutex<HashMap<RequestId, Monitor>>,
}

impl Session {
    pub(crate) fn new(peer: BeaconClientProxy, store: Arc<Store>, stop: Arc<Notify>, client: u32) -> Self {
        log(format_args!("client {client} has connected"));
        Self { peer, store, stop, log: Conversation { client }, monitors: Mutex::default() }
    }

    /// Uses the database on a blocking thread.
    async fn store<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Fault> {
        let store = Arc::clone(&self.store);
        Ok(tokio::task::spawn_blocking(move || work(&store)).await??)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        log(format_args!("client {} has disconnected", self.log.client));
    }
}

impl BeaconServer for Session {
    async fn scan_directory(
        &self,
        _cx: Context<BeaconClientProxy>,
        directory: Path,
    ) -> Result<ScanReport, Failure<BeaconError>> {
        let call = format!("scan_directory({directory})");
        let work = async {
            let path = directory.0.clone();
            let folder = tokio::task::spawn_blocking(move || Folder::read(&path)).await.fault()?;
            let folder = folder.map_err(|_error| BeaconError::NotADirectory(directory))?;
            Ok(self.store(move |store| store.update_folder(&folder)).await?)
        };
        self.log.call(call, work).await
    }

    async fn items(&self, _cx: Context<BeaconClientProxy>, query: Query) -> Result<Vec<Item>, Fault> {
        let call = format!("items({query})");
        self.log.call(call, self.store(move |store| store.find(&query))).await
    }

    async fn monitor_add(
        &self,
        _cx: Context<BeaconClientProxy>,
        request: RequestId,
        query: Query,
    ) -> Result<Vec<Item>, Failure<BeaconError>> {
        let call = format!("monitor_add({request}, {query})");
        let work = async {
            let monitored = query.clone();
            let (items, changes) = self.store(move |store| store.monitor(&monitored)).await?;
            match self.monitors.lock().unwrap_or_else(PoisonError::into_inner).entry(request) {
                Entry::Occupied(_) => Err(BeaconError::RequestInUse(request))?,
                Entry::Vacant(entry) => {
                    let notices = send_notices(self.peer.clone(), self.log, request, query, changes);
                    entry.insert(Monitor(tokio::spawn(notices)));
                }
            }
            Ok(items)
        };
        self.log.call(call, work).await
    }

    async fn monitor_remove(
        &self,
        _cx: Context<BeaconClientProxy>,
        request: RequestId,
    ) -> Result<(), Failure<BeaconError>> {
        let work = async {
            let removed = self.monitors.lock().unwrap_or_else(PoisonError::into_inner).remove(&request);
            removed.map(drop).ok_or(BeaconError::NoSuchRequest(request).into())
        };
        self.log.call(format!("monitor_remove({request})"), work).await
    }

    async fn item_create(
        &self,
        _cx: Context<BeaconClientProxy>,
        kind: Kind,
        title: String,
    ) -> Result<Item, Fault> {
        let call = format!("item_create({kind}, {title:?})");
        self.log.call(call, self.store(move |store| store.create(kind, title))).await
    }

    async fn item_update(
        &self,
        _cx: Context<BeaconClientProxy>,
        id: ItemId,
        change: ItemChange,
    ) -> Result<Item, Failure<BeaconError>> {
        let call = format!("item_update(#{id}, {change})");
        let work = async {
            let updated = self.store(move |store| store.update(id, change)).await?;
            Ok(updated.ok_or(BeaconError::NoSuchItem(id))?)
        };
        self.log.call(call, work).await
    }

    async fn item_delete(
        &self,
        cx: Context<BeaconClientProxy>,
        id: ItemId,
    ) -> Result<Item, Failure<BeaconError>> {
        let work = async {
            let item = self.store(move |store| store.item(id)).await?.ok_or(BeaconError::NoSuchItem(id))?;
            let question = format!("Really delete {item}?");
            self.log.outbound_call(format_args!("confirm({question})"));
            // A nested call: the client waits for this handler, which waits for the client.
            let confirmed = cx.peer.confirm(question).await.fault()?;
            self.log.outbound_result(if confirmed { "yes" } else { "no" });
            if !confirmed {
                Err(BeaconError::Refused(id))?;
            }
            // Another client may have deleted it meanwhile.
            let deleted = self.store(move |store| store.delete(id)).await?;
            Ok(deleted.ok_or(BeaconError::NoSuchItem(id))?)
        };
        self.log.call(format!("item_delete(#{id})"), work).await
    }

    async fn shutdown(&self, _cx: Context<BeaconClientProxy>) -> Result<(), Fault> {
        let work = async {
            self.stop.notify_one();
            Ok(())
        };
        self.log.call("shutdown()".to_owned(), work).await
    }
}

/// The task of a monitored query, which is aborted when this is dropped.
struct Monitor(JoinHandle<()>);

impl Drop for Monitor {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Notifies a client of every change to the answer of its query.
async fn send_notices(
    peer: BeaconClientProxy,
    log: Conversation,
    request: RequestId,
    query: Query,
    mut changes: Receiver<Changes>,
) {
    loop {
        let notices: Vec<Notice> = match changes.recv().await {
            Ok(changes) => changes.iter().filter_map(|change| change.notice(&query)).collect(),
            Err(RecvError::Lagged(_)) => vec![Notice::Overflow],
            Err(RecvError::Closed) => return,
        };
        for notice in notices {
            log.outbound_call(format_args!("on_notify({request}, {notice})"));
            if peer.on_notify(request, notice).await.is_err() {
                return; // the connection has ended
            }
        }
    }
}
