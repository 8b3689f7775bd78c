//! The task that owns a client's connections, one after the other.
//!
//! Invariants: it ends with its client, and tells every queued call what ended the connection for good; after a loss it goes
//! on only where another try can help.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::event::ClientEvent;
use super::target::{Opened, Secrets, Target};
use crate::backoff::Backoff;
use crate::connection::PeerInformation;
use crate::connection::{
    Driver, FrameReader, HandshakeFailure, Link, Methods, Opening, ServiceSet, drive_handshake,
};
use crate::error::{AuthenticationError, CloseReason, ConnectError};
use crate::events::EventSender;
use crate::process::Kept;
use crate::protocol::handshake::{Audience, ClientHandshake, ClientParameters, HandshakeError, InstanceId};
use crate::protocol::limits::Limits;

/// The task that owns a client's connections, one after the other.
pub(super) struct Task {
    pub(super) link: Arc<Link>,
    pub(super) services: Arc<ServiceSet>,
    pub(super) events: Arc<EventSender<ClientEvent>>,
    pub(super) target: Target,
    pub(super) backoff: Option<Backoff>,
    pub(super) secrets: Secrets,
    pub(super) audience: Audience,
    pub(super) instance: InstanceId,
    pub(super) limits: Limits,
    pub(super) timeout: Duration,
    pub(super) has_been_connected: bool,
    /// The child process that is the server, for as long as there is a connection to it, or may be.
    pub(super) child: Option<Kept>,
}

/// However the task ends, with its runtime or by a panic, nobody waits for it in vain.
impl Drop for Task {
    fn drop(&mut self) {
        self.link.close(&CloseReason::ClosedLocally);
    }
}

impl Task {
    pub(super) async fn run(mut self) {
        let (mut failures, mut attempt) = (0, 1);
        loop {
            self.events.tell(ClientEvent::Connecting { attempt });
            let link = Arc::clone(&self.link);
            let ended = tokio::select! {
                biased;
                over = link.closed() => Ended { reason: over, healthy_for: None },
                ended = self.connect_and_explain() => ended,
            };
            let again =
                self.is_worth_another_try(&ended.reason) && !link.is_shutting_down() && !link.is_closed();
            let delay = match &self.backoff {
                Some(backoff) if again => {
                    if ended.healthy_for.is_some_and(|time| backoff.is_healthy(time)) {
                        failures = 0;
                    }
                    // Nobody vouches for a refusal: it can make the wait as long as any, and no longer.
                    let asked = retry_after(&ended.reason).min(backoff.max_delay());
                    Some(backoff.delay(failures).max(asked))
                }
                _ => None,
            };
            failures += 1;
            attempt = if ended.healthy_for.is_some() { 1 } else { attempt.saturating_add(1) };
            self.tell_end(&ended, delay);
            let Some(delay) = delay else { return link.close(&ended.reason) };
            link.lost(&ended.reason);
            tracing::debug!(reason = %ended.reason, ?delay, "will connect again");
            tokio::select! {
                biased;
                _over = link.closed() => return,
                () = tokio::time::sleep(delay) => {}
            }
        }
    }

    fn tell_end(&self, ended: &Ended, retry_in: Option<Duration>) {
        let reason = ended.reason.clone();
        self.events.tell(match reason {
            CloseReason::NotConnected(error) if ended.healthy_for.is_none() => {
                ClientEvent::Refused { error, retry_in }
            }
            // It was lost while schemas were being compared: nobody was told of a connection.
            CloseReason::ConnectionLost(error) if ended.healthy_for.is_none() => {
                let error = error.unwrap_or_else(|| Arc::new(std::io::ErrorKind::UnexpectedEof.into()));
                ClientEvent::Refused { error: ConnectError::Io(error), retry_in }
            }
            reason => ClientEvent::Disconnected { reason, retry_in },
        });
    }

    fn is_worth_another_try(&self, reason: &CloseReason) -> bool {
        match reason {
            CloseReason::ClosedLocally | CloseReason::Protocol(_) => false,
            CloseReason::ClosedByPeer { .. } | CloseReason::ConnectionLost(_) | CloseReason::PeerStalled => {
                true
            }
            // A REJECT is not authenticated: after a success it may be anybody's.
            CloseReason::NotConnected(ConnectError::Authentication(AuthenticationError::RejectedByPeer)) => {
                self.has_been_connected
            }
            CloseReason::NotConnected(error) => error.is_transient(),
        }
    }

