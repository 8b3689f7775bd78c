//! The hash over everything said, and the proofs made of it (`docs/wire.md`, clause 2.6).
//!
//! Invariants: each proof has its role's label, so neither can stand in for the other; proofs are compared in constant
//! time.

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use super::identity::SessionId;
use crate::secret::Secret;

const TRANSCRIPT: &[u8] = b"kaa-rpc/1 transcript";
const CLIENT_PROOF: &[u8] = b"kaa-rpc/1 client proof\0";
const SERVER_PROOF: &[u8] = b"kaa-rpc/1 server proof\0";
const SESSION: &[u8] = b"kaa-rpc/1 session\0";

/// A proof of the secret, as it goes over the wire.
pub(super) type Proof = [u8; 32];

/// SHA-256 over HELLO, CHALLENGE and the binding data.
pub(super) struct Transcript {
    hash: [u8; 32],
}

impl Transcript {
    /// The messages are whole, with length and type. `binding` is empty where there is none.
    pub(super) fn new(hello: &[u8], challenge: &[u8], binding: &[u8]) -> Self {
        let mut hash = Sha256::new();
        for part in [TRANSCRIPT, hello, challenge, binding] {
            // None of the parts comes near the limit of the length.
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
