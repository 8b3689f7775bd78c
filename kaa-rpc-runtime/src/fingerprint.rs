//! The fingerprint of all services of one side (`docs/wire.md`, section 2).

use sha2::{Digest, Sha256};

use crate::descriptor::ServiceDescriptor;

/// SHA-256 over a label and, for each service in ascending order of names, its name (u32 length, big-endian,
/// then bytes) and its fingerprint.
pub(crate) fn combined(services: &[&'static ServiceDescriptor]) -> [u8; 32] {
    let mut services = services.to_vec();
    services.sort_by_key(|service| service.name);
    let mut hash = Sha256::new();
    hash.update(b"kaa-rpc/1 schema\0");
    for service in services {
        hash.update(u32::try_from(service.name.len()).unwrap_or(u32::MAX).to_be_bytes());
        hash.update(service.name.as_bytes());
        hash.update(service.fingerprint);
    }
    hash.finalize().into()
}
