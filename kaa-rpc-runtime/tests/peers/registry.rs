//! A peer registry holds connected peers by key: one, a certain one, or all can be called.

use kaa_rpc_runtime::codegen::Proxy;
use kaa_rpc_runtime::{Client, PeerRegistry};
use kaa_rpc_test_support::assert_matches;

use kaa_rpc_test_support::texts::*;
use kaa_rpc_test_support::waiting::*;

/// A server, this many clients, and a registry of them by number.
async fn registered_clients(
    count: usize,
) -> (kaa_rpc_runtime::Server, Vec<Client>, PeerRegistry<usize, ClientProxy>) {
    let (server, _state, socket) = server_with(|server| server).await;
    let registry = PeerRegistry::new();
    let mut peers = server.peers();
    let mut clients = Vec::new();
    for number in 0..count {
        clients.push(client_of(&socket));
        let peer = within("the server to have a peer", peers.next()).await.unwrap();
        assert_matches!(registry.insert(number, &peer.proxy()), None);
    }
    (server, clients, registry)
}

async fn until_len(registry: &PeerRegistry<usize, ClientProxy>, len: usize) {
    eventually("the registry to change", || registry.len(), |count| *count == len).await;
}

#[tokio::test]
async fn registry_calls_one_by_key_and_all() {
    let (_server, _clients, registry) = registered_clients(3).await;
    let certain = registry.by_key(&1).unwrap();
    assert_eq!(
        within("the reply to ECHO", call_method::<ECHO>(certain.peer(), "x")).await,
        Ok("x".to_owned())
    );
    let turns: Vec<usize> = (0..7).filter_map(|_| registry.one().map(|(key, _)| key)).collect();
    assert_eq!(turns, [0, 1, 2, 0, 1, 2, 0]);
    let all =
        within("the calls to all peers", registry.call_all(|peer| call_method::<ECHO>(peer.peer(), "all")))
            .await;
    let expected: Vec<_> = (0..3).map(|key| (key, Ok("all".to_owned()))).collect();
    assert_eq!(all, expected);
}

#[tokio::test]
async fn disconnected_peer_is_removed() {
    let (_server, mut clients, registry) = registered_clients(3).await;
    drop(clients.remove(1));
    until_len(&registry, 2).await;
    assert_matches!(registry.by_key(&1), None);
    let keys: Vec<usize> = registry.all().into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, [0, 2]);
    drop(clients);
    until_len(&registry, 0).await;
    assert!(registry.is_empty(), "{} peers", registry.len());
    assert!(registry.one().is_none(), "an empty registry returned a peer");
    assert!(
        within("the calls to all peers", registry.call_all(|peer| call_method::<ECHO>(peer.peer(), "x")))
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn replaced_peers_end_keeps_successor() {
    let (_server, mut clients, registry) = registered_clients(2).await;
    let second = registry.by_key(&1).unwrap();
    let first = registry.insert(0, &second).unwrap();
    drop(clients.remove(0));
    within("the connection to close", first.peer().closed()).await;
    assert_eq!(registry.len(), 2);
    assert_responds(registry.by_key(&0).unwrap().peer()).await;
    // A removed peer still works.
    let removed = registry.remove(&0).unwrap();
    assert_responds(removed.peer()).await;
    assert_eq!(registry.len(), 1);
}

#[tokio::test]
async fn try_insert_keeps_existing_peer() {
    let (_server, mut clients, registry) = registered_clients(2).await;
    let (first, second) = (registry.by_key(&0).unwrap(), registry.by_key(&1).unwrap());
    let session = |peer: &ClientProxy| peer.peer().information().unwrap().session;
    let holder = registry.try_insert(0, &second).unwrap_err();
    assert_eq!(session(&holder), session(&first));
    assert_eq!(session(&registry.by_key(&0).unwrap()), session(&first));
    assert!(registry.try_insert(2, &second).is_ok(), "a peer may have several keys");
    drop(clients.remove(0));
    until_len(&registry, 2).await;
    assert_matches!(registry.try_insert(0, &second), Ok(_));
    drop(clients);
    until_len(&registry, 0).await;
}

#[tokio::test]
async fn call_where_skips_excluded_peers() {
    let (_server, _clients, registry) = registered_clients(3).await;
    let others = registry.call_where(|key| *key != 1, |peer| call_method::<ECHO>(peer.peer(), "others"));
    let expected = [0, 2].map(|key| (key, Ok("others".to_owned())));
    assert_eq!(within("the results of the calls", others).await, expected);
}

#[tokio::test]
async fn closed_peer_is_not_inserted() {
    let (_server, mut clients, registry) = registered_clients(1).await;
    let peer = registry.by_key(&0).unwrap();
    drop(clients.remove(0));
    within("the connection to close", peer.peer().closed()).await;
    registry.insert(7, &peer);
    until_len(&registry, 0).await;
    assert_matches!(registry.try_insert(7, &peer), Ok(_));
    until_len(&registry, 0).await;
}

#[tokio::test]
async fn call_all_returns_result_per_peer() {
    let (_server, clients, registry) = registered_clients(3).await;
    let results = registry.call_all(|peer| {
        let call = call_method::<WAIT>(peer.peer(), "x");
        call.timeout(std::time::Duration::from_millis(50))
    });
    drop(clients.into_iter().next());
    let results = within("the results of all calls", results).await;
    let failed = results.iter().filter(|(_, result)| result.is_err()).count();
    assert_eq!(failed, 3, "{results:?}");
}

/// An owning proxy keeps the connection open, the registry does not.
#[tokio::test]
async fn registry_keeps_no_connection_open() {
    let (server, _state, socket) = server_with(|server| server).await;
    let client = client_of(&socket);
    within("the client to connect or fail", client.ready()).await.unwrap();
    within("the server to have a peer", server.peers().next()).await.unwrap();
    let owning: ServerProxy = client.into_proxy();
    let registry = PeerRegistry::new();
    registry.insert(1, &owning);
    assert_responds(registry.by_key(&1).unwrap().peer()).await;
    drop(owning);
    let open = || (registry.len(), server.connections());
    eventually("the connection to end", open, |open| *open == (0, 0)).await;
}

#[tokio::test]
async fn one_skips_draining_peers() {
    let (_server, clients, registry) = registered_clients(2).await;
    let draining = registry.by_key(&0).unwrap();
    let mut held = call_method::<WAIT>(draining.peer(), "keeps the connection open");
    start(&mut held).await;
    let mut shutdown = Box::pin(clients[0].shutdown(std::time::Duration::from_secs(3600)));
    start(&mut shutdown).await;
    // When a new call fails, the peer's Goodbye has arrived.
    let refused = async { while call_method::<ECHO>(draining.peer(), "x").await.is_ok() {} };
    within("the Goodbye of the peer", refused).await;
    let turns: Vec<usize> = (0..4).filter_map(|_| registry.one().map(|(key, _)| key)).collect();
    assert_eq!(turns, [1, 1, 1, 1]);
    assert_eq!(registry.len(), 2, "a draining peer stays in the registry");
}
