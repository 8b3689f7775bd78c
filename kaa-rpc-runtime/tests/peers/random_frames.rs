//! A peer that sends random frames harms only its own connection, and leaks nothing.

use std::collections::HashMap;

use kaa_rpc_runtime::{Limits, Resources};

use kaa_rpc_test_support::scripted::RandomFrames;
use kaa_rpc_test_support::scripted::frames;
use kaa_rpc_test_support::texts::*;
use kaa_rpc_test_support::waiting::*;

const CASES: u64 = 200;

/// Methods whose handlers end by themselves, or with the gate.
const METHODS: &[u32] = &[
    ECHO,
    CALL_BACK,
    WAIT,
    LARGE,
    PANIC,
    FAULT,
    RECORD,
    NOTE,
    GATED_NOTE,
    DESCEND,
    PANIC_WHILE_ENCODING,
    OVER_BOUND,
    REMAINING,
    CALL_BACK_WAIT,
    PANIC_NOTE,
    DETACHED,
    DETACHED_NOTE,
    METADATA,
    CALL_BACK_TRACE,
    UNKNOWN,
];

/// Small limits, so that all of them are reached.
fn limits() -> Limits {
    Limits { max_frame: 300_000, max_inbound_calls: 6, oneway_window: 6, stream_window: 20_000 }
}

#[tokio::test]
async fn random_frames_from_client_leak_nothing() {
    for seed in 0..CASES {
        let mut random = RandomFrames::new(seed, METHODS, false);
        let resources = Resources::new(4, 250_000);
        let (server, state, socket) =
            server_with(|server| server.resources(resources.clone()).limits(limits())).await;
        let mut events = server.events();
        let mut peer = scripted_client(&socket.path()).await;
        for _ in 0..random.below(40) {
            if peer.try_send(random.bytes()).await.is_err() {
                break;
            }
            if random.below(4) == 0 {
                state.gate.add_permits(1);
                tokio::task::yield_now().await;
            }
        }
        let is_read = random.below(3) > 0 && peer.try_close_write().await.is_ok();
        state.gate.add_permits(1000);
        let mut replies: HashMap<u64, u32> = HashMap::new();
        while is_read && let Some(frame) = peer.receive().await {
            if frame.kind == frames::REPLY {
                *replies.entry(frame.id).or_default() += 1;
            }
        }
        assert!(replies.values().all(|count| *count == 1), "seed {seed}: {replies:?}");
        drop(peer);
        close_reason(&mut events).await;
        let used = || (resources.memory(), resources.handlers(), server.connections());
        eventually("all resources to be released", used, |used| *used == (0, 0, 0)).await;
        assert_eq!(server.statistics().detached_handlers, 0, "seed {seed}");
        let honest = client_of(&socket);
        assert_responds(&honest.peer()).await;
    }
}
