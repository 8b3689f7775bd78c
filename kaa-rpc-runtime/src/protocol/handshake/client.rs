//! The client's end of the handshake.
//!
//! Invariants:
//! - The client proves the secret first, so a scanner gets no proof from a server that it could attack
//!   offline.
//! - The handshake is complete only after the server's proof has been verified.
//! - The client sends its proof only to a peer with a compatible version and the same channel binding.

use bytes::{Bytes, BytesMut};

use super::envelope::{Place, next_message};
use super::error::HandshakeError;
use super::established::{Established, FEATURES, Progress, VERSIONS, best_common};
use super::identity::{Audience, ChannelBinding, InstanceId};
use super::message::{
    Accept, BindingKind, Challenge, Hello, MessageType, Proof as ProofMessage, Reject, RejectCode,
};
use super::transcript::{Proof, Transcript};
use crate::protocol::limits::Limits;
use crate::protocol::secret::{KeyId, Secret};

/// The parameters of a client's handshake.
#[derive(Debug, Clone)]
pub struct ClientParameters {
    /// 32 random bytes, new for every connection.
    pub nonce: [u8; 32],
    /// The id of this client object.
    pub instance: InstanceId,
    /// The key id under which the server knows the secret.
    pub key_id: KeyId,
    /// The shared secret.
    pub secret: Secret,
    /// The logical service that the client wants.
    pub audience: Audience,
    /// The binding of the secure channel, if there is one.
    pub binding: Option<ChannelBinding>,
    /// The limits on what this side receives.
    pub limits: Limits,
    /// The fingerprint of this side's schema.
    pub schema: [u8; 32],
}

/// The client's end of the handshake. It sends HELLO and PROOF, and receives CHALLENGE and ACCEPT.
#[derive(Debug)]
pub struct ClientHandshake {
    state: State,
    output: Bytes,
}

#[derive(Debug)]
enum State {
    AwaitingChallenge { parameters: Box<ClientParameters>, hello: Vec<u8> },
    AwaitingAccept(Box<Proved>),
    Ended,
}

/// The state after the proof was sent.
struct Proved {
    secret: Secret,
    transcript: Transcript,
    proof: Proof,
    established: Established,
}

impl std::fmt::Debug for Proved {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Proved").field("established", &self.established).finish_non_exhaustive()
    }
}

impl ClientHandshake {
    /// Starts a handshake. HELLO is in the output.
    #[must_use]
    pub fn new(parameters: ClientParameters) -> Self {
        let hello = Hello {
            versions: VERSIONS.to_vec(),
            nonce: parameters.nonce,
            instance: parameters.instance,
            key_id: parameters.key_id.clone(),
            audience: parameters.audience.clone(),
            binding: BindingKind::of(parameters.binding.as_ref()),
            features: FEATURES,
            limits: parameters.limits,
            schema: parameters.schema,
        }
        .encode();
        let output = Bytes::copy_from_slice(&hello);
        Self { state: State::AwaitingChallenge { parameters: Box::new(parameters), hello }, output }
    }

    /// Takes the bytes to write now; empty if there are none.
    pub fn output(&mut self) -> Bytes {
        std::mem::take(&mut self.output)
    }

    /// Handles the complete messages in the input. Bytes after the last message of the handshake stay there.
    ///
    /// # Errors
    /// The handshake has failed. Close the connection.
    pub fn handle_input(&mut self, input: &mut BytesMut) -> Result<Progress, HandshakeError> {
        loop {
            let (expected, place) = match &self.state {
                State::AwaitingChallenge { .. } => (MessageType::Challenge, Place::First),
                State::AwaitingAccept(_) => (MessageType::Accept, Place::Later),
                State::Ended => return Err(HandshakeError::Ended),
            };
            let (message_type, message) = match next_message(input, expected, place) {
                Ok(Some(received)) => received,
                Ok(None) => return Ok(Progress::NeedMore),
                Err(error) => {
                    self.state = State::Ended;
                    return Err(error);
                }
            };
            // After an error the state remains `Ended`.
            let state = std::mem::replace(&mut self.state, State::Ended);
            if message_type == MessageType::Reject {
                return Err(rejection(&message));
            }
            match state {
                State::AwaitingChallenge { parameters, hello } => {
                    let proved = handle_challenge(*parameters, &hello, &message)?;
                    self.output = ProofMessage { mac: proved.proof }.encode().into();
                    self.state = State::AwaitingAccept(Box::new(proved));
                }
                State::AwaitingAccept(proved) => return handle_accept(*proved, &message).map(Progress::Done),
                State::Ended => return Err(HandshakeError::Ended),
            }
        }
    }
}

fn handle_challenge(
    parameters: ClientParameters,
    hello: &[u8],
    message: &[u8],
) -> Result<Proved, HandshakeError> {
    let challenge = Challenge::decode(message).map_err(HandshakeError::malformed(MessageType::Challenge))?;
    if best_common(VERSIONS, &challenge.versions) != Some(challenge.version) {
        return Err(HandshakeError::WrongVersionChosen {
            chosen: challenge.version,
            ours: VERSIONS.to_vec(),
            theirs: challenge.versions,
        });
    }
    if challenge.instance == parameters.instance {
        return Err(HandshakeError::SelfConnection);
    }
    let binding = BindingKind::of(parameters.binding.as_ref());
    if challenge.binding != binding {
        return Err(HandshakeError::BindingRequired { ours: binding, theirs: challenge.binding });
    }
    let transcript = Transcript::new(hello, message, parameters.binding.as_ref());
    let proof = transcript.client_proof(&parameters.secret);
    let established = Established {
        version: challenge.version,
        session_id: transcript.session_id(&parameters.secret, &proof),
        peer_instance: challenge.instance,
        peer_limits: challenge.limits,
        peer_schema: challenge.schema,
        key_id: parameters.key_id,
        features: FEATURES & challenge.features,
    };
    Ok(Proved { secret: parameters.secret, transcript, proof, established })
}

fn handle_accept(proved: Proved, message: &[u8]) -> Result<Established, HandshakeError> {
    let accept = Accept::decode(message).map_err(HandshakeError::malformed(MessageType::Accept))?;
    if !proved.transcript.is_server_proof(&proved.secret, &proved.proof, &accept.mac) {
        return Err(HandshakeError::ServerProofInvalid);
    }
    Ok(proved.established)
}

fn rejection(message: &[u8]) -> HandshakeError {
    match Reject::decode(message) {
        Err(problem) => HandshakeError::malformed(MessageType::Reject)(problem),
        Ok(reject) => match reject.code {
            RejectCode::AuthFailed => HandshakeError::RejectedByPeer,
            RejectCode::Version => {
                HandshakeError::Version { ours: VERSIONS.to_vec(), theirs: reject.versions }
            }
            RejectCode::Busy => HandshakeError::Busy { retry_after: reject.retry_after },
            RejectCode::SelfConnection => HandshakeError::SelfConnection,
            code => HandshakeError::Rejected { code },
        },
    }
}
