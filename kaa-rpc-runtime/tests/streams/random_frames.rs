//! A peer that sends whatever it likes about streams costs its own connection, and leaves nothing of itself behind.

use std::collections::HashMap;

use futures_util::stream;
use kaa_rpc_runtime::{Limits, Resources, ServerEvent};
use tokio::net::UnixListener;

use crate::support::chaos::Chaos;
use crate::support::raw::{self, Raw};
use crate::support::*;

const CASES: u64 = 100;

/// Those that end by themselves, or with the gate.
const METHODS: &[u32] = &[
    ECHO,
    COUNT,
    SUM,
    DOUBLE,
    FIRST,
    PANIC_AFTER,
    FAIL_AFTER,
    FAULT_AFTER,
    HOLD,
    ASK_BACK,
    STOP,
    REFUSE,
    COUNT_TEXTS,
    GIBBERISH,
    DETACHED_SUM,
    NOBODYS,
];

/// Small ones, so that all of them are met.
fn limits() -> Limits {
    Limits { max_frame: 300_000, max_inbound_calls: 6, oneway_window: 6, stream_window: 20_000 }
}

async fn until_free(resources: &Resources) {
    within(async {
        while resources.memory() > 0 || resources.handlers() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_client_without_a_plan_leaves_nothing_behind() {
    for seed in 0..CASES {
        let mut chaos = Chaos::new(seed, METHODS, false);
        let resources = Resources::new(4, 150_000);
        let pair =
            Pair::with(|server| server.resources(resources.clone()).limits(limits()), |client| client).await;
        let mut events = pair.server.events();
        let mut peer = Raw::connect(&pair.path()).await;
        for _ in 0..chaos.below(40) {
            if peer.try_send(chaos.bytes()).await.is_err() {
                break;
            }
            if chaos.below(4) == 0 {
                pair.at_server.gate.add_permits(1);
                tokio::task::yield_now().await;
            }
        }
        let is_read = chaos.below(3) > 0 && peer.try_end().await.is_ok();
        pair.at_server.gate.add_permits(1000);
        let mut replies: HashMap<u64, u32> = HashMap::new();
        while is_read && let Some(frame) = peer.receive().await {
            if frame.kind == raw::REPLY {
                *replies.entry(frame.id).or_default() += 1;
            }
        }
        assert!(replies.values().all(|count| *count == 1), "seed {seed}: {replies:?}");
        drop(peer);
        while !matches!(within(events.next()).await.unwrap(), ServerEvent::Disconnected { .. }) {}
        until_free(&resources).await;
        pair.lives().await;
    }
}

#[tokio::test]
async fn a_server_without_a_plan_leaves_nothing_behind() {
    for seed in 0..CASES {
        let mut chaos = Chaos::new(seed, METHODS, true);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        let (world, resources) = (World::new(), Resources::new(4, 150_000));
        let client = client_builder(&world)
            .resources(resources.clone())
            .limits(limits())
            .connect(format!("unix:{}", path.display()).as_str())
            .unwrap();
        let mut peer = Raw::accept(&listener).await;
        within(client.ready()).await.unwrap();
        let server = client.peer();
        let calls = [
            tokio::spawn({
                let call = ask::<ECHO>(&server, 5);
                async move { drop(call.await) }
            }),
            tokio::spawn({
                let call = listen::<COUNT>(&server, 5);
                async move { drop(drain(call).await) }
            }),
            tokio::spawn({
                let call = send::<SUM>(&server, stream::iter(0..20_000));
                async move { drop(call.await) }
            }),
            tokio::spawn({
                let call = exchange::<DOUBLE>(&server, stream::iter(0..20_000));
                async move { drop(drain(call).await) }
            }),
        ];
        tokio::task::yield_now().await;
        for _ in 0..chaos.below(40) {
            if peer.try_send(chaos.bytes()).await.is_err() {
                break;
            }
            if chaos.below(4) == 0 {
                world.gate.add_permits(1);
                tokio::task::yield_now().await;
            }
        }
        drop(peer);
        world.gate.add_permits(1000);
        for call in calls {
            within(call).await.unwrap();
        }
        within(client.closed()).await;
        until_free(&resources).await;
    }
}
