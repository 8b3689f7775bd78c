//! The call layer with a service written by hand as the generator would write it.

#![allow(clippy::unwrap_used, reason = "a failed test says so by panicking")]

use std::sync::Arc;
use std::time::Duration;

use kaa_rpc_runtime::codegen::*;
use kaa_rpc_runtime::{CallError, Client, Secret, Server};

static ECHO: MethodDescriptor = MethodDescriptor { id: 1, service: "test.Echo", name: "echo", oneway: false };
static ASK: MethodDescriptor = MethodDescriptor { id: 2, service: "test.Echo", name: "ask", oneway: false };
static NAME: MethodDescriptor = MethodDescriptor { id: 3, service: "test.Echo", name: "name", oneway: false };
static DESCRIPTOR: ServiceDescriptor = ServiceDescriptor {
    name: "test.Echo",
    fingerprint: [1; 32],
    table: ServiceTable { methods: &[], types: &[] },
    server_methods: &[&ECHO, &ASK],
    client_methods: &[&NAME],
};

struct EchoCall(String);
struct AskCall;
struct NameCall;
type Text = shape::String<{ u64::MAX }>;

impl Method for EchoCall {
    type Returns = Text;
    type Throws = std::convert::Infallible;
    const DESCRIPTOR: &'static MethodDescriptor = &ECHO;
    fn encode_arguments(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.field::<Text>("text", &self.0)
    }
}
impl Method for AskCall {
    type Returns = Text;
    type Throws = std::convert::Infallible;
    const DESCRIPTOR: &'static MethodDescriptor = &ASK;
    fn encode_arguments(&self, _: &mut Encoder<'_>) -> Result<(), EncodeError> {
        Ok(())
    }
}
impl Method for NameCall {
    type Returns = Text;
    type Throws = std::convert::Infallible;
    const DESCRIPTOR: &'static MethodDescriptor = &NAME;
    fn encode_arguments(&self, _: &mut Encoder<'_>) -> Result<(), EncodeError> {
        Ok(())
    }
}

#[derive(Clone)]
struct ServerProxy(Peer);
#[derive(Clone)]
struct ClientProxy(Peer);
impl Proxy for ServerProxy {
    type Role = role::Server;
    const SERVICE: &'static ServiceDescriptor = &DESCRIPTOR;
    fn from_peer(peer: Peer) -> Self {
        Self(peer)
    }
    fn peer(&self) -> &Peer {
        &self.0
    }
}
impl Proxy for ClientProxy {
    type Role = role::Client;
    const SERVICE: &'static ServiceDescriptor = &DESCRIPTOR;
    fn from_peer(peer: Peer) -> Self {
        Self(peer)
    }
    fn peer(&self) -> &Peer {
        &self.0
    }
}

struct Echo;
struct Screen;

fn serve(_: &Arc<Echo>, call: InboundCall) -> Handling {
    match call.method_id() {
        1 => call.unary::<ClientProxy, Text, _, _>(
            |d| d.field::<Text>("text"),
            |_cx, text| async move { Ok(text) },
        ),
        2 => call.unary::<ClientProxy, Text, _, _>(
            |_| Ok(()),
            |cx, ()| async move { Ok(format!("hello {}", Call::new(cx.peer.peer(), NameCall).await?)) },
        ),
        _ => call.unknown_method(),
    }
}
fn screen(_: &Arc<Screen>, call: InboundCall) -> Handling {
    match call.method_id() {
        3 => call
            .unary::<ServerProxy, Text, _, _>(|_| Ok(()), |_cx, ()| async move { Ok("screen".to_owned()) }),
        _ => call.unknown_method(),
    }
}

fn secret() -> Secret {
    Secret::new(*b"0123456789abcdef0123456789abcdef").unwrap()
}

async fn pair() -> (Server, Client, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("unix:{}/s", folder.path().display());
    let server = Server::builder()
        .secret(secret())
        .register(Service::shared(&DESCRIPTOR, Echo, serve))
        .listen(address.as_str())
        .await
        .unwrap();
    let client = Client::builder()
        .secret(secret())
        .register(Service::shared(&DESCRIPTOR, Screen, screen))
        .connect(address.as_str())
        .unwrap();
    (server, client, folder)
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_call_each_other() {
    let (server, client, _folder) = pair().await;
    let proxy: ServerProxy = client.proxy();
    assert_eq!(Call::new(&proxy.0, EchoCall("hi".into())).await, Ok("hi".to_owned()));
    assert_eq!(Call::new(&proxy.0, AskCall).await, Ok("hello screen".to_owned()));
    client.ready().await.unwrap();
    let peer = server.peers().next().await.unwrap();
    let back: ClientProxy = peer.proxy();
    assert_eq!(Call::new(&back.0, NameCall).await, Ok("screen".to_owned()));
    let report = server.shutdown(Duration::from_secs(5)).await;
    assert_eq!((report.connections, report.cut), (1, 0));
    let error = Call::new(&proxy.0, EchoCall("hi".into())).await.unwrap_err();
    assert!(matches!(error, CallError::Disconnected { .. }), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_callers_share_a_connection() {
    let (_server, client, _folder) = pair().await;
    let proxy: ServerProxy = client.proxy();
    let tasks: Vec<_> = (0..600)
        .map(|index| {
            let proxy = proxy.clone();
            tokio::spawn(async move {
                for round in 0..50 {
                    let text = format!("{index}/{round}");
                    assert_eq!(Call::new(&proxy.0, EchoCall(text.clone())).await, Ok(text));
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_megabyte_goes_both_ways() {
    let (_server, client, _folder) = pair().await;
    let proxy: ServerProxy = client.proxy();
    let text = "x".repeat(1 << 20);
    for _ in 0..4 {
        assert_eq!(Call::new(&proxy.0, EchoCall(text.clone())).await, Ok(text.clone()));
    }
}
