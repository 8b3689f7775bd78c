//! The server: an index in memory, and an object for each connection.
//!
//! Invariants: the holder of the lock is connected; a monitored query gets one notice of a change, and only if its
//! answer differs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kaa_rpc_runtime::{Context, Failure, Fault, IntoFault, Timestamp};
use kaa_rpc_tests::api::beacon::*;
use kaa_rpc_tests::fixture::{Locked, Reporter};

type Answer<T = ()> = Result<T, Failure<BeaconError>>;

/// The state that all connections share.
#[derive(Default)]
pub(super) struct Index {
    clients: u32,
    items: BTreeMap<ItemId, Item>,
    rows: u64,
    types: BTreeMap<Kind, AttributeTypes>,
    indexes: BTreeMap<String, (u8, u8)>,
    media: BTreeMap<MediaId, Media>,
    lock: Option<ClientId>,
    monitored: BTreeSet<Path>,
    queries: BTreeMap<(ClientId, RequestId), Monitored>,
}

struct Monitored {
    client: BeaconClientProxy,
    query: Query,
    answer: Vec<Item>,
}

/// One client's connection.
pub(super) struct Connection {
    id: ClientId,
    shared: Arc<Locked<Index>>,
    reporter: Reporter<&'static str>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.shared.with(|database| {
            if database.lock == Some(self.id) {
                database.lock = None;
            }
            database.queries.retain(|(client, _), _| *client != self.id);
        });
        self.reporter.report("disconnected");
    }
}

impl Connection {
    /// Greets the client that has connected.
    pub(super) fn greet(
        peer: BeaconClientProxy,
        shared: &Arc<Locked<Index>>,
        reporter: &Reporter<&'static str>,
    ) -> Self {
        let (id, media) = shared.with(|database| {
            database.clients += 1;
            (ClientId(database.clients), database.media.values().cloned().collect())
        });
        let database = Database { folder: Path::from("/var/lib/beacon"), schema_version: 3 };
        tokio::spawn(async move { peer.on_connect(id, database, media).await });
        Self { id, shared: Arc::clone(shared), reporter: reporter.clone() }
    }

    /// Changes the database unless another client has locked it, and notifies the clients whose answers differ now.
    async fn write<T>(&self, change: impl FnOnce(&mut Index) -> Result<T, BeaconError>) -> Answer<T> {
        let (result, notices) = self.shared.with(|database| match database.lock {
            Some(holder) if holder != self.id => Err(BeaconError::Locked { holder }),
            _ => change(database).map(|result| (result, database.changed())),
        })?;
        for (client, request, items) in notices {
            // A client that has disconnected needs no notice.
            let _ = client.on_notify(request, Notice::Changed(items)).await;
        }
        Ok(result)
    }
}

impl Index {
    /// An index with these media and without items.
    pub(super) fn of(media: BTreeMap<MediaId, Media>) -> Self {
        Self { media, ..Self::default() }
    }

    fn answer(&self, query: &Query) -> Vec<Item> {
        let matches = |item: &&Item| {
            query.kind.as_ref().is_none_or(|kind| *kind == item.id.kind)
                && query.parent.as_ref().is_none_or(|parent| Some(parent) == item.parent.as_ref())
                && query.attributes.iter().all(|(name, value)| item.attributes.get(name) == Some(value))
                && query.keywords.iter().all(|word| item.name.contains(word.as_str()))
        };
        let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
        self.items.values().filter(matches).take(limit).cloned().collect()
    }

    fn changed(&mut self) -> Vec<(BeaconClientProxy, RequestId, Vec<Item>)> {
        let mut queries = std::mem::take(&mut self.queries);
        let mut changed = Vec::new();
        for ((_, request), monitored) in &mut queries {
            let answer = self.answer(&monitored.query);
            if answer != monitored.answer {
                monitored.answer.clone_from(&answer);
                changed.push((monitored.client.clone(), *request, answer));
            }
        }
        self.queries = queries;
        changed
    }

