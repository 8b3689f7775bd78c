//! TCP: names, IPv6, ports, and how far plain text may go.

use std::net::{IpAddr, SocketAddr};

use kaa_rpc_runtime::transport::{
    Address, ConnectOptions, ListenOptions, Listener, PeerAddress, TransportError, connect,
};

use crate::talk::{bind, converse};

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
async fn ipv4_ipv6_and_names_all_work() {
    for (listen, expected) in [("tcp:127.0.0.1:0", "127.0.0.1"), ("tcp:[::1]:0", "::1")] {
        let listener = bind(&address(listen)).await;
        let local = listener.local_address().clone();
        assert_ne!(port(&local), 0, "the system's choice is told");
        let (accepted, connected) = converse(&listener, &local).await;
        let PeerAddress::Tcp(peer) = connected.peer_address() else { panic!() };
        assert_eq!(*peer, SocketAddr::new(expected.parse().unwrap(), port(&local)));
        let PeerAddress::Tcp(peer) = accepted.peer_address() else { panic!() };
        assert_eq!(peer.ip(), expected.parse::<IpAddr>().unwrap());
        assert_eq!(accepted.peer_credentials(), None);
    }
    let listener = bind(&address("tcp:localhost:0")).await;
    let by_name = Address::Tcp { host: "localhost".into(), port: port(listener.local_address()) };
    converse(&listener, &by_name).await;
}

#[tokio::test]
async fn every_address_of_a_name_is_tried() {
    // `localhost` may be ::1 first, 127.0.0.1 first, or one of them only; whichever a server has, a client of the name
    // must find it as far as the resolver names it.
    let resolved: Vec<IpAddr> =
        tokio::net::lookup_host(("localhost", 0)).await.unwrap().map(|a| a.ip()).collect();
    for ip in resolved {
        let listener = bind(&SocketAddr::new(ip, 0).into()).await;
        let by_name = Address::Tcp { host: "localhost".into(), port: port(listener.local_address()) };
        converse(&listener, &by_name).await;
    }
}

#[tokio::test]
async fn a_port_in_use_is_said_to_be() {
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
async fn nobody_there_is_an_error_with_the_address() {
    let listener = bind(&address("tcp:127.0.0.1:0")).await;
    let gone = listener.local_address().clone();
    drop(listener);
    let error = connect(&gone, &ConnectOptions::new()).await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot connect to {gone}"));
    let source = std::io::Error::from(error);
    assert_eq!(source.kind(), std::io::ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn an_unknown_name_is_said_to_be() {
    let nowhere = address("tcp:no-such-host.invalid:7000");
    let result = connect(&nowhere, &ConnectOptions::new().allow_plaintext()).await;
    assert!(matches!(result, Err(TransportError::Resolve { .. })), "{result:?}");
}

#[tokio::test]
async fn plain_text_stays_on_this_machine_unless_allowed() {
    for beyond in ["tcp:0.0.0.0:0", "tcp:[::]:0", "tcp:192.0.2.77:7000", "tcp:[2001:db8::1]:7000"] {
        let beyond = address(beyond);
        let listening = Listener::bind(&beyond, &ListenOptions::new()).await.unwrap_err();
        let connecting = connect(&beyond, &ConnectOptions::new()).await.unwrap_err();
        for error in [listening, connecting] {
            assert!(matches!(&error, TransportError::PlaintextRefused { address } if *address == beyond));
            assert!(error.to_string().contains("allow_plaintext"), "{error}");
        }
    }
    // All of 127.0.0.0/8 is this machine, also when it is written as an IPv6 address.
    for here in ["tcp:127.3.2.1:0", "tcp:[::ffff:127.0.0.1]:0"] {
        bind(&address(here)).await;
    }
    for everywhere in ["tcp:0.0.0.0:0", "tcp:[::]:0"] {
        let options = ListenOptions::new().allow_plaintext();
        let listener = Listener::bind(&address(everywhere), &options).await.unwrap();
        let host = if everywhere.contains('[') { "::1" } else { "127.0.0.1" };
        let local = Address::Tcp { host: host.into(), port: port(listener.local_address()) };
        converse(&listener, &local).await;
    }
}

#[tokio::test]
async fn dropping_accept_loses_no_connection() {
    let listener = bind(&address("tcp:127.0.0.1:0")).await;
    let client = connect(listener.local_address(), &ConnectOptions::new()).await.unwrap();
    for _ in 0..20 {
        // The future is dropped at its first wait, or it is done: then this is the connection.
        tokio::select! {
            biased;
            accepted = listener.accept() => {
                let PeerAddress::Tcp(peer) = client.peer_address() else { panic!() };
                assert_eq!(Address::from(*peer), *listener.local_address());
                drop(accepted.unwrap());
                return;
            }
            () = tokio::task::yield_now() => {}
        }
    }
    listener.accept().await.unwrap();
}
