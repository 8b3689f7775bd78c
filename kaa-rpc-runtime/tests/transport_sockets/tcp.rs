//! TCP: names, IPv6, ports, and where plain text is allowed.

use std::net::{IpAddr, SocketAddr};

use kaa_rpc_runtime::transport::{
    Address, ConnectOptions, ListenOptions, Listener, PeerAddress, TransportError, connect,
};

use kaa_rpc_test_support::byte_streams::{bind, connect_and_greet};
use kaa_rpc_test_support::waiting::within;

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn port(address: &Address) -> u16 {
    match address {
        Address::Tcp { port, .. } => *port,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn ipv4_ipv6_and_names_work() {
    for (listen, expected) in [("tcp:127.0.0.1:0", "127.0.0.1"), ("tcp:[::1]:0", "::1")] {
        let listener = bind(&address(listen)).await;
        let local = listener.local_address().clone();
        assert_ne!(port(&local), 0, "the port that the system has chosen is known");
        let (accepted, connected) = connect_and_greet(&listener, &local).await;
        let PeerAddress::Tcp(peer) = connected.peer_address() else { panic!("{connected:?}") };
        assert_eq!(*peer, SocketAddr::new(expected.parse().unwrap(), port(&local)));
        let PeerAddress::Tcp(peer) = accepted.peer_address() else { panic!("{accepted:?}") };
        assert_eq!(peer.ip(), expected.parse::<IpAddr>().unwrap());
        assert_eq!(accepted.peer_credentials(), None);
    }
    let listener = bind(&address("tcp:localhost:0")).await;
    let by_name = Address::Tcp { host: "localhost".into(), port: port(listener.local_address()) };
    connect_and_greet(&listener, &by_name).await;
}

#[tokio::test]
async fn every_address_of_name_is_tried() {
    // `localhost` may be ::1 and 127.0.0.1 in any order, or only one of them. A client of the name must find
    // a server at each address that the resolver returns.
    let resolved: Vec<IpAddr> =
        tokio::net::lookup_host(("localhost", 0)).await.unwrap().map(|a| a.ip()).collect();
    for ip in resolved {
        let listener = bind(&SocketAddr::new(ip, 0).into()).await;
        let by_name = Address::Tcp { host: "localhost".into(), port: port(listener.local_address()) };
        connect_and_greet(&listener, &by_name).await;
    }
}

#[tokio::test]
async fn port_in_use_is_reported() {
    let listener = bind(&address("tcp:127.0.0.1:0")).await;
    let taken = listener.local_address().clone();
    match Listener::bind(&taken, &ListenOptions::new()).await {
        Err(TransportError::AddressInUse { address }) => assert_eq!(address, taken),
        other => panic!("{other:?}"),
    }
    drop(listener);
    bind(&taken).await;
}

#[tokio::test]
async fn refused_connection_error_has_address() {
    let listener = bind(&address("tcp:127.0.0.1:0")).await;
    let gone = listener.local_address().clone();
    drop(listener);
    let error = connect(&gone, &ConnectOptions::new()).await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot connect to {gone}"));
    let source = std::io::Error::from(error);
    assert_eq!(source.kind(), std::io::ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn unknown_name_is_reported() {
    let nowhere = address("tcp:no-such-host.invalid:7000");
    let result = connect(&nowhere, &ConnectOptions::new().allow_plaintext()).await;
    assert!(matches!(result, Err(TransportError::Resolve { .. })), "{result:?}");
}

#[tokio::test]
async fn plaintext_is_local_unless_allowed() {
    for remote in ["tcp:0.0.0.0:0", "tcp:[::]:0", "tcp:192.0.2.77:7000", "tcp:[2001:db8::1]:7000"] {
        let remote = address(remote);
        let listening = Listener::bind(&remote, &ListenOptions::new()).await.unwrap_err();
        let connecting = connect(&remote, &ConnectOptions::new()).await.unwrap_err();
        for error in [listening, connecting] {
            assert!(
                matches!(&error, TransportError::PlaintextRefused { address } if *address == remote),
                "{error:?}"
            );
            assert!(error.to_string().contains("allow_plaintext"), "{error}");
        }
    }
    // All of 127.0.0.0/8 is local, also as an IPv6 address.
    for local in ["tcp:127.3.2.1:0", "tcp:[::ffff:127.0.0.1]:0"] {
        bind(&address(local)).await;
    }
    for everywhere in ["tcp:0.0.0.0:0", "tcp:[::]:0"] {
        let options = ListenOptions::new().allow_plaintext();
        let listener = Listener::bind(&address(everywhere), &options).await.unwrap();
        let host = if everywhere.contains('[') { "::1" } else { "127.0.0.1" };
        let local = Address::Tcp { host: host.into(), port: port(listener.local_address()) };
        connect_and_greet(&listener, &local).await;
    }
}

#[tokio::test]
async fn dropping_accept_loses_no_connection() {
    let listener = bind(&address("tcp:127.0.0.1:0")).await;
    let options = ConnectOptions::new();
    let connecting = connect(listener.local_address(), &options);
    let client = within("the client to connect", connecting).await.unwrap();
    for _ in 0..20 {
        // Either the future is dropped when it waits, or this is the connection.
        tokio::select! {
            biased;
            accepted = listener.accept() => {
                let PeerAddress::Tcp(peer) = client.peer_address() else { panic!("{client:?}") };
                assert_eq!(Address::from(*peer), *listener.local_address());
                drop(accepted.unwrap());
                return;
            }
            () = tokio::task::yield_now() => {}
        }
    }
    within("the connection to be accepted", listener.accept()).await.unwrap();
}