    fn add(
        &mut self,
        kind: Kind,
        name: String,
        parent: Option<ItemId>,
        path: Option<Path>,
        attributes: Attributes,
    ) -> Item {
        self.rows += 1;
        let id = ItemId { kind, row: self.rows };
        let mut item = Item::new(id.clone(), name, Timestamp::UNIX_EPOCH);
        (item.parent, item.path, item.attributes) = (parent, path, attributes);
        self.items.insert(id, item.clone());
        item
    }

    fn item(&mut self, id: &ItemId) -> Result<&mut Item, BeaconError> {
        let missing = BeaconError::NoSuchItem { kind: id.kind.clone(), row: id.row };
        self.items.get_mut(id).ok_or(missing)
    }

    fn register(&mut self, kind: Kind, attributes: AttributeTypes) -> Result<(), BeaconError> {
        for index in attributes.values().filter_map(|attribute| attribute.inverted_index.as_ref()) {
            if !self.indexes.contains_key(index) {
                return Err(BeaconError::Contradiction(index.clone()));
            }
        }
        self.types.insert(kind, attributes);
        Ok(())
    }
}

impl BeaconServer for Connection {
    async fn register_inverted_index(
        &self,
        _cx: Context<BeaconClientProxy>,
        name: String,
        options: RegisterInvertedIndexOptions,
    ) -> Answer {
        let lengths = (options.min, options.max);
        self.write(|database| match database.indexes.insert(name.clone(), lengths) {
            Some(before) if before != lengths => Err(BeaconError::Contradiction(name)),
            _ => Ok(()),
        })
        .await
    }

    async fn register_file_type_attrs(
        &self,
        _cx: Context<BeaconClientProxy>,
        kind: Kind,
        attributes: AttributeTypes,
        _options: RegisterFileTypeOptions,
    ) -> Answer {
        self.write(|database| database.register(kind, attributes)).await
    }

    async fn register_track_type_attrs(
        &self,
        _cx: Context<BeaconClientProxy>,
        kind: Kind,
        attributes: AttributeTypes,
        _options: RegisterTrackTypeOptions,
    ) -> Answer {
        self.write(|database| database.register(Kind(format!("track_{kind}")), attributes)).await
    }

    async fn db_lock(&self, _cx: Context<BeaconClientProxy>) -> Answer {
        self.write(|database| {
            database.lock = Some(self.id);
            Ok(())
        })
        .await
    }

    async fn db_unlock(&self, _cx: Context<BeaconClientProxy>) -> Answer {
        let held = self.shared.with(|database| database.lock.take_if(|holder| *holder == self.id));
        Ok(held.map(|_| ()).ok_or(BeaconError::NotLocked)?)
    }

    async fn scan_directory(&self, _cx: Context<BeaconClientProxy>, directory: Path) -> Answer<u32> {
        let folder = directory.clone();
        let names = tokio::task::spawn_blocking(move || -> std::io::Result<Vec<String>> {
            let entries = std::fs::read_dir(&folder.0)?;
            entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
        });
        let names = names.await.fault()?.map_err(|_error| BeaconError::NoSuchFile(directory.clone()))?;
        self.write(|database| {
            let count = u32::try_from(names.len()).unwrap_or(u32::MAX);
            for name in names {
                let path = Path(format!("{directory}/{name}"));
                database.add(Kind::from("file"), name, None, Some(path), Attributes::default());
            }
            Ok(count)
        })
        .await
    }

    async fn monitor_directory(&self, cx: Context<BeaconClientProxy>, directory: Path) -> Answer {
        self.scan_directory(cx, directory.clone()).await?;
        self.shared.with(|database| database.monitored.insert(directory));
        Ok(())
    }

