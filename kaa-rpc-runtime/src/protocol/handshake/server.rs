//! The server's end of the handshake.
//!
//! Invariants:
//! - A client with a wrong key id, audience, binding or proof gets the same answer at the same point after
//!   the same work (clause 2.10).
//! - After an error the output may contain a REJECT, which must be written before the connection is closed.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::envelope::{Place, next_message};
use super::error::{HandshakeError, RefusalReason};
use super::established::{Established, FEATURES, Progress, VERSIONS, best_common};
use super::identity::{Audience, ChannelBinding, InstanceId};
use super::message::{Accept, BindingKind, Challenge, Hello, MessageType, Proof, Reject, RejectCode};
use super::transcript::Transcript;
use crate::protocol::limits::Limits;
use crate::protocol::secret::{KeyId, Keys, Secret};

/// The parameters of a server's handshake.
#[derive(Debug, Clone)]
pub struct ServerParameters {
    /// 32 random bytes, new for every connection.
    pub nonce: [u8; 32],
    /// A random secret. Proofs with an unknown key id are verified with it, so that they take the same time.
    pub decoy: Secret,
    /// The id of this server object.
    pub instance: InstanceId,
    /// The secrets that are accepted.
    pub keys: Arc<Keys>,
    /// The logical service of this server.
    pub audience: Audience,
    /// The binding of the secure channel, if there is one.
    pub binding: Option<ChannelBinding>,
    /// The limits on what this side receives.
    pub limits: Limits,
    /// The fingerprint of this side's schema.
    pub schema: [u8; 32],
}

/// The server's end of the handshake. It receives HELLO and PROOF, and sends CHALLENGE and ACCEPT, or REJECT.
#[derive(Debug)]
pub struct ServerHandshake {
    state: State,
    output: Bytes,
}

#[derive(Debug)]
enum State {
    AwaitingHello(Box<ServerParameters>),
    Busy { retry_after: Duration },
    AwaitingProof(Box<Challenged>),
    Ended,
}

/// The state after the challenge was sent.
struct Challenged {
    secret: Secret,
    transcript: Transcript,
    key_id: KeyId,
    /// Why the client is refused in any case, even if its proof is correct.
    refusal: Option<RefusalReason>,
    hello: Hello,
    version: u8,
}

impl std::fmt::Debug for Challenged {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Challenged").field("hello", &self.hello).finish_non_exhaustive()
    }
}

impl ServerHandshake {
    /// Waits for a client's HELLO.
    #[must_use]
    pub fn new(parameters: ServerParameters) -> Self {
        Self { state: State::AwaitingHello(Box::new(parameters)), output: Bytes::new() }
    }

    /// Waits for a client's HELLO and rejects it as [`RejectCode::Busy`]. HELLO is read first, because
    /// closing a socket with unread input can discard the answer.
    #[must_use]
    pub fn busy(retry_after: Duration) -> Self {
        Self { state: State::Busy { retry_after }, output: Bytes::new() }
    }

    /// Takes the bytes to write now; empty if there are none.
    pub fn output(&mut self) -> Bytes {
        std::mem::take(&mut self.output)
    }

    /// Handles the complete messages in the input. Bytes after the last message of the handshake stay there.
    ///
    /// # Errors
    /// The handshake has failed. Write the output, if there is any, and close the connection.
    pub fn handle_input(&mut self, input: &mut BytesMut) -> Result<Progress, HandshakeError> {
        loop {
            let (expected, place) = match &self.state {
                State::AwaitingHello(_) | State::Busy { .. } => (MessageType::Hello, Place::First),
                State::AwaitingProof(_) => (MessageType::Proof, Place::Later),
                State::Ended => return Err(HandshakeError::Ended),
            };
            let received = match next_message(input, expected, place) {
                Ok(Some((_, message))) => message,
                Ok(None) => return Ok(Progress::NeedMore),
                Err(error) => return Err(self.fail(error)),
            };
            match std::mem::replace(&mut self.state, State::Ended) {
                State::AwaitingHello(parameters) => match handle_hello(*parameters, &received) {
                    Ok((challenged, challenge)) => {
                        self.output = challenge.into();
                        self.state = State::AwaitingProof(Box::new(challenged));
                    }
                    Err(error) => return Err(self.fail(error)),
                },
                State::Busy { retry_after } => return Err(self.fail(HandshakeError::Busy { retry_after })),
                State::AwaitingProof(challenged) => match handle_proof(*challenged, &received) {
                    Ok((established, accept)) => {
                        self.output = accept.into();
                        return Ok(Progress::Done(established));
                    }
                    Err(error) => return Err(self.fail(error)),
                },
                State::Ended => return Err(HandshakeError::Ended),
            }
        }
    }

