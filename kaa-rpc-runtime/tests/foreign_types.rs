//! Foreign types are encoded while no connection is locked: their code may use that connection.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};

use kaa_rpc_runtime::codegen::*;
use kaa_rpc_runtime::{Client, Secret, Server};
use kaa_rpc_test_support::assert_matches;
use kaa_rpc_test_support::waiting::within;

static SWAP: MethodDescriptor = MethodDescriptor::new(1, "test.Foreign", "swap");
static DESCRIPTOR: ServiceDescriptor = ServiceDescriptor {
    name: "test.Foreign",
    fingerprint: [1; 32],
    table: ServiceTable { methods: &[], types: &[] },
    server_methods: &[&SWAP],
    client_methods: &[],
};

/// The connections that serialization uses.
static CLIENT: OnceLock<Peer> = OnceLock::new();
static SERVER: OnceLock<Peer> = OnceLock::new();

/// A foreign type whose serialization takes the locks of both ends.
#[derive(Debug, PartialEq)]
struct Locking(u32);

impl serde::Serialize for Locking {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        for peer in [&CLIENT, &SERVER] {
            if let Some(peer) = peer.get() {
                assert_matches!(peer.information(), Some(_));
            }
        }
        serializer.serialize_u32(self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Locking {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::Deserialize::deserialize(deserializer).map(Self)
    }
}

type Shape = shape::Extern<Locking>;

struct Swap(Locking);

impl Method for Swap {
    type Returns = Shape;
    type Throws = Infallible;
    const DESCRIPTOR: &'static MethodDescriptor = &SWAP;
    const FOREIGN: bool = Shape::FOREIGN;
    fn encode_arguments(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.field::<Shape>("locking", &self.0)
    }
}

#[derive(Clone)]
struct ForeignProxy(Peer);

impl Proxy for ForeignProxy {
    type Role = role::Server;
    const SERVICE: &'static ServiceDescriptor = &DESCRIPTOR;
    fn from_peer(peer: Peer) -> Self {
        Self(peer)
    }
    fn peer(&self) -> &Peer {
        &self.0
    }
}

fn serve(_: &Arc<()>, call: InboundCall) -> Handling {
    call.unary::<ForeignProxy, Shape, _, _>(
        |arguments| arguments.field::<Shape>("locking"),
        |cx, locking| async move {
            SERVER.get_or_init(|| cx.peer.peer().clone());
            Ok(Locking(locking.0.swap_bytes()))
        },
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_serializer_may_use_its_connection() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("unix:{}/s", folder.path().display());
    let secret = Secret::generate().unwrap();
    let server = Server::builder().secret(secret.clone()).register(Service::shared(&DESCRIPTOR, (), serve));
    let _server = server.listen(address.as_str()).await.unwrap();
    let client = Client::builder().secret(secret).connect(address.as_str()).unwrap();
    within("the client to connect", client.ready()).await.unwrap();
    let proxy: ForeignProxy = client.proxy();
    CLIENT.get_or_init(|| client.peer());
    let call = Call::new(&proxy.0, Swap(Locking(1)));
    assert_eq!(within("the reply", call).await, Ok(Locking(1 << 24)));
}
