//! Calls that the commands of the client do not make: several monitored queries, and a client that is too slow.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

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

/// More changes than the server stores for a slow client.
const MANY: u32 = 2000;

/// How long one notice may take.
const NOTICE_LIMIT: Duration = Duration::from_secs(60);

/// A server in its own directory; both are removed when this is dropped.
struct Server {
    child: Child,
    directory: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}

impl Server {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_beacon-server"));
        for name in ["socket", "secret", "database"] {
            command.arg(format!("--{name}")).arg(directory.path().join(name));
        }
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        assert!(
            lines.any(|line| line.unwrap().starts_with("listening on")),
            "the server ended before it listened"
        );
        // The log is closed from here on: the server must continue without it.
        Self { child, directory }
    }

    fn connect(&self, receiver: NoticeReceiver) -> Client {
        let secret = Secret::from_file(self.directory.path().join("secret")).unwrap();
        let client = Client::builder().secret(secret).register(Beacon::client(receiver));
        client.connect(Address::Unix(self.directory.path().join("socket"))).unwrap()
    }
}

/// Receives notices while the gate is open.
struct NoticeReceiver {
    gate: Arc<Semaphore>,
    notices: mpsc::UnboundedSender<(RequestId, Notice)>,
}

/// The next notice that a client has received.
async fn next_notice(notices: &mut mpsc::UnboundedReceiver<(RequestId, Notice)>) -> (RequestId, Notice) {
    let notice = tokio::time::timeout(NOTICE_LIMIT, notices.recv()).await;
    notice.expect("the server sent no notice in time").expect("the client is dropped")
}

impl BeaconClient for NoticeReceiver {
    async fn confirm(&self, _cx: Context<BeaconServerProxy>, _question: String) -> Result<bool, Fault> {
        Err(Fault::new("this client cannot confirm"))
    }

    async fn on_notify(
        &self,
        _cx: Context<BeaconServerProxy>,
        request: RequestId,
        notice: Notice,
    ) -> Result<(), Fault> {
        let _open = self.gate.acquire().await?;
        Ok(self.notices.send((request, notice))?)
    }
}

#[tokio::test]
async fn each_query_is_monitored_until_it_is_removed() {
    let server = Server::start();
    let (sender, mut notices) = mpsc::unbounded_channel();
    let client = server.connect(NoticeReceiver { gate: Arc::new(Semaphore::new(1)), notices: sender });
    let beacon: BeaconServerProxy = client.proxy();
    let (first, second) = (RequestId(1), RequestId(2));
    let images = Query { kind: Some(Kind::Image), ..Query::default() };
    beacon.monitor_add(first, Query::default()).await.unwrap();
    beacon.monitor_add(second, images.clone()).await.unwrap();
    let error = beacon.monitor_add(second, images).await.unwrap_err();
    assert_eq!(error, CallError::Declared(BeaconError::RequestInUse(second)));

    let video = beacon.item_create(Kind::Video, "a film").await.unwrap();
    assert_eq!(next_notice(&mut notices).await, (first, Notice::Created(video)));
    beacon.monitor_remove(first).await.unwrap();
    let error = beacon.monitor_remove(first).await.unwrap_err();
    assert_eq!(error, CallError::Declared(BeaconError::NoSuchRequest(first)));
    beacon.item_create(Kind::Video, "a film without a monitored query").await.unwrap();
    let image = beacon.item_create(Kind::Image, "a picture").await.unwrap();
    assert_eq!(next_notice(&mut notices).await, (second, Notice::Created(image)));
}

#[tokio::test]
async fn delete_fails_if_the_confirmation_fails() {
    let server = Server::start();
    let (sender, _notices) = mpsc::unbounded_channel();
    let client = server.connect(NoticeReceiver { gate: Arc::new(Semaphore::new(1)), notices: sender });
    let beacon: BeaconServerProxy = client.proxy();
    let item = beacon.item_create(Kind::Other, "kept").await.unwrap();
    let error = beacon.item_delete(item.id).await.unwrap_err();
    assert!(matches!(&error, CallError::Fault(message) if message.contains("cannot confirm")), "{error}");
    assert_eq!(beacon.items(Query::default()).await.unwrap(), [item]);
    let error = beacon.item_delete(ItemId(9)).await.unwrap_err();
    assert_eq!(error, CallError::Declared(BeaconError::NoSuchItem(ItemId(9))));
}

#[tokio::test]
async fn slow_client_gets_overflow_and_blocks_no_other_call() {
    let server = Server::start();
    let gate = Arc::new(Semaphore::new(0));
    let (sender, mut notices) = mpsc::unbounded_channel();
    let client = server.connect(NoticeReceiver { gate: Arc::clone(&gate), notices: sender });
    let beacon: BeaconServerProxy = client.proxy();
    beacon.monitor_add(RequestId(1), Query::default()).await.unwrap();
    // More changes than the connection's window, its queue and the server's channel hold.
    for number in 0..MANY {
        beacon.item_create(Kind::Other, format!("item {number}")).await.unwrap();
    }
    gate.add_permits(1);
    let mut created = 0;
    loop {
        match next_notice(&mut notices).await.1 {
            Notice::Created(_) => created += 1,
            notice => break assert_eq!(notice, Notice::Overflow),
        }
    }
    assert!((1..MANY).contains(&created), "{created} notices before the overflow");
}
