//! The contract, beyond what the client's commands make of it: programs that monitor more than one query, or too slowly.
#![allow(clippy::unwrap_used, reason = "a test's preparations may fail loudly")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use beacon::api::beacon::{
    Beacon, BeaconClient, BeaconError, BeaconServerProxy, ItemId, Kind, Notice, Query, RequestId,
};
use kaa_rpc_runtime::transport::Address;
use kaa_rpc_runtime::{CallError, Client, Context, Fault, Secret};
use tempfile::TempDir;
use tokio::sync::{Semaphore, mpsc};

/// More changes than a listener may lag behind.
const MANY: u32 = 2000;

/// A server in a folder of its own; both go with the test.
struct Server {
    child: Child,
    folder: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_beacon-server"));
        for name in ["socket", "secret", "database"] {
            command.arg(format!("--{name}")).arg(folder.path().join(name));
        }
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().starts_with("listening on")));
        // Nobody reads on, and a server whose log has nowhere to go must not mind.
        Self { child, folder }
    }

    fn connect(&self, listener: Listener) -> Client {
        let secret = Secret::from_file(self.folder.path().join("secret")).unwrap();
        let client = Client::builder().secret(secret).register(Beacon::client(listener));
        client.connect(Address::Unix(self.folder.path().join("socket"))).unwrap()
    }
}

/// Hears news when the gate lets it.
struct Listener {
    gate: Arc<Semaphore>,
    news: mpsc::UnboundedSender<(RequestId, Notice)>,
}

impl BeaconClient for Listener {
    async fn confirm(&self, _cx: Context<BeaconServerProxy>, _question: String) -> Result<bool, Fault> {
        Err(Fault::new("nobody is here to be asked"))
    }

    async fn on_notify(
        &self,
        _cx: Context<BeaconServerProxy>,
        request: RequestId,
        notice: Notice,
    ) -> Result<(), Fault> {
        let _open = self.gate.acquire().await?;
        Ok(self.news.send((request, notice))?)
    }
}

#[tokio::test]
async fn each_query_is_monitored_until_it_is_removed() {
    let server = Server::start();
    let (news, mut heard) = mpsc::unbounded_channel();
    let client = server.connect(Listener { gate: Arc::new(Semaphore::new(1)), news });
    let beacon: BeaconServerProxy = client.proxy();
    let (first, second) = (RequestId(1), RequestId(2));
    let images = Query { kind: Some(Kind::Image), ..Query::default() };
    beacon.monitor_add(first, Query::default()).await.unwrap();
    beacon.monitor_add(second, images.clone()).await.unwrap();
    let error = beacon.monitor_add(second, images).await.unwrap_err();
    assert_eq!(error, CallError::Declared(BeaconError::RequestInUse(second)));

    let video = beacon.item_create(Kind::Video, "a film").await.unwrap();
    assert_eq!(heard.recv().await, Some((first, Notice::Created(video))));
    beacon.monitor_remove(first).await.unwrap();
    let error = beacon.monitor_remove(first).await.unwrap_err();
    assert_eq!(error, CallError::Declared(BeaconError::NoSuchRequest(first)));
    beacon.item_create(Kind::Video, "a film that nobody hears of").await.unwrap();
    let image = beacon.item_create(Kind::Image, "a picture").await.unwrap();
    assert_eq!(heard.recv().await, Some((second, Notice::Created(image))));
}

#[tokio::test]
async fn delete_fails_if_the_confirmation_fails() {
    let server = Server::start();
    let (news, _heard) = mpsc::unbounded_channel();
    let client = server.connect(Listener { gate: Arc::new(Semaphore::new(1)), news });
    let beacon: BeaconServerProxy = client.proxy();
    let item = beacon.item_create(Kind::Other, "kept").await.unwrap();
    let error = beacon.item_delete(item.id).await.unwrap_err();
    assert!(matches!(&error, CallError::Fault(message) if message.contains("nobody is here")), "{error}");
    assert_eq!(beacon.items(Query::default()).await.unwrap(), [item]);
    let error = beacon.item_delete(ItemId(9)).await.unwrap_err();
    assert_eq!(error, CallError::Declared(BeaconError::NoSuchItem(ItemId(9))));
}

#[tokio::test]
async fn slow_client_gets_overflow_and_blocks_no_other_call() {
    let server = Server::start();
    let gate = Arc::new(Semaphore::new(0));
    let (news, mut heard) = mpsc::unbounded_channel();
    let client = server.connect(Listener { gate: Arc::clone(&gate), news });
    let beacon: BeaconServerProxy = client.proxy();
    beacon.monitor_add(RequestId(1), Query::default()).await.unwrap();
    // More than fit into the connection's window, its queue, and what the server keeps.
    for number in 0..MANY {
        beacon.item_create(Kind::Other, format!("item {number}")).await.unwrap();
    }
    gate.add_permits(1);
    let mut created = 0;
    loop {
        let next = tokio::time::timeout(Duration::from_secs(60), heard.recv()).await.unwrap();
        match next.unwrap().1 {
            Notice::Created(_) => created += 1,
            notice => break assert_eq!(notice, Notice::Overflow),
        }
    }
    assert!((1..MANY).contains(&created), "{created}");
}
