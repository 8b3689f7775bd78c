//! The task that owns a client's connections, one after the other.
//!
//! Invariants:
//! - The task ends with its client. When it ends, every queued call ends with the reason.
//! - After a loss it tries again only if another attempt can succeed.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::events::ClientEvent;
use super::target::{Opened, Secrets, Target};
use crate::backoff::Backoff;
use crate::connection::PeerInformation;
use crate::connection::{
    Driver, FrameReader, HandshakeFailure, Link, Methods, Opening, ServiceSet, drive_handshake,
};
use crate::error::{AuthenticationError, CloseReason, ConnectError};
use crate::events::EventSender;
use crate::process::ChildGuard;
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
    /// The child process of the current connection or attempt, if the server is one.
    pub(super) child: ChildGuard,
}

/// The task may also end with its runtime or by a panic. In these cases waiting calls end too.
impl Drop for Task {
    fn drop(&mut self) {
        self.link.close(&CloseReason::ClosedLocally);
    }
}

impl Task {
    pub(super) async fn run(mut self) {
        let (mut failures, mut attempt) = (0, 1);
        loop {
            self.events.send(ClientEvent::Connecting { attempt });
            let link = Arc::clone(&self.link);
            let ended = tokio::select! {
                biased;
                over = link.closed() => Ended { reason: over, lasted: None },
                ended = self.connect_and_explain() => ended,
            };
            let again =
                self.can_succeed_later(&ended.reason) && !link.is_shutting_down() && !link.is_closed();
            let delay = match &self.backoff {
                Some(backoff) if again => {
                    if ended.lasted.is_some_and(|time| backoff.resets_after(time)) {
                        failures = 0;
                    }
                    // A refusal is not authenticated, so it must not delay the next attempt beyond the
                    // maximum.
                    let requested = retry_after(&ended.reason).min(backoff.max_delay());
                    Some(backoff.delay(failures).max(requested))
                }
                _ => None,
            };
            failures += 1;
            attempt = if ended.lasted.is_some() { 1 } else { attempt.saturating_add(1) };
            self.report_end(&ended, delay);
            let Some(delay) = delay else { return link.close(&ended.reason) };
            link.lost(&ended.reason);
            tracing::debug!(reason = %ended.reason, ?delay, "reconnecting after a delay");
            tokio::select! {
                biased;
                _over = link.closed() => return,
                () = tokio::time::sleep(delay) => {}
            }
        }
    }

    fn report_end(&self, ended: &Ended, retry_in: Option<Duration>) {
        let reason = ended.reason.clone();
        self.events.send(match reason {
            CloseReason::NotConnected(error) if ended.lasted.is_none() => {
                ClientEvent::Refused { error, retry_in }
            }
            // The connection was lost while the schemas were compared, before `Connected` was sent.
            CloseReason::ConnectionLost(error) if ended.lasted.is_none() => {
                let error = error.unwrap_or_else(|| Arc::new(std::io::ErrorKind::UnexpectedEof.into()));
                ClientEvent::Refused { error: ConnectError::Io(error), retry_in }
            }
            reason => ClientEvent::Disconnected { reason, retry_in },
        });
    }

    fn can_succeed_later(&self, reason: &CloseReason) -> bool {
        match reason {
            CloseReason::ClosedLocally | CloseReason::Protocol(_) => false,
            CloseReason::ClosedByPeer { .. } | CloseReason::ConnectionLost(_) | CloseReason::PeerStalled => {
                true
            }
            // A REJECT is not authenticated: after an earlier success it may come from another program.
            CloseReason::NotConnected(ConnectError::Authentication(AuthenticationError::RejectedByPeer)) => {
                self.has_been_connected
            }
            CloseReason::NotConnected(error) => error.is_transient(),
        }
    }

    /// Runs one connection. If a child process was at its other end, the reason includes the exit status.
    async fn connect_and_explain(&mut self) -> Ended {
        let Ended { reason, lasted } = self.connect_and_drive().await;
        let child = std::mem::take(&mut self.child);
        Ended { reason: child.explain(reason).await, lasted }
    }

    /// Runs one connection from the attempt to its end.
    async fn connect_and_drive(&mut self) -> Ended {
        let driver = match tokio::time::timeout(self.timeout, self.establish()).await {
            Ok(Ok(driver)) => driver,
            Ok(Err(error)) => return Ended::before_connection(CloseReason::NotConnected(error)),
            Err(_elapsed) => {
                let error = ConnectError::Timeout(self.timeout);
                return Ended::before_connection(CloseReason::NotConnected(error));
            }
        };
        let Some(driver) = driver else { return Ended::before_connection(CloseReason::ClosedLocally) };
        self.has_been_connected = true;
        let mut since = None;
        let mut running = std::pin::pin!(driver.run());
        // Schemas that differ are compared first. Until they are, no call can be sent.
        let early_end = tokio::select! {
            biased;
            opened = self.link.ready() => {
                if let (Ok(()), Some(information)) = (opened, self.link.information()) {
                    since = Some(Instant::now());
                    self.events.send(ClientEvent::Connected(information));
                }
                None
            }
            reason = &mut running => Some(reason),
        };
        let reason = match early_end {
            Some(reason) => reason,
            None => running.await,
        };
        Ended { reason, lasted: since.map(|since| since.elapsed()) }
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

/// How an attempt to connect, or the connection it established, has ended.
struct Ended {
    reason: CloseReason,
    /// How long the connection lasted; `None` if the attempt failed.
    lasted: Option<Duration>,
}

impl Ended {
    fn before_connection(reason: CloseReason) -> Self {
        Self { reason, lasted: None }
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
