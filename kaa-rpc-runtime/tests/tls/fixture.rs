//! A server at a `tls:` address, a client of it, and what both report.

use std::sync::Arc;

use kaa_rpc_runtime::transport::Address;
use kaa_rpc_runtime::{
    AuthenticationError, Client, ClientBuilder, ConnectError, Events, Server, ServerBuilder, ServerEvent,
};

use kaa_rpc_test_support::numbers::{ServiceState, client_builder, server_builder};
use kaa_rpc_test_support::waiting::within;

pub(crate) const ANY_PORT: &str = "tls:127.0.0.1:0";

/// A server at this address, and its events.
pub(crate) async fn server_at(
    address: &str,
    settings: impl FnOnce(ServerBuilder) -> ServerBuilder,
) -> (Server, Events<ServerEvent>) {
    let server = settings(server_builder(&ServiceState::new())).listen(address).await.unwrap();
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
    settings: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> Client {
    settings(client_builder(&ServiceState::new())).connect(address.to_string()).unwrap()
}

/// Why the client did not connect.
pub(crate) async fn error_of(client: &Client) -> ConnectError {
    within("the client to connect or fail", client.ready()).await.unwrap_err()
}

pub(crate) async fn authentication_error_of(client: &Client) -> AuthenticationError {
    match error_of(client).await {
        ConnectError::Authentication(error) => error,
        other => panic!("{other:?}"),
    }
}

/// A state for a server and one for its client.
pub(crate) fn states() -> (Arc<ServiceState>, Arc<ServiceState>) {
    (ServiceState::new(), ServiceState::new())
}
