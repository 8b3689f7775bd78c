//! A server and a client of it that serve each other.

use std::path::Path;
use std::sync::Arc;

use kaa_rpc_runtime::codegen::*;
use kaa_rpc_runtime::transport;
use kaa_rpc_runtime::{Client, ClientBuilder, Limits, Peer, Server, ServerBuilder};
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
    let reply = within("the reply to ECHO", call_method::<ECHO>(peer, "alive")).await;
    assert_eq!(reply, Ok("alive".to_owned()));
}

/// A server, the state of its handlers, and its socket.
pub async fn server_with(
    settings: impl FnOnce(ServerBuilder) -> ServerBuilder,
) -> (Server, Arc<ServiceState>, SocketDirectory) {
    let (state, socket) = (ServiceState::new(), SocketDirectory::new());
    let server = settings(server_builder(&state)).listen(socket.address().as_str()).await.unwrap();
    (server, state, socket)
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

/// A server, the state of its handlers, and a scripted client, connected in memory as in [`Pair::in_memory`].
pub async fn scripted_client_in_memory(
    settings: impl FnOnce(ServerBuilder) -> ServerBuilder,
) -> (Server, Arc<ServiceState>, ScriptedPeer) {
    let state = ServiceState::new();
    let server = settings(server_builder(&state)).start().unwrap();
    let (near, far) = tokio::io::duplex(1 << 16);
    let schema = schema().await;
    server.accept(transport::Stream::from_io(far, "scripted client"));
    (server, state, ScriptedPeer::connect_over(near, Limits::default(), schema).await)
}
