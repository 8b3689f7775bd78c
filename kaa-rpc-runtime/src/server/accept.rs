//! Accepts connections and starts a task for each.
//!
//! Invariant: the accept loop never ends because of an error.

use std::sync::Arc;

use super::origin::Origin;
use super::shared::Shared;
use super::task;
use super::unauthenticated::{AddressSlot, PerAddress, Slot};
use crate::transport::{AcceptBackoff, Accepted, Listener, Stream};

/// The accept loop. It owns the listener: when the server closes, the loop ends and a socket file is removed.
pub(super) async fn run(listener: Listener, shared: Arc<Shared>) {
    let mut closing = shared.closing.subscribe();
    let mut backoff = AcceptBackoff::new();
    let per_address = PerAddress::default();
    loop {
        // At the limit, further connections wait in the operating system's queue.
        let permit = tokio::select! {
            biased;
            _closing = closing.wait_for(|closing| *closing) => return,
            permit = Arc::clone(&shared.unauthenticated).acquire_owned() => permit,
        };
        let Ok(permit) = permit else { return };
        let accepted = tokio::select! {
            biased;
            _closing = closing.wait_for(|closing| *closing) => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok(accepted) => {
                backoff.reset();
                let max = shared.max_unauthenticated_per_address;
                let address = AddressSlot::take(&per_address, accepted.peer_address(), max);
                spawn(&shared, accepted, Slot::new(permit, address), Origin::default());
                if listener.is_exhausted() {
                    shared.tasks.close();
                    return;
                }
            }
            Err(error) => {
                if let Some(delay) = backoff.delay_after(&error) {
                    tracing::error!(%error, ?delay, "cannot accept connections");
                    let _closing = tokio::time::timeout(delay, closing.wait_for(|closing| *closing)).await;
                }
            }
        }
    }
}

/// Serves a connection that did not come from the listener.
pub(super) fn serve_stream(shared: &Arc<Shared>, stream: Stream, origin: Origin) {
    spawn(shared, stream.into(), Slot::exempt(), origin);
}

fn spawn(shared: &Arc<Shared>, accepted: Accepted, slot: Slot, origin: Origin) {
    shared.tasks.spawn(task::run(Arc::clone(shared), accepted, slot, origin));
}
