//! Whatever is dropped, late, cut or broken, and in whatever order: every call ends, and leaves nothing behind.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use kaa_rpc_runtime::{Backoff, CallError, Fault, Incoming, Limits, Outgoing, Peer};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Mutex;

use crate::support::*;

/// Numbers that look like chance and are the same each time.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Takes so many items, and drops the rest.
async fn take<E>(mut incoming: Incoming<u64, E>, most: u64) -> Option<CallError<E>> {
    for expected in 0..most {
        match within(incoming.next()).await {
            Some(Ok(number)) => assert_eq!(number, expected, "lost, doubled or out of order"),
            Some(Err(error)) => return Some(error),
            None => break,
        }
    }
    None
}

/// One call of any kind, which ends in any way.
async fn one_call(peer: &Peer, world: &Arc<World>, dice: &mut Dice) {
    let length = [0, 3, 200, 20_000][usize::try_from(dice.throw(4)).unwrap()];
    let most = dice.throw(length + 2);
    let time = Duration::from_micros(dice.throw(5000));
    let items = world.watched(stream::iter(0..length));
    match dice.throw(7) {
        0 => drop(take(listen::<COUNT>(peer, length), most).await),
        1 => drop(take(exchange::<DOUBLE>(peer, world.watched(stream::iter([0]))).timeout(time), 1).await),
        2 => {
            let sum = within(send::<SUM>(peer, items)).await;
            assert!(sum.is_err() || sum == Ok(length * length.saturating_sub(1) / 2), "{sum:?}");
        }
        3 => drop(within(send::<SUM>(peer, items).timeout(time)).await),
        4 => drop(tokio::time::timeout(time, send::<FIRST>(peer, items)).await),
        5 => {
            let torn = items.map(Ok).chain(stream::iter([Err(Fault::new("torn"))]));
            let sum = within(send::<SUM>(peer, Outgoing::fallible(torn))).await;
            assert!(sum.is_err(), "a break is no end: {sum:?}");
        }
        _ => drop(tokio::time::timeout(time, take(listen::<COUNT_AGAIN>(peer, length), most)).await),
    }
}

const LIMITS: Limits =
    Limits { max_frame: 4 * 1024 * 1024, max_inbound_calls: 8, oneway_window: 8, stream_window: 3000 };

/// Many callers at once, then one at a time, who find all places free again.
async fn many_calls(peer: &Peer, world: &Arc<World>, calm: impl Future<Output = ()>) {
    let tasks: Vec<_> = (0..16)
        .map(|seed| {
            let (peer, world) = (peer.clone(), Arc::clone(world));
            tokio::spawn(async move {
                let mut dice = Dice(seed);
                for _ in 0..25 {
                    one_call(&peer, &world, &mut dice).await;
                }
            })
        })
        .collect();
    for task in tasks {
        within(task).await.unwrap();
    }
    calm.await;
    // The first of these may still meet a loss.
    drop(within(ask::<ECHO>(peer, 5)).await);
    for _ in 0..20 {
        assert_eq!(within(ask::<ECHO>(peer, 5)).await, Ok(5));
        assert_eq!(take(listen::<COUNT>(peer, 2000), 3000).await, None);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_ends_and_leaves_nothing_behind() {
    let pair = Pair::with(|server| server.limits(LIMITS), |client| client.limits(LIMITS)).await;
    many_calls(&pair.peer, &pair.at_client, async {}).await;
    let (client, made) = (pair.at_client.counts(), pair.at_client.watched_so_far());
    assert_eq!(client.dropped, made, "producers are left");
    let server = &pair.at_server;
    within(server.until(|counts| counts.dropped == server.watched_so_far())).await;
}

/// Passes bytes on between a client and the server, and cuts them off again and again until it is calm.
async fn cut_off(listener: UnixListener, server: PathBuf, is_calm: Arc<Mutex<bool>>) {
    let mut dice = Dice(1);
    loop {
        let (mut here, _) = listener.accept().await.unwrap();
        let mut there = UnixStream::connect(&server).await.unwrap();
        let time = Duration::from_millis(5 + dice.throw(40));
        let mut copy = Box::pin(tokio::io::copy_bidirectional(&mut here, &mut there));
        if tokio::time::timeout(time, &mut copy).await.is_err() {
            let is_calm = is_calm.lock().await;
            if *is_calm {
                drop(is_calm);
                drop(copy.await);
                continue;
            }
            drop(copy);
            drop((here, there));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_where_connections_are_cut() {
    let pair = Pair::with(|server| server.limits(LIMITS), |client| client).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let is_calm = Arc::new(Mutex::new(false));
    let relay = tokio::spawn(cut_off(listener, pair.path(), Arc::clone(&is_calm)));
    let backoff = Backoff::default().initial(Duration::from_millis(1)).max(Duration::from_millis(5));
    let world = World::new();
    let client = client_builder(&world).limits(LIMITS).reconnect(backoff);
    let client = client.connect(format!("unix:{}", path.display()).as_str()).unwrap();
    many_calls(&client.peer(), &world, async { *is_calm.lock().await = true }).await;
    assert_eq!(world.counts().dropped, world.watched_so_far(), "producers are left");
    let server = &pair.at_server;
    within(server.until(|counts| counts.dropped == server.watched_so_far())).await;
    relay.abort();
}
