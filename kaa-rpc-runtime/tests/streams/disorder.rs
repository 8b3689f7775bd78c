//! Calls that are dropped, late, lost or broken, in any order: every call ends, and leaks nothing.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use kaa_rpc_runtime::{Backoff, CallError, Fault, Incoming, Limits, Outgoing, Peer};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Mutex;

use kaa_rpc_test_support::numbers::*;
use kaa_rpc_test_support::sockets::SocketDirectory;
use kaa_rpc_test_support::waiting::*;

/// Random numbers that are the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Takes at most this many items, and drops the rest. The error, if there is one.
async fn take<E>(mut incoming: Incoming<u64, E>, most: u64) -> Option<CallError<E>> {
    for expected in 0..most {
        match within("the next item", incoming.next()).await {
            Some(Ok(number)) => assert_eq!(number, expected, "lost, duplicated or out of order"),
            Some(Err(error)) => return Some(error),
            None => break,
        }
    }
    None
}

/// A random call, which ends in a random way.
async fn one_call(peer: &Peer, state: &Arc<ServiceState>, random: &mut Random) {
    let length = [0, 3, 200, 20_000][usize::try_from(random.below(4)).unwrap()];
    let most = random.below(length + 2);
    let time = Duration::from_micros(random.below(5000));
    let items = state.track(stream::iter(0..length));
    match random.below(7) {
        0 => drop(take(receive_stream::<COUNT>(peer, length), most).await),
        1 => drop(
            take(exchange_streams::<DOUBLE>(peer, state.track(stream::iter([0]))).timeout(time), 1).await,
        ),
        2 => {
            let sum = within("the result of SUM", send_stream::<SUM>(peer, items)).await;
            assert!(sum.is_err() || sum == Ok(length * length.saturating_sub(1) / 2), "{sum:?}");
        }
        3 => drop(within("the result of SUM", send_stream::<SUM>(peer, items).timeout(time)).await),
        4 => drop(tokio::time::timeout(time, send_stream::<FIRST>(peer, items)).await),
        5 => {
            let broken = items.map(Ok).chain(stream::iter([Err(Fault::new("broken"))]));
            let sum = within("the result of SUM", send_stream::<SUM>(peer, Outgoing::fallible(broken))).await;
            assert!(sum.is_err(), "a broken stream was taken for a whole one: {sum:?}");
        }
        _ => drop(
            tokio::time::timeout(time, take(receive_stream::<IDEMPOTENT_COUNT>(peer, length), most)).await,
        ),
    }
}

const LIMITS: Limits =
    Limits { max_frame: 4 * 1024 * 1024, max_inbound_calls: 8, oneway_window: 8, stream_window: 3000 };

/// Many concurrent callers, then one at a time, which finds all slots free. In between `settle` ends the
/// disturbances.
async fn many_calls(peer: &Peer, state: &Arc<ServiceState>, settle: impl Future<Output = ()>) {
    let tasks: Vec<_> = (0..16)
        .map(|seed| {
            let (peer, state) = (peer.clone(), Arc::clone(state));
            tokio::spawn(async move {
                let mut random = Random(seed);
                for _ in 0..25 {
                    one_call(&peer, &state, &mut random).await;
                }
            })
        })
        .collect();
    for task in tasks {
        within("the task `task`", task).await.unwrap();
    }
    settle.await;
    // The first call may still meet a lost connection.
    drop(within("the reply to ECHO", call_method::<ECHO>(peer, 5)).await);
    for _ in 0..20 {
        assert_eq!(within("the reply to ECHO", call_method::<ECHO>(peer, 5)).await, Ok(5));
        assert_eq!(take(receive_stream::<COUNT>(peer, 2000), 3000).await, None);
    }
}

/// The server's handlers may start after their callers have gone, so the number of streams may still grow.
async fn assert_server_drops_streams(pair: &Pair) {
    let state = &pair.server_state;
    state.until("all streams to be dropped", |counts| counts.dropped == state.tracked_streams()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_calls_end_and_leak_nothing() {
    let pair = Pair::with(|server| server.limits(LIMITS), |client| client.limits(LIMITS)).await;
    many_calls(&pair.peer, &pair.client_state, async {}).await;
    let (client, tracked) = (pair.client_state.counts(), pair.client_state.tracked_streams());
    assert_eq!(client.dropped, tracked, "not all producers were dropped");
    assert_server_drops_streams(&pair).await;
}

/// Relays between a client and the server, and closes the connections again and again until the calls have
/// settled.
async fn interrupt(listener: UnixListener, server: PathBuf, is_settled: Arc<Mutex<bool>>) {
    let mut random = Random(1);
    loop {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut upstream = UnixStream::connect(&server).await.unwrap();
        let time = Duration::from_millis(5 + random.below(40));
        let mut copy = Box::pin(tokio::io::copy_bidirectional(&mut client, &mut upstream));
        if tokio::time::timeout(time, &mut copy).await.is_err() {
            let is_settled = is_settled.lock().await;
            if *is_settled {
                drop(is_settled);
                drop(copy.await);
                continue;
            }
            drop(copy);
            drop((client, upstream));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_calls_survive_lost_connections() {
    let pair = Pair::with(|server| server.limits(LIMITS), |client| client).await;
    let socket = SocketDirectory::new();
    let listener = socket.listener();
    let is_settled = Arc::new(Mutex::new(false));
    let relay = tokio::spawn(interrupt(listener, pair.socket.path(), Arc::clone(&is_settled)));
    let backoff = Backoff::default().initial(Duration::from_millis(1)).max(Duration::from_millis(5));
    let state = ServiceState::new();
    let client = client_builder(&state).limits(LIMITS).reconnect(backoff);
    let client = client.connect(socket.address().as_str()).unwrap();
    many_calls(&client.peer(), &state, async { *is_settled.lock().await = true }).await;
    assert_eq!(state.counts().dropped, state.tracked_streams(), "not all producers were dropped");
    assert_server_drops_streams(&pair).await;
    relay.abort();
}
