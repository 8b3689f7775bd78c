//! The media database `kaa/beacon.kaa`: every call of both sides over a unix socket.

mod database;

use std::collections::BTreeMap;
use std::sync::Arc;

use kaa_rpc_runtime::{Bytes, Context, Fault};
use kaa_rpc_tests::api::beacon::*;
use kaa_rpc_tests::fixture::{Locked, Pair, Reporter, Reports, TestResult, client, declared, run, server};

use database::{Connection, Index};

/// A call of the server to a client.
#[derive(Debug, PartialEq)]
enum ServerCall {
    Connect(ClientId, Database, Vec<Media>),
    Notice(RequestId, Notice),
    Changed(MediaId, DeviceProperties),
    Removed(MediaId),
}

struct Screen(Reporter<ServerCall>);

impl BeaconClient for Screen {
    async fn on_connect(
        &self,
        _cx: Context<BeaconServerProxy>,
        id: ClientId,
        database: Database,
        media: Vec<Media>,
    ) -> Result<(), Fault> {
        self.0.report(ServerCall::Connect(id, database, media));
        Ok(())
    }

    async fn on_notify(
        &self,
        _cx: Context<BeaconServerProxy>,
        id: RequestId,
        notice: Notice,
    ) -> Result<(), Fault> {
        self.0.report(ServerCall::Notice(id, notice));
        Ok(())
    }

    async fn on_device_changed(
        &self,
        _cx: Context<BeaconServerProxy>,
        id: MediaId,
        properties: DeviceProperties,
    ) -> Result<(), Fault> {
        self.0.report(ServerCall::Changed(id, properties));
        Ok(())
    }

    async fn on_device_removed(&self, _cx: Context<BeaconServerProxy>, id: MediaId) -> Result<(), Fault> {
        self.0.report(ServerCall::Removed(id));
        Ok(())
    }
}

struct Running {
    pair: Pair,
    beacon: BeaconServerProxy,
    id: ClientId,
    calls: Reports<ServerCall>,
    server_reports: Reports<&'static str>,
}

/// A database with a disc and a removable stick, and a client that has received `on_connect`.
async fn start() -> TestResult<Running> {
    let (disc, mut stick) = (Media::new("disc"), Media::new("stick"));
    stick.removable = true;
    let media = BTreeMap::from([disc, stick].map(|medium| (medium.id.clone(), medium)));
    let shared = Arc::new(Locked::new(Index::of(media.clone())));
    let (server_reporter, server_reports) = Reports::of("the server");
    let (reporter, mut calls) = Reports::of("calls of the server");
    let service = Beacon::server_with(move |peer| Connection::greet(peer, &shared, &server_reporter));
    let pair =
        Pair::over_unix(server()?.register(service), client()?.register(Beacon::client(Screen(reporter))))
            .await?;
    let first = calls.next().await?;
    let ServerCall::Connect(id, database, received_media) = first else {
        return Err(format!("expected `on_connect` first, got {first:?}").into());
    };
    assert_eq!(received_media, media.into_values().collect::<Vec<_>>());
    assert_eq!(database.schema_version, 3);
    Ok(Running { beacon: pair.proxy(), pair, id, calls, server_reports })
}

fn attributes(title: &str) -> Attributes {
    [(AttributeName::from("title"), Value::Text(title.to_owned()))].into()
}

/// Registers the kind `video`, and returns an item that can be the parent of videos.
async fn prepare(beacon: &BeaconServerProxy, folder: &std::path::Path) -> TestResult<Item> {
    let mut title = AttributeType::new(ValueType::Text);
    title.registration = Registration::SEARCHABLE | Registration::INDEXED;
    title.inverted_index = Some("words".to_owned());
    let types = AttributeTypes::from([(AttributeName::from("title"), title)]);
    let video = Kind::from("video");
    let early = beacon.register_file_type_attrs(video.clone(), types.clone(), <_>::default()).await;
    assert_eq!(declared(early)?, BeaconError::Contradiction("words".to_owned()));
    beacon.register_inverted_index("words", <_>::default()).await?;
    let other = RegisterInvertedIndexOptions::default().min(5).split("[ ]+");
    let contradiction = beacon.register_inverted_index("words", other).await;
    assert_eq!(declared(contradiction)?, BeaconError::Contradiction("words".to_owned()));
    beacon.register_inverted_index("words", RegisterInvertedIndexOptions::default().min(5)).await?;
    let indexes = RegisterFileTypeOptions::default().indexes(vec![vec![AttributeName::from("title")]]);
    beacon.register_file_type_attrs(video.clone(), types.clone(), indexes).await?;
    beacon.register_track_type_attrs(video, types, <_>::default()).await?;
    std::fs::write(folder.join("films"), "")?;
    let folder = folder.display().to_string();
    assert_eq!(beacon.scan_directory(Path(folder.clone())).await?, 1);
    let films = Path(format!("{folder}/films"));
    let item = beacon.item_request(films.clone()).await?;
    assert_eq!((item.name.as_str(), item.path.as_ref()), ("films", Some(&films)));
    Ok(item)
}

