//! Accepts connections and lets in who proves the secret.
//!
//! Invariants: the accept loop never ends on an error; who has not proved the secret costs one of a bounded number of
//! places for a bounded time, and reaches no handler.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::aging;
use super::event::{Refused, ServerEvent};
use super::guest::Guest;
use super::keys::Pass;
use super::running::Shared;
use crate::connection::PeerInformation;
use crate::connection::{
    Driver, FrameReader, Handshake, HandshakeFailure, Link, LinkContext, Methods, Opening, Side,
    drive_handshake,
};
use crate::error::{CloseReason, ConnectError};
use crate::peer::Peer;
use crate::protocol::handshake::{HandshakeError, Progress, ServerHandshake, ServerParameters};
use crate::secret::Secret;
use crate::transport::{AcceptBackoff, Accepted, Listener, PeerAddress, Stream};

/// When a client that finds the server busy is told to come again.
const BUSY_TIME: Duration = Duration::from_secs(1);

/// Unauthenticated connections by address.
type PerAddress = Arc<Mutex<HashMap<IpAddr, usize>>>;

/// The accept loop. The listener, and with it a socket's file, goes when the server closes.
pub(super) async fn accept(listener: Listener, shared: Arc<Shared>) {
    let mut closing = shared.closing.subscribe();
    let mut backoff = AcceptBackoff::new();
    let per_address = PerAddress::default();
    loop {
        // At the cap connections wait in the system's queue.
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
                let most = shared.most_unauthenticated_per_address;
                let address = Address::enter(&per_address, accepted.peer_address(), most);
                let place = Place { _permit: Some(permit), address };
                spawn(&shared, accepted, place, Guest::default());
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

/// Takes a connection that was made elsewhere.
pub(super) fn take(shared: &Arc<Shared>, stream: Stream, guest: Guest) {
    spawn(shared, stream.into(), Place { _permit: None, address: Some(Address::Exempt) }, guest);
}

/// What an unauthenticated connection occupies.
struct Place {
    _permit: Option<OwnedSemaphorePermit>,
    /// `None`: its address has too many already.
    address: Option<Address>,
}

enum Address {
    Exempt,
    Counted(PerAddress, IpAddr),
}

impl Address {
    /// Takes a place among those of one address; unix sockets and this machine itself are exempt.
    fn enter(counts: &PerAddress, peer: &PeerAddress, most: usize) -> Option<Self> {
        let ip = match peer {
            PeerAddress::Tcp(address) | PeerAddress::Tls(address) if !address.ip().is_loopback() => {
                address.ip()
            }
            _ => return Some(Self::Exempt),
        };
        let mut map = counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = map.entry(ip).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        drop(map);
        Some(Self::Counted(Arc::clone(counts), ip))
    }
}

impl Drop for Address {
    fn drop(&mut self) {
        if let Self::Counted(counts, ip) = self {
            let mut map = counts.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(count) = map.get_mut(ip) {
                *count -= 1;
                if *count == 0 {
                    map.remove(ip);
                }
            }
        }
    }
}

fn spawn(shared: &Arc<Shared>, accepted: Accepted, place: Place, guest: Guest) {
    shared.tasks.spawn(serve(Arc::clone(shared), accepted, place, guest));
}

/// One connection from its beginning to its end.
async fn serve(shared: Arc<Shared>, accepted: Accepted, place: Place, mut guest: Guest) {
    let address = accepted.peer_address().clone();
    let mut closing = shared.closing.subscribe();
    let admitted = tokio::select! {
        biased;
        _closing = closing.wait_for(|closing| *closing) => return,
        admitted = tokio::time::timeout(
            shared.settings.handshake_timeout,
            admit(&shared, accepted, place.address.is_some(), &mut guest),
        ) => admitted,
    };
    drop(place);
    let refused = match admitted {
        Ok(Ok(admitted)) => return drive(&shared, admitted, guest).await,
        Ok(Err(refused)) => refused,
        Err(_elapsed) => Refused::otherwise(address, "it did not authenticate itself in time"),
    };
    guest.tell(Err(ConnectError::Protocol(refused.reason.clone())));
    shared.refused.fetch_add(1, Ordering::Relaxed);
    crate::connection::connection_refused();
    tracing::warn!(address = %refused.address, key_id = ?refused.key_id, reason = refused.reason, "refused a connection");
    shared.events.tell(ServerEvent::Refused(refused));
}

/// A connection that was let in, with its place among those that there may be.
struct Admitted {
    link: Arc<Link>,
    driver: Option<Driver>,
    /// By which key of the server's, where it was one of them.
    pass: Option<Pass>,
    permit: Option<OwnedSemaphorePermit>,
}

/// A handshake that ends well only if there is a place for the connection: it is taken when the client has proved itself,
/// so that strangers take none.
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
                return Err(self.handshake.refuse_busy(BUSY_TIME));
            }
        }
        Ok(progress)
    }
}

