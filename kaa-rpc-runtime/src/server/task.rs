//! The task of one connection: it authenticates the client, then drives the connection to its end.
//!
//! Invariants:
//! - A client that has not proved the secret holds one of a limited number of slots for a limited time, and
//!   reaches no handler.
//! - When a key has been removed, no handshake with it can complete, even if it began before.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::age;
use super::events::{Refused, ServerEvent};
use super::keys::AuthenticatedKey;
use super::origin::Origin;
use super::shared::Shared;
use super::unauthenticated::Slot;
use crate::connection::PeerInformation;
use crate::connection::{
    Driver, FrameReader, Handshake, HandshakeFailure, Link, LinkContext, Methods, Opening, Side,
    drive_handshake,
};
use crate::error::{CloseReason, ConnectError};
use crate::peer::Peer;
use crate::protocol::handshake::{HandshakeError, Progress, ServerHandshake, ServerParameters};
use crate::secret::Secret;
use crate::transport::{Accepted, Stream};

/// When a client that finds the server busy should try again.
const BUSY_RETRY_AFTER: Duration = Duration::from_secs(1);

/// One connection from start to end.
pub(super) async fn run(shared: Arc<Shared>, accepted: Accepted, slot: Slot, mut origin: Origin) {
    let address = accepted.peer_address().clone();
    let mut closing = shared.closing.subscribe();
    let admitted = tokio::select! {
        biased;
        _closing = closing.wait_for(|closing| *closing) => return,
        admitted = tokio::time::timeout(
            shared.settings.handshake_timeout,
            admit(&shared, accepted, slot.is_within_address_limit(), &mut origin),
        ) => admitted,
    };
    drop(slot);
    let refused = match admitted {
        Ok(Ok(admitted)) => return drive(&shared, admitted, origin).await,
        Ok(Err(refused)) => refused,
        Err(_elapsed) => Refused::without_proof(address, "the client did not authenticate itself in time"),
    };
    origin.report(Err(ConnectError::Protocol(refused.reason.clone())));
    shared.refused.fetch_add(1, Ordering::Relaxed);
    crate::connection::connection_refused();
    let Refused { address, key_id, reason, .. } = &refused;
    tracing::warn!(%address, ?key_id, reason, "refused a connection");
    shared.events.send(ServerEvent::Refused(refused));
}

/// An authenticated connection, with its permit of the server's limit.
struct Admitted {
    link: Arc<Link>,
    driver: Option<Driver>,
    /// The server's key that the client used; `None` for a child process, which has a key of its own.
    key: Option<AuthenticatedKey>,
    permit: Option<OwnedSemaphorePermit>,
}

/// A handshake that succeeds only within the limit on connections. It takes the permit after the client has
/// proved the secret, so that unauthenticated clients take none.
struct Admission {
    handshake: ServerHandshake,
    connections: Arc<Semaphore>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Handshake for Admission {
    fn output(&mut self) -> Bytes {
        self.handshake.output()
    }

    fn handle_input(&mut self, input: &mut BytesMut) -> Result<Progress, HandshakeError> {
        let progress = self.handshake.handle_input(input)?;
        if let Progress::Done(_) = progress {
            self.permit = Arc::clone(&self.connections).try_acquire_owned().ok();
            if self.permit.is_none() {
                return Err(self.handshake.refuse_busy(BUSY_RETRY_AFTER));
            }
        }
        Ok(progress)
    }
}

/// Establishes the secure channel, if the address has one, and runs the handshake on it.
async fn admit(
    shared: &Arc<Shared>,
    accepted: Accepted,
    is_within_address_limit: bool,
    origin: &mut Origin,
) -> Result<Admitted, Refused> {
    let address = accepted.peer_address().clone();
    let timeout = shared.hello_timeout;
    let stream = match tokio::time::timeout(timeout, accepted.secure()).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(Refused::without_proof(address, error.to_string())),
        Err(_elapsed) => {
            let reason = format!("the TLS handshake did not complete within {timeout:?}");
            return Err(Refused::without_proof(address, reason));
        }
    };
    Err(match authenticate(shared, stream, is_within_address_limit, origin).await {
        Ok(admitted) => return Ok(admitted),
        Err(HandshakeFailure::Protocol(error)) => Refused::by_handshake(address, &error),
        Err(HandshakeFailure::Io(error)) => {
            let error = origin.explain_error(error).await;
            origin.report(Err(ConnectError::Io(Arc::clone(&error))));
            let reason = format!("the connection was lost before the client authenticated itself: {error}");
            Refused::without_proof(address, reason)
        }
        Err(HandshakeFailure::TooSlow(time)) => {
            Refused::without_proof(address, format!("the client sent nothing for {time:?}"))
        }
    })
}