#[test]
fn monitored_items_are_created_changed_and_deleted() -> TestResult {
    run(async {
        let Running { beacon, mut calls, id: client, pair: _pair, .. } = start().await?;
        let folder = tempfile::tempdir()?;
        let parent = prepare(&beacon, folder.path()).await?.id;
        let mut query = Query { kind: Some(Kind::from("video")), ..Query::default() };
        query.attributes = attributes("Metropolis");
        let request = RequestId(7);
        beacon.monitor_add(client, request, query).await?;
        let progress = Notice::Progress { done: 0, of: 0, at: None };
        for notice in [progress, Notice::Changed(vec![]), Notice::Checked] {
            assert_eq!(calls.next().await?, ServerCall::Notice(request, notice));
        }

        let options = ItemCreateOptions::default().attributes(attributes("Metropolis"));
        let mut item = beacon.item_create(Kind::from("video"), parent.clone(), options).await?;
        assert_eq!(calls.next().await?, ServerCall::Notice(request, Notice::Changed(vec![item.clone()])));

        let cover = (AttributeName::from("cover"), Value::Raw(Bytes::from_static(b"\xff\xd8\0")));
        let change = ItemChange::new(item.id.clone(), [cover.clone()].into());
        let nowhere = ItemId { kind: Kind::from("video"), row: 999 };
        let missing = BeaconError::NoSuchItem { kind: Kind::from("video"), row: 999 };
        let both = vec![change.clone(), ItemChange::new(nowhere.clone(), Attributes::default())];
        assert_eq!(declared(beacon.item_update(both).await)?, missing);
        let received = calls.received();
        assert!(received.is_empty(), "a part of the changes was made: {received:?}");
        beacon.item_update(vec![change]).await?;
        item.attributes.extend([cover]);
        assert_eq!(calls.next().await?, ServerCall::Notice(request, Notice::Changed(vec![item])));

        beacon.item_delete(parent).await?;
        assert_eq!(calls.next().await?, ServerCall::Notice(request, Notice::Changed(vec![])));
        assert_eq!(declared(beacon.item_delete(nowhere).await)?, missing);
        beacon.monitor_remove(client, request).await?;
        let again = beacon.monitor_remove(client, request).await;
        assert_eq!(declared(again)?, BeaconError::NoSuchRequest(request));
        Ok(())
    })
}

#[test]
fn scan_reads_folders_and_reports_missing_ones() -> TestResult {
    run(async {
        let Running { beacon, id, pair: _pair, .. } = start().await?;
        let folder = tempfile::tempdir()?;
        let path = Path(folder.path().display().to_string());
        let file = Path(format!("{path}/song"));
        std::fs::write(&file.0, "")?;
        assert_eq!(declared(beacon.item_request(file.clone()).await)?, BeaconError::NoSuchFile(file.clone()));
        beacon.monitor_directory(path).await?;
        let song = beacon.item_request(file).await?;
        let nowhere = Path::from("/no/such/folder");
        let missing = BeaconError::NoSuchFile(nowhere.clone());
        assert_eq!(declared(beacon.scan_directory(nowhere.clone()).await)?, missing);
        assert_eq!(declared(beacon.monitor_directory(nowhere).await)?, missing);
        let unregistered = beacon.item_create(Kind::from("poem"), song.id, <_>::default()).await;
        assert_eq!(declared(unregistered)?, BeaconError::NotRegistered(Kind::from("poem")));
        let query = Query { kind: Some(Kind::from("poem")), ..Query::default() };
        let unregistered = beacon.monitor_add(id, RequestId(1), query).await;
        assert_eq!(declared(unregistered)?, BeaconError::NotRegistered(Kind::from("poem")));
        Ok(())
    })
}

#[test]
fn lock_excludes_others_until_its_holder_disconnects() -> TestResult {
    run(async {
        let Running { beacon, id: holder, pair, mut server_reports, .. } = start().await?;
        let (reporter, mut calls) = Reports::of("calls of the server to the second client");
        let second = client()?.register(Beacon::client(Screen(reporter))).connect(pair.address()?)?;
        let other: BeaconServerProxy = second.proxy();
        let first = calls.next().await?;
        assert!(matches!(first, ServerCall::Connect(id, ..) if id != holder), "{first:?}");

        assert_eq!(declared(beacon.db_unlock().await)?, BeaconError::NotLocked);
        beacon.db_lock().await?;
        let locked = BeaconError::Locked { holder };
        assert_eq!(locked.to_string(), "client 1 has locked the database");
        assert_eq!(declared(other.delete_media(MediaId::from("disc")).await)?, locked);
        assert_eq!(declared(other.db_lock().await)?, locked);
        assert_eq!(declared(other.db_unlock().await)?, BeaconError::NotLocked);
        beacon.db_unlock().await?;
        other.db_lock().await?;
        other.db_unlock().await?;

        beacon.db_lock().await?;
        drop(pair.client);
        assert_eq!(server_reports.next().await?, "disconnected");
        other.delete_media(MediaId::from("disc")).await?;
        Ok(())
    })
}

#[test]
fn media_are_ejected_and_deleted_and_the_database_shuts_down() -> TestResult {
    run(async {
        let Running { beacon, mut calls, mut server_reports, pair: _pair, .. } = start().await?;
        let (disc, stick, unknown) = (MediaId::from("disc"), MediaId::from("stick"), MediaId::from("none"));
        beacon.eject(stick.clone()).await?;
        let open = [("tray".to_owned(), "open".to_owned())].into();
        assert_eq!(calls.next().await?, ServerCall::Changed(stick, open));
        let busy = declared(beacon.eject(disc.clone()).await)?;
        assert!(matches!(&busy, BeaconError::Busy(id, _) if *id == disc), "{busy:?}");
        let missing = BeaconError::NoSuchMedia(unknown.clone());
        assert_eq!(declared(beacon.eject(unknown.clone()).await)?, missing);
        assert_eq!(declared(beacon.delete_media(unknown).await)?, missing);
        beacon.delete_media(disc.clone()).await?;
        assert_eq!(calls.next().await?, ServerCall::Removed(disc));
        beacon.shutdown().await?;
        assert_eq!(server_reports.next().await?, "shutdown");
        Ok(())
    })
}