/// The secure channel, where there is to be one, and the handshake on it.
async fn admit(
    shared: &Arc<Shared>,
    accepted: Accepted,
    has_place: bool,
    guest: &mut Guest,
) -> Result<Admitted, Refused> {
    let address = accepted.peer_address().clone();
    let time = shared.hello_time;
    let stream = match tokio::time::timeout(time, accepted.secure()).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(Refused::otherwise(address, error.to_string())),
        Err(_elapsed) => {
            return Err(Refused::otherwise(address, format!("there was no TLS channel after {time:?}")));
        }
    };
    Err(match authenticate(shared, stream, has_place, guest).await {
        Ok(admitted) => return Ok(admitted),
        Err(HandshakeFailure::Protocol(error)) => Refused::by_handshake(address, &error),
        Err(HandshakeFailure::Io(error)) => {
            let error = guest.explain_error(error).await;
            guest.tell(Err(ConnectError::Io(Arc::clone(&error))));
            Refused::otherwise(address, format!("it broke off before it was authenticated: {error}"))
        }
        Err(HandshakeFailure::TooSlow(time)) => {
            Refused::otherwise(address, format!("it said nothing for {time:?}"))
        }
    })
}

async fn authenticate(
    shared: &Arc<Shared>,
    stream: Stream,
    has_place: bool,
    guest: &Guest,
) -> Result<Admitted, HandshakeFailure> {
    let stream = Arc::new(stream);
    let mut reader = FrameReader::new(Arc::clone(&stream), &shared.settings.resources);
    let described = shared.services.descriptors();
    let schema = crate::fingerprint::combined(&described);
    let keys = guest.keys.clone().unwrap_or_else(|| shared.keys.current());
    let is_busy = !has_place || shared.connections.available_permits() == 0;
    let handshake = if is_busy {
        ServerHandshake::busy(BUSY_TIME)
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
    // A program that has just been started has more to do first than to say HELLO.
    let hello_time = guest.keys.is_none().then_some(shared.hello_time);
    let established = drive_handshake(&mut admission, &stream, &mut reader, hello_time).await?;
    let pass = guest.keys.is_none().then(|| Pass::new(&keys, &established.key_id)).flatten();
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
    Ok(Admitted { link, driver, pass, permit: admission.permit })
}

/// A connection in the registry. However its task ends, with its runtime or by a panic, nobody waits for it in vain.
struct Registration<'a> {
    shared: &'a Shared,
    link: Arc<Link>,
    number: u64,
    announced: Option<u64>,
}

impl<'a> Registration<'a> {
    fn new(shared: &'a Shared, link: Arc<Link>, pass: Option<&Pass>) -> Self {
        let number = shared.registry.add(Arc::clone(&link), pass.map(|pass| pass.key_id().clone()));
        Self { shared, link, number, announced: None }
    }

    /// Tells those who watch the server that the peer is there.
    fn announce(&mut self) {
        self.announced = Some(self.shared.registry.announce(Arc::clone(&self.link)));
        self.shared.events.tell(ServerEvent::Connected(Peer::of_link(Arc::clone(&self.link))));
    }
}

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        self.link.close(&CloseReason::ClosedLocally);
        // In one step for who adds both up: it is among the living ones or among these.
        let mut ended = self.shared.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.add(&self.link.statistics());
        self.shared.registry.remove(self.number, self.announced);
    }
}

async fn drive(shared: &Shared, admitted: Admitted, mut guest: Guest) {
    let Admitted { link, driver, pass, permit } = admitted;
    let Some(driver) = driver else { return };
    let mut registered = Registration::new(shared, Arc::clone(&link), pass.as_ref());
    // A key that was taken away meanwhile lets nobody in.
    if pass.is_some_and(|pass| !pass.is_valid(&shared.keys)) {
        link.close(&CloseReason::ClosedLocally);
    }
    // What was registered meanwhile did not find this connection.
    for service in shared.services.descriptors() {
        link.add_known_service(service);
    }
    // A shutdown that began meanwhile did not see this connection.
    if *shared.closing.borrow() {
        link.start_shutdown();
    }
    let peer = link.information();
    let mut running = std::pin::pin!(aging::run(&link, driver, shared.age.filter(|_| !guest.is_child())));
    // Schemas that differ are compared first: nobody is told of a peer that cannot be called.
    let early_end = tokio::select! {
        biased;
        opened = link.ready() => {
            if opened.is_ok() {
                guest.tell(Ok(Peer::of_link(Arc::clone(&link))));
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
    let reason = guest.explain(reason).await;
    guest.tell(Err(match &reason {
        CloseReason::NotConnected(error) => error.clone(),
        other => ConnectError::Protocol(other.to_string()),
    }));
    link.close(&reason);
    drop(registered);
    // Who hears of the end may come again at once.
    drop(permit);
    tracing::debug!(%reason, "a connection is over");
    shared.events.tell(ServerEvent::Disconnected { peer, reason });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_places_whether_or_not_it_comes_over_tls() {
        let counts = PerAddress::default();
        let stranger = |port| (std::net::Ipv4Addr::new(192, 0, 2, 7), port).into();
        let enter = |port: u16| {
            let kind = if port.is_multiple_of(2) { PeerAddress::Tcp } else { PeerAddress::Tls };
            Address::enter(&counts, &kind(stranger(port)), 16)
        };
        let mut places: Vec<_> = (0..16).map(|port| enter(port).unwrap()).collect();
        assert!(enter(16).is_none() && enter(17).is_none());
        places.pop();
        assert!(enter(19).is_some());
        drop(places);
        assert!(counts.lock().unwrap().is_empty(), "nothing is kept of who has gone");
        for _ in 0..20 {
            let here = PeerAddress::Tls((std::net::Ipv6Addr::LOCALHOST, 1).into());
            assert!(matches!(Address::enter(&counts, &here, 16), Some(Address::Exempt)));
        }
    }
}