    /// Replaces the ACCEPT in the output by a REJECT, if there is no room for another connection. Returns the
    /// error with which the handshake ends.
    pub fn refuse_busy(&mut self, retry_after: Duration) -> HandshakeError {
        self.fail(HandshakeError::Busy { retry_after })
    }

    fn fail(&mut self, error: HandshakeError) -> HandshakeError {
        self.state = State::Ended;
        let (code, retry_after) = match &error {
            // A peer with another protocol would not understand a REJECT.
            HandshakeError::NotKaaRpc { .. } | HandshakeError::Ended => return error,
            HandshakeError::Busy { retry_after } => (RejectCode::Busy, *retry_after),
            HandshakeError::Version { .. } => (RejectCode::Version, Duration::ZERO),
            HandshakeError::SelfConnection => (RejectCode::SelfConnection, Duration::ZERO),
            HandshakeError::Refused { .. } => (RejectCode::AuthFailed, Duration::ZERO),
            _ => (RejectCode::Malformed, Duration::ZERO),
        };
        self.output = Reject { code, retry_after, versions: VERSIONS.to_vec() }.encode().into();
        error
    }
}

fn handle_hello(
    parameters: ServerParameters,
    message: &[u8],
) -> Result<(Challenged, Vec<u8>), HandshakeError> {
    let hello = Hello::decode(message).map_err(HandshakeError::malformed(MessageType::Hello))?;
    let Some(version) = best_common(VERSIONS, &hello.versions) else {
        return Err(HandshakeError::Version { ours: VERSIONS.to_vec(), theirs: hello.versions });
    };
    if hello.instance == parameters.instance {
        return Err(HandshakeError::SelfConnection);
    }
    let binding = BindingKind::of(parameters.binding.as_ref());
    let known = parameters.keys.secret(&hello.key_id);
    let refusal = if known.is_none() {
        Some(RefusalReason::UnknownKeyId)
    } else if hello.audience != parameters.audience {
        Some(RefusalReason::Audience { claimed: hello.audience.clone() })
    } else if hello.binding != binding {
        Some(RefusalReason::Binding { ours: binding, theirs: hello.binding })
    } else {
        None
    };
    let challenge = Challenge {
        version,
        versions: VERSIONS.to_vec(),
        nonce: parameters.nonce,
        instance: parameters.instance,
        binding,
        features: FEATURES,
        limits: parameters.limits,
        schema: parameters.schema,
    }
    .encode();
    let challenged = Challenged {
        secret: known.unwrap_or(&parameters.decoy).clone(),
        transcript: Transcript::new(message, &challenge, parameters.binding.as_ref()),
        key_id: hello.key_id.clone(),
        refusal,
        hello,
        version,
    };
    Ok((challenged, challenge))
}

fn handle_proof(challenged: Challenged, message: &[u8]) -> Result<(Established, Vec<u8>), HandshakeError> {
    let Challenged { secret, transcript, key_id, refusal, hello, version } = challenged;
    let proof = Proof::decode(message).map_err(HandshakeError::malformed(MessageType::Proof))?;
    let proved = transcript.is_client_proof(&secret, &proof.mac);
    match (proved, refusal) {
        (true, None) => {}
        // If the client does not have the secret, the audience that it asked for does not matter.
        (false, None | Some(RefusalReason::Audience { .. })) => {
            return Err(HandshakeError::Refused { key_id, reason: RefusalReason::WrongProof });
        }
        (_, Some(reason)) => return Err(HandshakeError::Refused { key_id, reason }),
    }
    let established = Established {
        version,
        session_id: transcript.session_id(&secret, &proof.mac),
        peer_instance: hello.instance,
        peer_limits: hello.limits,
        peer_schema: hello.schema,
        key_id,
        features: FEATURES & hello.features,
    };
    let accept = Accept { mac: transcript.server_proof(&secret, &proof.mac) }.encode();
    Ok((established, accept))
}