async fn authenticate(
    shared: &Arc<Shared>,
    stream: Stream,
    is_within_address_limit: bool,
    origin: &Origin,
) -> Result<Admitted, HandshakeFailure> {
    let stream = Arc::new(stream);
    let mut reader = FrameReader::new(Arc::clone(&stream), &shared.settings.resources);
    let described = shared.services.descriptors();
    let schema = crate::fingerprint::combined(&described);
    let keys = origin.keys.clone().unwrap_or_else(|| shared.keys.current());
    let is_busy = !is_within_address_limit || shared.connections.available_permits() == 0;
    let handshake = if is_busy {
        ServerHandshake::busy(BUSY_RETRY_AFTER)
    } else {
        ServerHandshake::new(ServerParameters {
            nonce: crate::random::bytes()?,
            decoy: Secret::generate().map_err(std::io::Error::other)?,
            instance: shared.instance,
            keys: Arc::clone(&keys),
            audience: shared.audience.clone(),
            binding: stream.channel_binding(),
            limits: shared.settings.limits,
            schema,
        })
    };
    let mut admission = Admission { handshake, connections: Arc::clone(&shared.connections), permit: None };
    // A program that was just started needs time before it can send HELLO.
    let hello_timeout = (!origin.is_child()).then_some(shared.hello_timeout);
    let established = drive_handshake(&mut admission, &stream, &mut reader, hello_timeout).await?;
    let key = if origin.is_child() { None } else { AuthenticatedKey::new(&keys, &established.key_id) };
    let context = LinkContext {
        detached: shared.detached.clone(),
        ..LinkContext::new(Side::Accepting, Handle::current(), Arc::clone(&shared.observer))
    };
    let link = Link::new(shared.settings.clone(), context);
    let information = Arc::new(PeerInformation::new(&stream, &established, schema));
    let methods = Methods::new(Arc::clone(&shared.services), Arc::clone(&link));
    let peer_limits = established.peer_limits;
    let opening = Opening { stream, information, peer_limits, described: &described };
    let driver = Driver::open(Arc::clone(&link), reader, methods, opening);
    Ok(Admitted { link, driver, key, permit: admission.permit })
}

/// An entry in the registry. Dropping it closes the connection and removes the entry, also if the task is
/// aborted or panics.
struct Registration<'a> {
    shared: &'a Shared,
    link: Arc<Link>,
    number: u64,
    announced: Option<u64>,
}

impl<'a> Registration<'a> {
    fn new(shared: &'a Shared, link: Arc<Link>, key: Option<&AuthenticatedKey>) -> Self {
        let number = shared.registry.add(Arc::clone(&link), key.map(|key| key.key_id().clone()));
        Self { shared, link, number, announced: None }
    }

    /// Reports the peer to readers of the server's peers and events.
    fn announce(&mut self) {
        self.announced = Some(self.shared.registry.announce(Arc::clone(&self.link)));
        self.shared.events.send(ServerEvent::Connected(Peer::of_link(Arc::clone(&self.link))));
    }
}

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        self.link.close(&CloseReason::ClosedLocally);
        // Both happen under one lock, so that the server's statistics count the connection exactly once.
        let mut ended = self.shared.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.add(&self.link.statistics());
        self.shared.registry.remove(self.number, self.announced);
    }
}

async fn drive(shared: &Shared, admitted: Admitted, mut origin: Origin) {
    let Admitted { link, driver, key, permit } = admitted;
    let Some(driver) = driver else { return };
    let mut registered = Registration::new(shared, Arc::clone(&link), key.as_ref());
    // The key may have been removed during the handshake.
    if key.is_some_and(|key| !key.is_valid(&shared.keys)) {
        link.close(&CloseReason::ClosedLocally);
    }
    // Services that were registered during the handshake have not reached this connection.
    for service in shared.services.descriptors() {
        link.add_known_service(service);
    }
    // Nor has a shutdown that began during the handshake.
    if *shared.closing.borrow() {
        link.start_shutdown();
    }
    let peer = link.information();
    let mut running = std::pin::pin!(age::run(&link, driver, shared.age.filter(|_| !origin.is_child())));
    // Schemas that differ are compared first. A peer is announced only when it can be called.
    let early_end = tokio::select! {
        biased;
        opened = link.ready() => {
            if opened.is_ok() {
                origin.report(Ok(Peer::of_link(Arc::clone(&link))));
                registered.announce();
            }
            None
        }
        reason = &mut running => Some(reason),
    };
    let reason = match early_end {
        Some(reason) => reason,
        None => running.await,
    };
    let reason = origin.explain(reason).await;
    origin.report(Err(match &reason {
        CloseReason::NotConnected(error) => error.clone(),
        other => ConnectError::Protocol(other.to_string()),
    }));
    link.close(&reason);
    drop(registered);
    // Released before the event: a client that receives it may reconnect at once.
    drop(permit);
    tracing::debug!(%reason, "a connection has ended");
    shared.events.send(ServerEvent::Disconnected { peer, reason });
}
