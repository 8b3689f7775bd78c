//! A server and a client of it that serve each other.

use std::path::Path;
use std::sync::Arc;

use kaa_rpc_runtime::codegen::*;
use kaa_rpc_runtime::transport;
use kaa_rpc_runtime::{CallError, Client, ClientBuilder, Limits, Server, ServerBuilder};
use tokio::sync::OnceCell;

use super::handlers::serve;
use super::methods::*;
use super::state::ServiceState;
use crate::scripted::{ScriptedPeer, fingerprint};
use crate::secret;
use crate::sockets::SocketDirectory;
use crate::waiting::within;

pub fn server_builder(state: &Arc<ServiceState>) -> ServerBuilder {
    let state = Arc::clone(state);
    Server::builder()
        .secret(secret())
        .register(Service::shared(&DESCRIPTOR, state, |state, call| serve::<ClientProxy>(state, call)))
}

pub fn client_builder(state: &Arc<ServiceState>) -> ClientBuilder {
    let state = Arc::clone(state);
    Client::builder()
        .secret(secret())
        .register(Service::shared(&DESCRIPTOR, state, |state, call| serve::<ServerProxy>(state, call)))
}

/// A server, a client of it, and the state of their handlers.
pub struct Pair {
    pub server: Server,
    pub client: Client,
    /// The server, as the client calls it.
    pub peer: Peer,
    pub server_state: Arc<ServiceState>,
    pub client_state: Arc<ServiceState>,
    pub socket: SocketDirectory,
}

impl Pair {
    pub async fn new() -> Self {
        Self::with(|server| server, |client| client).await
    }

    /// A pair with other settings.
    pub async fn with(
        server: impl FnOnce(ServerBuilder) -> ServerBuilder,
        client: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Self {
        let (server_state, client_state) = (ServiceState::new(), ServiceState::new());
        let socket = SocketDirectory::new();
        let server = server(server_builder(&server_state)).listen(socket.address().as_str()).await.unwrap();
        let client = client(client_builder(&client_state)).connect(socket.address().as_str()).unwrap();
        within("the client to connect", client.ready()).await.unwrap();
        let peer = client.peer();
        Self { server, client, peer, server_state, client_state, socket }
    }

    /// A pair that is connected in memory. Nothing but timers can delay it, so it works with a paused clock.
    pub async fn in_memory(
        server: impl FnOnce(ServerBuilder) -> ServerBuilder,
        client: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Self {
        let (server_state, client_state) = (ServiceState::new(), ServiceState::new());
        let (near, far) = transport::pair(1 << 16);
        let server = server(server_builder(&server_state)).start().unwrap();
        server.accept(far);
        let client = client(client_builder(&client_state)).connect_stream(near).unwrap();
        within("the client to connect", client.ready()).await.unwrap();
        let peer = client.peer();
        Self { server, client, peer, server_state, client_state, socket: SocketDirectory::new() }
    }

    /// The client, as the server calls it.
    pub async fn client_peer(&self) -> Peer {
        within("the server to have a peer", self.server.peers().next()).await.unwrap()
    }

    /// The connection works.
    pub async fn assert_responds(&self) {
        assert_responds(&self.peer).await;
    }
}

/// The connection works.
pub async fn assert_responds(peer: &Peer) {
    assert_eq!(within("the reply to ECHO", call_method::<ECHO>(peer, 5)).await, Ok(5));
}

/// All items of a stream, and the error after them if there is one.
pub async fn receive_all<T: std::fmt::Debug, E: std::fmt::Debug>(
    mut incoming: Incoming<T, E>,
) -> (Vec<T>, Option<CallError<E>>) {
    let mut items = Vec::new();
    // A timer for each item would cost more than the item.
    let mut receive_some = async || {
        for _ in 0..1000 {
            match incoming.next().await {
                Some(Ok(item)) => items.push(item),
                end => return Some(end.and_then(Result::err)),
            }
        }
        None
    };
    let error = loop {
        if let Some(error) = within("the next items of a stream", receive_some()).await {
            break error;
        }
    };
    let next = within("the end of a stream", incoming.next()).await;
    assert!(next.is_none(), "after the end or an error came {next:?}");
    (items, error)
}

/// A client with its own state.
pub fn client_of(socket: &SocketDirectory) -> Client {
    client_builder(&ServiceState::new()).connect(socket.address().as_str()).unwrap()
}

/// A client, and the scripted server that it is connected to.
pub async fn scripted_server() -> (Client, ScriptedPeer, SocketDirectory) {
    let socket = SocketDirectory::new();
    let listener = socket.listener();
    let client = client_of(&socket);
    let scripted = ScriptedPeer::accept(&listener).await;
    (client, scripted, socket)
}

/// A scripted client of the server at this path, with the same schema.
pub async fn scripted_client(path: &Path) -> ScriptedPeer {
    scripted_client_with(path, Limits::default()).await
}

/// The same with other limits.
pub async fn scripted_client_with(path: &Path, limits: Limits) -> ScriptedPeer {
    ScriptedPeer::connect(path, limits, schema().await).await
}

/// The fingerprint of the service.
async fn schema() -> [u8; 32] {
    static SCHEMA: OnceCell<[u8; 32]> = OnceCell::const_new();
    let server = || server_builder(&ServiceState::new()).start().unwrap();
    *SCHEMA.get_or_init(async || fingerprint(server()).await).await
}
