//! The server's end of the handshake.
//!
//! Invariants: whatever is wrong with a client's key id, audience or proof, it is told the same at the same point, after
//! the same work (clause 2.10); after an error the output may hold a REJECT, to be written before closing.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::client::{binding_bytes, binding_kind, malformed};
use super::envelope::{Place, next_message};
use super::error::{HandshakeError, Refusal};
use super::identity::{Audience, ChannelBinding, InstanceId};
use super::message::{Accept, Challenge, Hello, MessageType, Proof, Reject, RejectCode};
use super::transcript::Transcript;
use super::{Established, FEATURES, Progress, VERSIONS, best_common};
use crate::protocol::limits::Limits;
use crate::secret::{KeyId, Keys, Secret};

/// What a server brings to the handshake.
#[derive(Debug, Clone)]
pub struct ServerParameters {
    /// 32 random bytes, new for every connection.
    pub nonce: [u8; 32],
    /// A random secret, against which proofs under unknown key ids are checked.
    pub decoy: Secret,
    /// This server object.
    pub instance: InstanceId,
    /// The secrets that are accepted.
    pub keys: Arc<Keys>,
    /// The service that this is.
    pub audience: Audience,
    /// What the secure channel beneath exports, if there is one.
    pub binding: Option<ChannelBinding>,
    /// What this side is ready to receive.
    pub limits: Limits,
    /// The fingerprint of this side's schema.
    pub schema: [u8; 32],
}

/// The server's end: reads HELLO and PROOF, writes CHALLENGE and ACCEPT, or REJECT.
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

/// All that is left to do once the challenge is out.
struct Challenged {
    secret: Secret,
    transcript: Transcript,
    key_id: KeyId,
    /// What is wrong with the client already, whatever it proves.
    refusal: Option<Refusal>,
    hello: Hello,
    version: u8,
}

impl std::fmt::Debug for Challenged {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Challenged").field("hello", &self.hello).finish_non_exhaustive()
    }
}

impl ServerHandshake {
    /// Awaits a client's HELLO.
    #[must_use]
    pub fn new(parameters: ServerParameters) -> Self {
        Self { state: State::AwaitingHello(Box::new(parameters)), output: Bytes::new() }
    }

    /// Awaits a client's HELLO only to tell it that there are too many connections. (It is read first: closing a
    /// socket with unread input could take the answer with it.)
    #[must_use]
    pub fn busy(retry_after: Duration) -> Self {
        Self { state: State::Busy { retry_after }, output: Bytes::new() }
    }

    /// The bytes to write now, each given once; empty if there are none.
    pub fn output(&mut self) -> Bytes {
        std::mem::take(&mut self.output)
    }

    /// Takes the peer's messages out of the input, as far as they are whole. Bytes behind the last message of the
    /// handshake stay in the input.
    ///
    /// # Errors
    /// The handshake has failed for good: write the output, if there is any, and close the connection.
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

    /// Takes the ACCEPT back that is in the output: there is no room for the client after all. The error to end with.
    pub fn refuse_busy(&mut self, retry_after: Duration) -> HandshakeError {
        self.fail(HandshakeError::Busy { retry_after })
    }

    fn fail(&mut self, error: HandshakeError) -> HandshakeError {
        self.state = State::Ended;
        let (code, retry_after) = match &error {
            // Whoever does not speak this protocol would not understand the answer either.
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
    let hello = Hello::decode(message).map_err(|problem| malformed(MessageType::Hello, problem))?;
    let Some(version) = best_common(VERSIONS, &hello.versions) else {
        return Err(HandshakeError::Version { ours: VERSIONS.to_vec(), theirs: hello.versions });
    };
    if hello.instance == parameters.instance {
        return Err(HandshakeError::SelfConnection);
    }
    let binding = binding_kind(parameters.binding.as_ref());
    let known = parameters.keys.secret(&hello.key_id);
    let refusal = if known.is_none() {
        Some(Refusal::UnknownKeyId)
    } else if hello.audience != parameters.audience {
        Some(Refusal::Audience { claimed: hello.audience.clone() })
    } else if hello.binding != binding {
        Some(Refusal::Binding { ours: binding, theirs: hello.binding })
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
        transcript: Transcript::new(message, &challenge, binding_bytes(parameters.binding.as_ref())),
        key_id: hello.key_id.clone(),
        refusal,
        hello,
        version,
    };
    Ok((challenged, challenge))
}

fn handle_proof(challenged: Challenged, message: &[u8]) -> Result<(Established, Vec<u8>), HandshakeError> {
    let Challenged { secret, transcript, key_id, refusal, hello, version } = challenged;
    let proof = Proof::decode(message).map_err(|problem| malformed(MessageType::Proof, problem))?;
    let proved = transcript.is_client_proof(&secret, &proof.mac);
    match (proved, refusal) {
        (true, None) => {}
        // What a stranger without the secret asks for does not matter.
        (false, None | Some(Refusal::Audience { .. })) => {
            return Err(HandshakeError::Refused { key_id, reason: Refusal::WrongProof });
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
