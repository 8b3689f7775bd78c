//! Errors of establishing a TLS channel.
//!
//! Invariants: the public error has no types of the TLS implementation. It distinguishes a peer with another
//! protocol from one with an incompatible version of TLS.

use std::io;

/// Why a TLS channel cannot be established.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The other end closed the connection during the handshake.
    #[error(
        "the other end closed the connection during the TLS handshake; \
         it may have a tcp: address and not expect TLS"
    )]
    Closed,
    /// The connection was lost during the handshake.
    #[error("the connection was lost during the TLS handshake: {0}")]
    Io(io::Error),
    /// The other end uses another protocol.
    #[error("the other end does not speak TLS; it may have a tcp: address")]
    NotTls,
    /// The other end does not support TLS 1.3.
    #[error("the other end does not speak TLS 1.3")]
    Version,
    /// The other end speaks another protocol over TLS.
    #[error("the other end speaks TLS, but not kaa-rpc over it")]
    OtherProtocol,
    /// The client requires a certificate from an authority, and the server's is not valid.
    #[error("the server's certificate is not accepted: {0}")]
    CertificateRefused(String),
    /// The handshake failed for another reason.
    #[error("the TLS handshake failed: {0}")]
    Handshake(String),
    /// A certificate, a key or an authority of this side cannot be used.
    #[error("{what} cannot be used: {problem}")]
    Unusable {
        /// The unusable item.
        what: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The client requires a certificate for the host, but no certificate can name it.
    #[error("the host \"{host}\" is not a name or IP address that a certificate can have")]
    HostName {
        /// The host.
        host: String,
    },
    /// The processor is too old.
    #[error(
        "this processor lacks instructions that the cryptography needs \
         (AES and carry-less multiplication; ADX and AVX2 on x86_64); the feature \"tls-ring\" of kaa-rpc-runtime works without them"
    )]
    Processor,
}

impl TlsError {
    /// Whether the next attempt may succeed.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self, Self::Closed | Self::Io(_))
    }
}

#[cfg(feature = "_tls")]
mod from_rustls {
    use std::io;

    use rustls::{AlertDescription, Error, InvalidMessage, PeerIncompatible};

    use super::TlsError;

    impl TlsError {
        /// Interprets the error of a failed handshake.
        pub(in crate::transport) fn of_handshake(error: io::Error) -> Self {
            let known = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
            match known {
                Some(known) => Self::from(known),
                None if error.kind() == io::ErrorKind::UnexpectedEof => Self::Closed,
                None => Self::Io(error),
            }
        }
    }

    impl From<&Error> for TlsError {
        fn from(error: &Error) -> Self {
            match error {
                Error::InvalidMessage(
                    InvalidMessage::InvalidContentType
                    | InvalidMessage::InvalidEmptyPayload
                    | InvalidMessage::MessageTooLarge
                    | InvalidMessage::UnknownProtocolVersion,
                ) => Self::NotTls,
                Error::AlertReceived(AlertDescription::ProtocolVersion)
                | Error::PeerIncompatible(
                    PeerIncompatible::SupportedVersionsExtensionRequired
                    | PeerIncompatible::Tls12NotOffered
                    | PeerIncompatible::Tls12NotOfferedOrEnabled
                    | PeerIncompatible::ServerDoesNotSupportTls12Or13
                    | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
                ) => Self::Version,
                Error::NoApplicationProtocol
                | Error::AlertReceived(AlertDescription::NoApplicationProtocol) => Self::OtherProtocol,
                Error::InvalidCertificate(problem) => Self::CertificateRefused(problem.to_string()),
                Error::AlertReceived(alert) => {
                    Self::Handshake(format!("the other end sent the alert {alert:?}"))
                }
                other => Self::Handshake(other.to_string()),
            }
        }
    }
}
