//! A peer that sends whatever it likes costs its own connection, and leaves nothing of itself behind.

use std::collections::HashMap;

use kaa_rpc_runtime::{Limits, Resources};

use crate::limits::why_closed;
use crate::support::chaos::Chaos;
use crate::support::raw::{self, Raw};
use crate::support::*;

const CASES: u64 = 200;

/// Those that end by themselves, or with the gate.
const METHODS: &[u32] = &[
    ECHO,
    ASK,
    WAIT,
    BIG,
    PANIC,
    FAULT,
    RECORD,
    NOTE,
    SLOW_NOTE,
    DESCEND,
    EXPLODE,
    UNBOUND,
    REMAINING,
    ASK_WAIT,
    PANIC_NOTE,
    PATIENT,
    PATIENT_NOTE,
    METADATA,
    ASK_TRACE,
    NOBODYS,
];

/// Small ones, so that all of them are met.
pub(crate) fn limits() -> Limits {
    Limits { max_frame: 300_000, max_inbound_calls: 6, oneway_window: 6, stream_window: 20_000 }
}

#[tokio::test]
async fn a_client_without_a_plan_leaves_nothing_behind() {
    for seed in 0..CASES {
        let mut chaos = Chaos::new(seed, METHODS, false);
        let resources = Resources::new(4, 250_000);
        let (server, world, place) =
            server_with(|server| server.resources(resources.clone()).limits(limits())).await;
        let mut events = server.events();
        let mut peer = Raw::connect(&place.path()).await;
        for _ in 0..chaos.below(40) {
            if peer.try_send(chaos.bytes()).await.is_err() {
                break;
            }
            if chaos.below(4) == 0 {
                world.gate.add_permits(1);
                tokio::task::yield_now().await;
            }
        }
        let is_read = chaos.below(3) > 0 && peer.try_end().await.is_ok();
        world.gate.add_permits(1000);
        let mut replies: HashMap<u64, u32> = HashMap::new();
        while is_read && let Some(frame) = peer.receive().await {
            if frame.kind == raw::REPLY {
                *replies.entry(frame.id).or_default() += 1;
            }
        }
        assert!(replies.values().all(|count| *count == 1), "seed {seed}: {replies:?}");
        drop(peer);
        why_closed(&mut events).await;
        within(async {
            while resources.memory() > 0 || resources.handlers() > 0 || server.connections() > 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        assert_eq!(server.statistics().detached_handlers, 0, "seed {seed}");
        let honest = client_builder(&World::new()).connect(place.address().as_str()).unwrap();
        lives(&honest.peer()).await;
    }
}
