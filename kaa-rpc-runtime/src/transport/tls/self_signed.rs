//! The self-signed certificate that a server creates at each start. It only carries the key.
//!
//! The certificate is encoded here because it has almost no content, and the crates that write certificates
//! have ten dependencies. The key is Ed25519: any 32 random bytes are a valid key, with every cryptography
//! provider.

use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use zeroize::Zeroizing;

use super::error::TlsError;

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTF8_STRING: u8 = 0x0c;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// The tag of the X.509 version.
const VERSION: u8 = 0xa0;

/// 2.5.4.3
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// 1.3.101.112
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
/// The bytes before the 32 bytes of an Ed25519 key in PKCS #8.
const PKCS8_PREFIX: &[u8] =
    &[0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// Creates a key and a certificate for it, signed with the key itself.
pub(super) fn generate(provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let unusable = |problem| TlsError::Unusable { what: "the self-signed certificate", problem };
    let random = || crate::random::bytes::<32>().map_err(|error| unusable(error.to_string()));
    let seed = Zeroizing::new(random()?);
    let key = PrivatePkcs8KeyDer::from([PKCS8_PREFIX, seed.as_slice()].concat());
    let key = provider
        .key_provider
        .load_private_key(PrivateKeyDer::Pkcs8(key))
        .map_err(|error| unusable(error.to_string()))?;
    let public_key = key.public_key().ok_or_else(|| unusable("its key has no public key".to_owned()))?;
    let signer = key
        .choose_scheme(&[SignatureScheme::ED25519])
        .ok_or_else(|| unusable("its key cannot sign".to_owned()))?;
    let [serial @ .., _] = random()?;
    let content = to_be_signed(&serial, &public_key);
    let signature = signer.sign(&content).map_err(|error| unusable(error.to_string()))?;
    let certificate = element(SEQUENCE, &[&content, &algorithm(), &element(BIT_STRING, &[&[0], &signature])]);
    Ok(CertifiedKey::new(vec![CertificateDer::from(certificate)], Arc::clone(&key)))
}

/// The signed content: version 3, a serial number, a fixed name, a validity without end, and the key.
fn to_be_signed(random: &[u8], public_key: &[u8]) -> Vec<u8> {
    let version = element(VERSION, &[&element(INTEGER, &[&[2]])]);
    // A serial number is positive and has at most 20 bytes.
    let random: Vec<u8> = random.iter().copied().take(15).collect();
    let serial = element(INTEGER, &[&[1], &random]);
    let attribute =
        [element(OBJECT_IDENTIFIER, &[COMMON_NAME]), element(UTF8_STRING, &[b"kaa-rpc"])].concat();
    let name = element(SEQUENCE, &[&element(SET, &[&element(SEQUENCE, &[&attribute])])]);
    let validity = [
        element(UTC_TIME, &[b"700101000000Z"]),
        // RFC 5280 defines this value for certificates that do not expire.
        element(GENERALIZED_TIME, &[b"99991231235959Z"]),
    ]
    .concat();
    let validity = element(SEQUENCE, &[&validity]);
    element(SEQUENCE, &[&version, &serial, &algorithm(), &name, &validity, &name, public_key])
}

fn algorithm() -> Vec<u8> {
    element(SEQUENCE, &[&element(OBJECT_IDENTIFIER, &[ED25519])])
}

/// Encodes one DER element: tag, length and content. All elements here are shorter than 64 KiB.
fn element(tag: u8, content: &[&[u8]]) -> Vec<u8> {
    let content = content.concat();
    let length = u16::try_from(content.len()).unwrap_or(u16::MAX);
    let [high, low] = length.to_be_bytes();
    let mut bytes = vec![tag];
    match length {
        0..=0x7f => bytes.push(low),
        0x80..=0xff => bytes.extend([0x81, low]),
        _ => bytes.extend([0x82, high, low]),
    }
    bytes.extend(content);
    bytes
}
