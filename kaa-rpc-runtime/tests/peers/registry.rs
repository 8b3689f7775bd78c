//! A peer registry holds who is connected, by key: one, a certain one, or all can be called.

use kaa_rpc_runtime::codegen::Proxy;
use kaa_rpc_runtime::{Client, PeerRegistry};

use crate::support::*;

/// A server, so many clients, and the registry of them by number.
async fn crowd(count: usize) -> (kaa_rpc_runtime::Server, Vec<Client>, PeerRegistry<usize, ClientProxy>) {
    let (server, _world, place) = server_with(|server| server).await;
    let registry = PeerRegistry::new();
    let mut peers = server.peers();
    let mut clients = Vec::new();
    for number in 0..count {
        clients.push(client_builder(&World::new()).connect(place.address().as_str()).unwrap());
        let peer = within(peers.next()).await.unwrap();
        assert!(registry.insert(number, &peer.proxy()).is_none());
    }
    (server, clients, registry)
}

async fn until_len(registry: &PeerRegistry<usize, ClientProxy>, len: usize) {
    within(async {
        while registry.len() != len {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn one_a_certain_one_and_all_are_called() {
    let (_server, _clients, registry) = crowd(3).await;
    let certain = registry.by_key(&1).unwrap();
    assert_eq!(within(ask::<ECHO>(certain.peer(), "x")).await, Ok("x".to_owned()));
    let turns: Vec<usize> = (0..7).filter_map(|_| registry.one().map(|(key, _)| key)).collect();
    assert_eq!(turns, [0, 1, 2, 0, 1, 2, 0]);
    let all = within(registry.call_all(|peer| ask::<ECHO>(peer.peer(), "all"))).await;
    let expected: Vec<_> = (0..3).map(|key| (key, Ok("all".to_owned()))).collect();
    assert_eq!(all, expected);
}

#[tokio::test]
async fn who_is_gone_is_not_in_it_any_more() {
    let (_server, mut clients, registry) = crowd(3).await;
    drop(clients.remove(1));
    until_len(&registry, 2).await;
    assert!(registry.by_key(&1).is_none());
    let keys: Vec<usize> = registry.all().into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, [0, 2]);
    drop(clients);
    until_len(&registry, 0).await;
    assert!(registry.is_empty() && registry.one().is_none());
    assert!(within(registry.call_all(|peer| ask::<ECHO>(peer.peer(), "x"))).await.is_empty());
}

#[tokio::test]
async fn a_replaced_peers_end_does_not_take_its_successor_out() {
    let (_server, mut clients, registry) = crowd(2).await;
    let second = registry.by_key(&1).unwrap();
    let first = registry.insert(0, &second).unwrap();
    drop(clients.remove(0));
    within(first.peer().closed()).await;
    assert_eq!(registry.len(), 2);
    assert!(within(ask::<ECHO>(registry.by_key(&0).unwrap().peer(), "x")).await.is_ok());
    let taken = registry.remove(&0).unwrap();
    assert!(within(ask::<ECHO>(taken.peer(), "x")).await.is_ok(), "it is out, and well");
    assert_eq!(registry.len(), 1);
}

#[tokio::test]
async fn a_key_that_is_taken_stays_with_its_peer_until_it_leaves() {
    let (_server, mut clients, registry) = crowd(2).await;
    let (first, second) = (registry.by_key(&0).unwrap(), registry.by_key(&1).unwrap());
    let session = |peer: &ClientProxy| peer.peer().information().unwrap().session;
    let holder = registry.try_insert(0, &second).unwrap_err();
    assert_eq!(session(&holder), session(&first));
    assert_eq!(session(&registry.by_key(&0).unwrap()), session(&first));
    assert!(registry.try_insert(2, &second).is_ok(), "a peer may have several keys");
    drop(clients.remove(0));
    until_len(&registry, 2).await;
    assert!(registry.try_insert(0, &second).is_ok());
    drop(clients);
    until_len(&registry, 0).await;
}

#[tokio::test]
async fn the_others_are_called_and_the_one_is_not() {
    let (_server, _clients, registry) = crowd(3).await;
    let others = registry.call_where(|key| *key != 1, |peer| ask::<ECHO>(peer.peer(), "others"));
    let expected = [0, 2].map(|key| (key, Ok("others".to_owned())));
    assert_eq!(within(others).await, expected);
}

#[tokio::test]
async fn one_whose_connection_is_over_is_not_inserted() {
    let (_server, mut clients, registry) = crowd(1).await;
    let peer = registry.by_key(&0).unwrap();
    drop(clients.remove(0));
    within(peer.peer().closed()).await;
    registry.insert(7, &peer);
    until_len(&registry, 0).await;
    assert!(registry.try_insert(7, &peer).is_ok());
    until_len(&registry, 0).await;
}

#[tokio::test]
async fn each_result_of_a_call_to_all_is_its_own() {
    let (_server, clients, registry) = crowd(3).await;
    let results = registry.call_all(|peer| {
        let call = ask::<WAIT>(peer.peer(), "x");
        call.timeout(std::time::Duration::from_millis(50))
    });
    drop(clients.into_iter().next());
    let results = within(results).await;
    assert_eq!(results.iter().filter(|(_, result)| result.is_err()).count(), 3);
}

/// The proxy that it is given does.
#[tokio::test]
async fn it_keeps_no_connection_open() {
    let (server, _world, place) = server_with(|server| server).await;
    let client = client_builder(&World::new()).connect(place.address().as_str()).unwrap();
    within(client.ready()).await.unwrap();
    within(server.peers().next()).await.unwrap();
    let owning: ServerProxy = client.into_proxy();
    let registry = PeerRegistry::new();
    registry.insert(1, &owning);
    lives(registry.by_key(&1).unwrap().peer()).await;
    drop(owning);
    within(async {
        while registry.len() + server.connections() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn who_takes_leave_is_passed_over() {
    let (_server, clients, registry) = crowd(2).await;
    let leaving = registry.by_key(&0).unwrap();
    let mut held = ask::<WAIT>(leaving.peer(), "it keeps the connection");
    assert!(poll_once(&mut held).await.is_pending());
    let mut shutdown = Box::pin(clients[0].shutdown(std::time::Duration::from_secs(3600)));
    assert!(poll_once(&mut shutdown).await.is_pending());
    // Its Goodbye has come when a new call is not taken any more.
    within(async { while ask::<ECHO>(leaving.peer(), "x").await.is_ok() {} }).await;
    let turns: Vec<usize> = (0..4).filter_map(|_| registry.one().map(|(key, _)| key)).collect();
    assert_eq!(turns, [1, 1, 1, 1]);
    assert_eq!(registry.len(), 2, "it is still there");
}
