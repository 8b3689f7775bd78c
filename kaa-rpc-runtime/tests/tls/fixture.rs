//! A server at a `tls:` address, a client of it, and what either is told.

use std::sync::Arc;

use kaa_rpc_runtime::transport::Address;
use kaa_rpc_runtime::{
    AuthenticationError, Client, ClientBuilder, CloseReason, ConnectError, Events, Refused, Server,
    ServerBuilder, ServerEvent,
};

use crate::streams::{World, client_builder, server_builder, within};

pub(crate) const ANY_PORT: &str = "tls:127.0.0.1:0";

/// A server at any port of this kind of address, with its events.
pub(crate) async fn server_at(
    address: &str,
    change: impl FnOnce(ServerBuilder) -> ServerBuilder,
) -> (Server, Events<ServerEvent>) {
    let server = change(server_builder(&World::new())).listen(address).await.unwrap();
    let events = server.events();
    (server, events)
}

pub(crate) async fn server() -> (Server, Events<ServerEvent>) {
    server_at(ANY_PORT, |server| server).await
}

pub(crate) fn port(address: &Address) -> u16 {
    match address {
        Address::Tls { port, .. } | Address::Tcp { port, .. } => *port,
        other => panic!("{other}"),
    }
}

pub(crate) fn socket_address(server: &Server) -> std::net::SocketAddr {
    ([127, 0, 0, 1], port(server.address().unwrap())).into()
}

pub(crate) fn client_at(address: impl ToString) -> Client {
    client_with(address, |client| client)
}

pub(crate) fn client_with(
    address: impl ToString,
    change: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> Client {
    change(client_builder(&World::new())).connect(address.to_string()).unwrap()
}

/// Why the client has no connection.
pub(crate) async fn error_of(client: &Client) -> ConnectError {
    within(client.ready()).await.unwrap_err()
}

pub(crate) async fn authentication_error_of(client: &Client) -> AuthenticationError {
    match error_of(client).await {
        ConnectError::Authentication(error) => error,
        other => panic!("{other:?}"),
    }
}

/// The next one that the server did not let in.
pub(crate) async fn refused(events: &mut Events<ServerEvent>) -> Refused {
    loop {
        if let ServerEvent::Refused(refused) = within(events.next()).await.unwrap() {
            return refused;
        }
    }
}

/// How the next connection ends that does.
pub(crate) async fn end(events: &mut Events<ServerEvent>) -> CloseReason {
    loop {
        if let ServerEvent::Disconnected { reason, .. } = within(events.next()).await.unwrap() {
            return reason;
        }
    }
}

/// A world for a server and one for its client.
pub(crate) fn worlds() -> (Arc<World>, Arc<World>) {
    (World::new(), World::new())
}