    async fn monitor_add(
        &self,
        cx: Context<BeaconClientProxy>,
        client_id: ClientId,
        request_id: RequestId,
        query: Query,
    ) -> Answer {
        let answer = self.shared.with(|database| {
            if let Some(kind) = query.kind.as_ref().filter(|kind| !database.types.contains_key(*kind)) {
                return Err(BeaconError::NotRegistered(kind.clone()));
            }
            let answer = database.answer(&query);
            let client = cx.peer.clone();
            let monitored = Monitored { client, query, answer: answer.clone() };
            database.queries.insert((client_id, request_id), monitored);
            Ok(answer)
        })?;
        let count = u32::try_from(answer.len()).unwrap_or(u32::MAX);
        let progress = Notice::Progress { done: count, of: count, at: None };
        for notice in [progress, Notice::Changed(answer), Notice::Checked] {
            cx.peer.on_notify(request_id, notice).await.fault()?;
        }
        Ok(())
    }

    async fn monitor_remove(
        &self,
        _cx: Context<BeaconClientProxy>,
        client_id: ClientId,
        request_id: RequestId,
    ) -> Answer {
        let removed = self.shared.with(|database| database.queries.remove(&(client_id, request_id)));
        Ok(removed.map(|_| ()).ok_or(BeaconError::NoSuchRequest(request_id))?)
    }

    async fn item_request(&self, _cx: Context<BeaconClientProxy>, filename: Path) -> Answer<Item> {
        let found = self.shared.with(|database| {
            database.items.values().find(|item| item.path.as_ref() == Some(&filename)).cloned()
        });
        Ok(found.ok_or(BeaconError::NoSuchFile(filename))?)
    }

    async fn item_create(
        &self,
        _cx: Context<BeaconClientProxy>,
        kind: Kind,
        parent: ItemId,
        options: ItemCreateOptions,
    ) -> Answer<Item> {
        self.write(|database| {
            if !database.types.contains_key(&kind) {
                return Err(BeaconError::NotRegistered(kind));
            }
            database.item(&parent)?;
            Ok(database.add(kind, "new".to_owned(), Some(parent), None, options.attributes))
        })
        .await
    }

    async fn item_update(&self, _cx: Context<BeaconClientProxy>, items: Vec<ItemChange>) -> Answer {
        self.write(|database| {
            for change in &items {
                database.item(&change.id)?;
            }
            for change in items {
                database.item(&change.id)?.attributes.extend(change.attributes);
            }
            Ok(())
        })
        .await
    }

    async fn item_delete(&self, _cx: Context<BeaconClientProxy>, id: ItemId) -> Answer {
        self.write(|database| {
            database.item(&id)?;
            database.items.retain(|_, item| item.id != id && item.parent.as_ref() != Some(&id));
            Ok(())
        })
        .await
    }

    async fn delete_media(&self, cx: Context<BeaconClientProxy>, id: MediaId) -> Answer {
        self.write(|database| match database.media.remove(&id) {
            Some(_) => {
                database.items.retain(|_, item| item.media.as_ref() != Some(&id));
                Ok(())
            }
            None => Err(BeaconError::NoSuchMedia(id.clone())),
        })
        .await?;
        Ok(cx.peer.on_device_removed(id).await.fault()?)
    }

    async fn eject(&self, cx: Context<BeaconClientProxy>, id: MediaId) -> Answer {
        let medium = self.shared.with(|database| database.media.get(&id).cloned());
        match medium {
            None => Err(BeaconError::NoSuchMedia(id).into()),
            Some(medium) if !medium.removable => {
                Err(BeaconError::Busy(id, "it is not removable".to_owned()).into())
            }
            Some(_) => {
                let properties = [("tray".to_owned(), "open".to_owned())].into();
                Ok(cx.peer.on_device_changed(id, properties).await.fault()?)
            }
        }
    }

    async fn shutdown(&self, _cx: Context<BeaconClientProxy>) -> Result<(), Fault> {
        self.reporter.report("shutdown");
        Ok(())
    }
}
