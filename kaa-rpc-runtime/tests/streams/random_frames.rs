//! A peer that sends random frames about streams harms only its own connection, and leaks nothing.

use std::collections::HashMap;

use futures_util::stream;
use kaa_rpc_runtime::{Limits, Resources};
use kaa_rpc_test_support::sockets::SocketDirectory;

use kaa_rpc_test_support::numbers::*;
use kaa_rpc_test_support::scripted::RandomFrames;
use kaa_rpc_test_support::scripted::{ScriptedPeer, frames};
use kaa_rpc_test_support::waiting::*;

const CASES: u64 = 100;

/// Methods whose handlers end by themselves, or with the gate.
const METHODS: &[u32] = &[
    ECHO,
    COUNT,
    SUM,
    DOUBLE,
    FIRST,
    PANIC_AFTER,
    FAIL_AFTER,
    FAULT_AFTER,
    GATED_SUM,
    CALL_BACK,
    DROP_STREAM,
    FAIL_AT_ONCE,
    COUNT_TEXTS,
    INVALID_ITEM,
    DETACHED_SUM,
    UNKNOWN,
];

/// Small limits, so that all of them are reached.
fn limits() -> Limits {
    Limits { max_frame: 300_000, max_inbound_calls: 6, oneway_window: 6, stream_window: 20_000 }
}

async fn until_released(resources: &Resources) {
    let used = || (resources.memory(), resources.handlers());
    eventually("all resources to be released", used, |used| *used == (0, 0)).await;
}

#[tokio::test]
async fn random_frames_from_client_leak_nothing() {
    for seed in 0..CASES {
        let mut random = RandomFrames::new(seed, METHODS, false);
        let resources = Resources::new(4, 150_000);
        let pair =
            Pair::with(|server| server.resources(resources.clone()).limits(limits()), |client| client).await;
        let mut events = pair.server.events();
        let mut peer = scripted_client(&pair.socket.path()).await;
        for _ in 0..random.below(40) {
            if peer.try_send(random.bytes()).await.is_err() {
                break;
            }
            if random.below(4) == 0 {
                pair.server_state.gate.add_permits(1);
                tokio::task::yield_now().await;
            }
        }
        let is_read = random.below(3) > 0 && peer.try_close_write().await.is_ok();
        pair.server_state.gate.add_permits(1000);
        let mut replies: HashMap<u64, u32> = HashMap::new();
        while is_read && let Some(frame) = peer.receive().await {
            if frame.kind == frames::REPLY {
                *replies.entry(frame.id).or_default() += 1;
            }
        }
        assert!(replies.values().all(|count| *count == 1), "seed {seed}: {replies:?}");
        drop(peer);
        close_reason(&mut events).await;
        until_released(&resources).await;
        pair.assert_responds().await;
    }
}

#[tokio::test]
async fn random_frames_from_server_leak_nothing() {
    for seed in 0..CASES {
        let mut random = RandomFrames::new(seed, METHODS, true);
        let socket = SocketDirectory::new();
        let listener = socket.listener();
        let (state, resources) = (ServiceState::new(), Resources::new(4, 150_000));
        let client = client_builder(&state)
            .resources(resources.clone())
            .limits(limits())
            .connect(socket.address().as_str())
            .unwrap();
        let mut peer = ScriptedPeer::accept(&listener).await;
        within("the client to connect or fail", client.ready()).await.unwrap();
        let server = client.peer();
        let calls = [
            tokio::spawn({
                let call = call_method::<ECHO>(&server, 5);
                async move { drop(call.await) }
            }),
            tokio::spawn({
                let call = receive_stream::<COUNT>(&server, 5);
                async move { drop(receive_all(call).await) }
            }),
            tokio::spawn({
                let call = send_stream::<SUM>(&server, stream::iter(0..20_000));
                async move { drop(call.await) }
            }),
            tokio::spawn({
                let call = exchange_streams::<DOUBLE>(&server, stream::iter(0..20_000));
                async move { drop(receive_all(call).await) }
            }),
        ];
        tokio::task::yield_now().await;
        for _ in 0..random.below(40) {
            if peer.try_send(random.bytes()).await.is_err() {
                break;
            }
            if random.below(4) == 0 {
                state.gate.add_permits(1);
                tokio::task::yield_now().await;
            }
        }
        drop(peer);
        state.gate.add_permits(1000);
        for call in calls {
            within("the call", call).await.unwrap();
        }
        within("the connection to close", client.closed()).await;
        until_released(&resources).await;
    }
}