    /// One connection, with how a child process at its other end ended.
    async fn connect_and_explain(&mut self) -> Ended {
        let Ended { reason, healthy_for } = self.connect_and_drive().await;
        match self.child.take() {
            Some(child) => Ended { reason: child.explain(reason).await, healthy_for },
            None => Ended { reason, healthy_for },
        }
    }

    /// One connection from its beginning to its end.
    async fn connect_and_drive(&mut self) -> Ended {
        let driver = match tokio::time::timeout(self.timeout, self.establish()).await {
            Ok(Ok(driver)) => driver,
            Ok(Err(error)) => return Ended::never_began(CloseReason::NotConnected(error)),
            Err(_elapsed) => {
                let error = ConnectError::Timeout(self.timeout);
                return Ended::never_began(CloseReason::NotConnected(error));
            }
        };
        let Some(driver) = driver else { return Ended::never_began(CloseReason::ClosedLocally) };
        self.has_been_connected = true;
        let mut since = None;
        let mut running = std::pin::pin!(driver.run());
        // Schemas that differ are compared first: until then there is nobody to call.
        let early_end = tokio::select! {
            biased;
            opened = self.link.ready() => {
                if let (Ok(()), Some(information)) = (opened, self.link.information()) {
                    since = Some(Instant::now());
                    self.events.tell(ClientEvent::Connected(information));
                }
                None
            }
            reason = &mut running => Some(reason),
        };
        let reason = match early_end {
            Some(reason) => reason,
            None => running.await,
        };
        Ended { reason, healthy_for: since.map(|since| since.elapsed()) }
    }

    async fn establish(&mut self) -> Result<Option<Driver>, ConnectError> {
        let Opened { stream, key_id, secret, child } = self.target.open(&mut self.secrets).await?;
        self.child = child;
        let stream = Arc::new(stream);
        let described = self.link.known_services(self.services.descriptors());
        let schema = crate::fingerprint::combined(&described);
        let mut handshake = ClientHandshake::new(ClientParameters {
            nonce: crate::random::bytes().map_err(|error| ConnectError::Io(Arc::new(error)))?,
            instance: self.instance,
            key_id,
            secret,
            audience: self.audience.clone(),
            binding: stream.channel_binding(),
            limits: self.limits,
            schema,
        });
        let mut reader = FrameReader::new(Arc::clone(&stream), &self.link.settings.resources);
        let established =
            drive_handshake(&mut handshake, &stream, &mut reader, None).await.map_err(connect_error)?;
        let information = Arc::new(PeerInformation::new(&stream, &established, schema));
        let methods = Methods::new(Arc::clone(&self.services), Arc::clone(&self.link));
        let peer_limits = established.peer_limits;
        let opening = Opening { stream, information, peer_limits, described: &described };
        Ok(Driver::open(Arc::clone(&self.link), reader, methods, opening))
    }
}

/// How a try to connect ended, or the connection it brought.
struct Ended {
    reason: CloseReason,
    /// How long there was a connection; `None` if there was none.
    healthy_for: Option<Duration>,
}

impl Ended {
    fn never_began(reason: CloseReason) -> Self {
        Self { reason, healthy_for: None }
    }
}

fn retry_after(reason: &CloseReason) -> Duration {
    match reason {
        CloseReason::NotConnected(ConnectError::Busy { retry_after: Some(time) }) => *time,
        _ => Duration::ZERO,
    }
}

fn connect_error(failure: HandshakeFailure) -> ConnectError {
    match failure {
        HandshakeFailure::Io(error) => ConnectError::Io(Arc::new(error)),
        HandshakeFailure::TooSlow(time) => ConnectError::Timeout(time),
        HandshakeFailure::Protocol(error) => match error {
            HandshakeError::RejectedByPeer => {
                ConnectError::Authentication(AuthenticationError::RejectedByPeer)
            }
            HandshakeError::ServerProofInvalid => {
                ConnectError::Authentication(AuthenticationError::ServerProofInvalid)
            }
            HandshakeError::BindingRequired { .. } => {
                ConnectError::Authentication(AuthenticationError::BindingRequired)
            }
            HandshakeError::Version { ours, theirs } => ConnectError::Version { ours, theirs },
            HandshakeError::Busy { retry_after } => {
                ConnectError::Busy { retry_after: (!retry_after.is_zero()).then_some(retry_after) }
            }
            HandshakeError::SelfConnection => ConnectError::SelfConnection,
            other => ConnectError::Protocol(other.to_string()),
        },
    }
}
