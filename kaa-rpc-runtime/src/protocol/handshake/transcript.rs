//! The hash over the handshake's messages, and the proofs that are computed from it (`docs/wire.md`, clause
//! 2.6).
//!
//! Invariants: each proof includes the label of its role, so that neither can be used as the other. Proofs
//! are compared in constant time.

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use super::identity::{ChannelBinding, SessionId};
use crate::protocol::secret::Secret;

const TRANSCRIPT: &[u8] = b"kaa-rpc/1 transcript";
const CLIENT_PROOF: &[u8] = b"kaa-rpc/1 client proof\0";
const SERVER_PROOF: &[u8] = b"kaa-rpc/1 server proof\0";
const SESSION: &[u8] = b"kaa-rpc/1 session\0";

/// A proof of the secret, as it is sent.
pub(super) type Proof = [u8; 32];

/// SHA-256 over HELLO, CHALLENGE and the binding data.
pub(super) struct Transcript {
    hash: [u8; 32],
}

impl Transcript {
    /// The messages are complete, with length and type.
    pub(super) fn new(hello: &[u8], challenge: &[u8], binding: Option<&ChannelBinding>) -> Self {
        let binding = binding.map_or(&[][..], |binding| binding.as_bytes().as_slice());
        let mut hash = Sha256::new();
        for part in [TRANSCRIPT, hello, challenge, binding] {
            // Every part is far shorter than the limit of its length field.
            hash.update(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            hash.update(part);
        }
        Self { hash: hash.finalize().into() }
    }

    pub(super) fn client_proof(&self, secret: &Secret) -> Proof {
        self.client_mac(secret).finalize().into_bytes().into()
    }

    pub(super) fn is_client_proof(&self, secret: &Secret, proof: &Proof) -> bool {
        self.client_mac(secret).verify_slice(proof).is_ok()
    }

    pub(super) fn server_proof(&self, secret: &Secret, client_proof: &Proof) -> Proof {
        self.mac_after(SERVER_PROOF, secret, client_proof).finalize().into_bytes().into()
    }

    pub(super) fn is_server_proof(&self, secret: &Secret, client_proof: &Proof, proof: &Proof) -> bool {
        self.mac_after(SERVER_PROOF, secret, client_proof).verify_slice(proof).is_ok()
    }

    pub(super) fn session_id(&self, secret: &Secret, client_proof: &Proof) -> SessionId {
        let mac: [u8; 32] = self.mac_after(SESSION, secret, client_proof).finalize().into_bytes().into();
        let mut id = [0; 16];
        for (to, from) in id.iter_mut().zip(mac) {
            *to = from;
        }
        SessionId::new(id)
    }

    fn client_mac(&self, secret: &Secret) -> Hmac<Sha256> {
        secret.hmac().chain_update(CLIENT_PROOF).chain_update(self.hash)
    }

    fn mac_after(&self, label: &[u8], secret: &Secret, client_proof: &Proof) -> Hmac<Sha256> {
        secret.hmac().chain_update(label).chain_update(self.hash).chain_update(client_proof)
    }
}
