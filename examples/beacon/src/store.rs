//! The database: items in a file, and a channel of their changes.
//!
//! Invariants: a change is made completely or not at all, and is sent only when it is on the disk; a monitored query
//! receives every change after its answer and none before it; the number of an item is never reused. Everything here
//! blocks.

use std::path::Path as FilePath;
use std::sync::{Arc, Mutex, PoisonError};

use redb::{Database, ReadableTable, ReadableTableMetadata, Table, TableDefinition, WriteTransaction};
use tokio::sync::broadcast;

use crate::api::beacon::{File, Item, ItemChange, ItemId, Kind, Notice, Query, ScanReport};
use crate::folder::{self, Folder};

/// Items as JSON, by number: a new field of the schema has its default in old records.
const ITEMS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("items");
/// Numbers by file.
const PATHS: TableDefinition<'_, &str, u64> = TableDefinition::new("paths");
/// The highest number so far.
const LAST: TableDefinition<'_, (), u64> = TableDefinition::new("last");
/// The number of commits that a slow receiver may not have received yet, before it misses some.
const MAX_PENDING_COMMITS: usize = 256;

/// An error of the database.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("the database failed: {0}")]
    Database(#[source] Box<redb::Error>),
    #[error("an item cannot be read from or written to the database: {0}")]
    Record(#[from] serde_json::Error),
}

/// Converts the errors of the database.
macro_rules! database_errors {
    ($($error:ident)*) => {$(
        impl From<redb::$error> for StoreError {
            fn from(error: redb::$error) -> Self {
                Self::Database(Box::new(error.into()))
            }
        }
    )*};
}
database_errors!(DatabaseError TransactionError TableError StorageError CommitError);

/// An item before and after.
#[derive(Debug)]
pub(crate) struct Change {
    before: Option<Item>,
    after: Option<Item>,
}

/// All changes of one commit.
pub(crate) type Changes = Arc<[Change]>;

/// The database.
#[derive(Debug)]
pub(crate) struct Store {
    database: Database,
    changes: broadcast::Sender<Changes>,
    /// Held from a change until it is sent.
    order: Mutex<()>,
}

impl Store {
    /// Opens the database, or creates a new one.
    pub(crate) fn open(path: &FilePath) -> Result<Self, StoreError> {
        let database = Database::create(path)?;
        let store =
            Self { database, changes: broadcast::channel(MAX_PENDING_COMMITS).0, order: Mutex::default() };
        // Tables are created when they are first opened for writing.
        store.write(|_tables| Ok(()))?;
        Ok(store)
    }

    /// The number of items.
    pub(crate) fn count(&self) -> Result<u64, StoreError> {
        Ok(self.database.begin_read()?.open_table(ITEMS)?.len()?)
    }

    pub(crate) fn item(&self, id: ItemId) -> Result<Option<Item>, StoreError> {
        let record = self.database.begin_read()?.open_table(ITEMS)?.get(id.0)?;
        Ok(record.map(|record| serde_json::from_slice(record.value())).transpose()?)
    }

    /// The items that match.
    pub(crate) fn find(&self, query: &Query) -> Result<Vec<Item>, StoreError> {
        let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
        let mut found = Vec::new();
        for entry in self.database.begin_read()?.open_table(ITEMS)?.iter()? {
            if found.len() >= limit {
                break;
            }
            let item = serde_json::from_slice(entry?.1.value())?;
            if matches(query, &item) {
                found.push(item);
            }
        }
        Ok(found)
    }

    /// The items that match, and all later changes.
    pub(crate) fn monitor(
        &self,
        query: &Query,
    ) -> Result<(Vec<Item>, broadcast::Receiver<Changes>), StoreError> {
        let _order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        Ok((self.find(query)?, self.changes.subscribe()))
    }

    pub(crate) fn create(&self, kind: Kind, title: String) -> Result<Item, StoreError> {
        self.write(|tables| tables.create(kind, title, None))
    }

    /// Changes an item and returns its new state, or `None` if it does not exist.
    pub(crate) fn update(&self, id: ItemId, change: ItemChange) -> Result<Option<Item>, StoreError> {
        self.write(|tables| {
            let Some(before) = tables.item(id.0)? else { return Ok(None) };
            let mut after = before.clone();
            after.title = change.title.unwrap_or(after.title);
            after.kind = change.kind.unwrap_or(after.kind);
            tables.replace(before, after).map(Some)
        })
    }

    /// Deletes an item and returns its old state, or `None` if it does not exist.
    pub(crate) fn delete(&self, id: ItemId) -> Result<Option<Item>, StoreError> {
        self.write(|tables| tables.remove(id.0))
    }

    /// Updates the items of a folder to match its files. Titles and kinds that a client has set stay.
    pub(crate) fn update_folder(&self, folder: &Folder) -> Result<ScanReport, StoreError> {
        self.write(|tables| {
            let mut report = ScanReport { skipped: folder.skipped, ..ScanReport::default() };
            for (path, file) in &folder.files {
                match tables.item_of(path)? {
                    None => {
                        tables.create(folder::kind(path), folder::title(path), Some(file.clone()))?;
                        report.created += 1;
                    }
                    Some(before) if before.file.as_ref() != Some(file) => {
                        let after = Item { file: Some(file.clone()), ..before.clone() };
                        tables.replace(before, after)?;
                        report.updated += 1;
                    }
                    Some(_) => {}
                }
            }
            for id in tables.without_file(folder)? {
                tables.remove(id)?;
                report.deleted += 1;
            }
            Ok(report)
        })
    }

    /// Runs `work` in a transaction, and sends its changes.
    fn write<T>(&self, work: impl FnOnce(&mut Tables<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let _order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = self.database.begin_write()?;
        let (value, changes) = {
            let mut tables = Tables::open(&transaction)?;
            (work(&mut tables)?, tables.changes)
        };
        transaction.commit()?;
        if !changes.is_empty() {
            let _no_receivers = self.changes.send(changes.into());
        }
        Ok(value)
    }
}

/// The tables in a transaction, and its changes so far.
struct Tables<'t> {
    items: Table<'t, u64, &'static [u8]>,
    paths: Table<'t, &'static str, u64>,
    last: Table<'t, (), u64>,
    changes: Vec<Change>,
}

impl<'t> Tables<'t> {
    fn open(transaction: &'t WriteTransaction) -> Result<Self, StoreError> {
        Ok(Self {
            items: transaction.open_table(ITEMS)?,
            paths: transaction.open_table(PATHS)?,
            last: transaction.open_table(LAST)?,
            changes: Vec::new(),
        })
    }

    fn item(&self, id: u64) -> Result<Option<Item>, StoreError> {
        Ok(self.items.get(id)?.map(|record| serde_json::from_slice(record.value())).transpose()?)
    }

    fn item_of(&self, path: &str) -> Result<Option<Item>, StoreError> {
        let id = self.paths.get(path)?.map(|id| id.value());
        id.map_or(Ok(None), |id| self.item(id))
    }

    fn create(&mut self, kind: Kind, title: String, file: Option<File>) -> Result<Item, StoreError> {
        let id = self.last.get(())?.map_or(0, |last| last.value()) + 1;
        self.last.insert((), id)?;
        if let Some(file) = &file {
            self.paths.insert(file.path.0.as_str(), id)?;
        }
        let item = Item { id: ItemId(id), kind, title, file };
        self.put(None, item)
    }

    fn replace(&mut self, before: Item, after: Item) -> Result<Item, StoreError> {
        self.put(Some(before), after)
    }

    fn put(&mut self, before: Option<Item>, after: Item) -> Result<Item, StoreError> {
        self.items.insert(after.id.0, serde_json::to_vec(&after)?.as_slice())?;
        self.changes.push(Change { before, after: Some(after.clone()) });
        Ok(after)
    }

    fn remove(&mut self, id: u64) -> Result<Option<Item>, StoreError> {
        let Some(item) = self.item(id)? else { return Ok(None) };
        self.items.remove(id)?;
        if let Some(file) = &item.file {
            self.paths.remove(file.path.0.as_str())?;
        }
        self.changes.push(Change { before: Some(item.clone()), after: None });
        Ok(Some(item))
    }

    /// The items of this folder whose files no longer exist.
    fn without_file(&self, folder: &Folder) -> Result<Vec<u64>, StoreError> {
        let mut without_file = Vec::new();
        for entry in self.paths.range(folder.root.as_str()..)? {
            let (path, id) = entry?;
            let path = path.value();
            if !path.starts_with(&folder.root) {
                break;
            }
            let is_unread = || folder.unread.iter().any(|unread| FilePath::new(path).starts_with(unread));
            // `/music2` starts with `/music`, but is not inside it.
            let is_inside = FilePath::new(path).starts_with(&folder.root);
            if is_inside && !folder.files.contains_key(path) && !is_unread() {
                without_file.push(id.value());
            }
        }
        Ok(without_file)
    }
}

impl Change {
    /// The notice for a monitored query, if the change affects its answer.
    pub(crate) fn notice(&self, query: &Query) -> Option<Notice> {
        let in_answer = |item: &Option<Item>| item.clone().filter(|item| matches(query, item));
        match (in_answer(&self.before), in_answer(&self.after)) {
            (None, Some(after)) => Some(Notice::Created(after)),
            (Some(_), Some(after)) => Some(Notice::Updated(after)),
            (Some(before), None) => Some(Notice::Deleted(before)),
            (None, None) => None,
        }
    }
}

fn matches(query: &Query, item: &Item) -> bool {
    let title = item.title.to_lowercase();
    query.kind.as_ref().is_none_or(|kind| *kind == item.kind)
        && query.words.iter().all(|word| title.contains(&word.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A store, and a directory with these files.
    fn store_and_folder(files: &[&str]) -> (Store, tempfile::TempDir) {
        let directory = tempfile::tempdir().unwrap();
        for file in files {
            let file = directory.path().join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, "").unwrap();
        }
        (Store::open(&directory.path().join("database")).unwrap(), directory)
    }

    fn read(directory: &tempfile::TempDir, name: &str) -> Folder {
        Folder::read(directory.path().join(name).to_str().unwrap()).unwrap()
    }

    fn titles(store: &Store, words: &[&str]) -> Vec<String> {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        let found = store.find(&Query { words, ..Query::default() }).unwrap();
        found.into_iter().map(|item| item.title).collect()
    }

    #[test]
    fn rescan_changes_only_what_differs() {
        let (store, directory) = store_and_folder(&["a/one.ogg", "a/two.ogg", "ab/three.ogg"]);
        store.update_folder(&read(&directory, "a")).unwrap();
        store.update_folder(&read(&directory, "ab")).unwrap();
        let change = ItemChange { title: Some("Uno".into()), kind: None };
        store.update(ItemId(1), change).unwrap();
        std::fs::write(directory.path().join("a/one.ogg"), "longer").unwrap();
        std::fs::remove_file(directory.path().join("a/two.ogg")).unwrap();
        let report = store.update_folder(&read(&directory, "a")).unwrap();
        assert_eq!(report, ScanReport { created: 0, updated: 1, deleted: 1, skipped: 0 });
        assert_eq!(titles(&store, &[]), ["Uno", "three"]);
        let report = store.update_folder(&read(&directory, "a")).unwrap();
        assert_eq!(report, ScanReport::default());
    }

    #[test]
    fn unreadable_files_are_not_deleted() {
        let (store, directory) = store_and_folder(&["a/in/one.ogg", "a/two.ogg"]);
        let mut folder = read(&directory, "a");
        store.update_folder(&folder).unwrap();
        folder.files.clear();
        folder.unread.push(FilePath::new(&folder.root).join("in"));
        assert_eq!(store.update_folder(&folder).unwrap().deleted, 1);
        assert_eq!(titles(&store, &[]), ["one"]);
    }

    #[test]
    fn item_numbers_are_never_reused() {
        let (store, _directory) = store_and_folder(&[]);
        let first = store.create(Kind::Other, "first".into()).unwrap();
        assert_eq!(store.delete(first.id).unwrap(), Some(first.clone()));
        assert_eq!(store.delete(first.id).unwrap(), None);
        assert_ne!(store.create(Kind::Other, "second".into()).unwrap().id, first.id);
    }

    #[test]
    fn query_matches_all_words_in_any_case_up_to_the_limit() {
        let (store, _directory) = store_and_folder(&[]);
        for title in ["Über den Wolken", "Wolken", "Über"] {
            store.create(Kind::Audio, title.into()).unwrap();
        }
        assert_eq!(titles(&store, &["wolken", "ÜBER"]), ["Über den Wolken"]);
        assert_eq!(store.find(&Query { limit: 2, ..Query::default() }).unwrap().len(), 2);
        assert_eq!(store.find(&Query { kind: Some(Kind::Video), ..Query::default() }).unwrap(), []);
    }

    #[test]
    fn notices_depend_on_the_query() {
        let (store, _directory) = store_and_folder(&[]);
        let query = Query { kind: Some(Kind::Audio), ..Query::default() };
        store.create(Kind::Audio, "before".into()).unwrap();
        let (items, mut changes) = store.monitor(&query).unwrap();
        assert_eq!(items.len(), 1);
        let set = |kind| {
            store.update(ItemId(1), ItemChange { title: None, kind: Some(kind) }).unwrap();
        };
        set(Kind::Video);
        set(Kind::Image);
        set(Kind::Audio);
        let mut next = || changes.try_recv().unwrap().iter().find_map(|change| change.notice(&query));
        let notice = next();
        assert!(matches!(&notice, Some(Notice::Deleted(item)) if item.kind == Kind::Audio), "{notice:?}");
        assert_eq!(next(), None);
        let notice = next();
        assert!(matches!(&notice, Some(Notice::Created(item)) if item.kind == Kind::Audio), "{notice:?}");
    }
}
