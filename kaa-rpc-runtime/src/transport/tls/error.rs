//! Why there is no TLS channel.
//!
//! Invariant: nothing here names a type of the TLS implementation, and a peer of another make is told apart from a
//! peer that means something else by what it sent.

use std::io;

/// Why there is no TLS channel.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The other end closed the connection before there was a channel.
    #[error(
        "the other end closed the connection amid the TLS handshake, as one does that has a tcp: address and expects no \
         TLS"
    )]
    Closed,
    /// The connection broke before there was a channel.
    #[error("the connection broke amid the TLS handshake: {0}")]
    Io(io::Error),
    /// The other end speaks something else.
    #[error("the other end does not speak TLS; maybe it has a tcp: address")]
    NotTls,
    /// The other end speaks TLS before 1.3.
    #[error("the other end does not speak TLS 1.3")]
    Version,
    /// The other end speaks TLS, and something else within.
    #[error("the other end speaks TLS, but not kaa-rpc over it")]
    OtherProtocol,
    /// The client asks for a certificate from an authority, and this is none of them.
    #[error("the server's certificate is not accepted: {0}")]
    CertificateRefused(String),
    /// The handshake failed for another reason.
    #[error("the TLS handshake failed: {0}")]
    Handshake(String),
    /// A certificate, a key or an authority that this side was given is of no use.
    #[error("{what} cannot be used: {problem}")]
    Unusable {
        /// What it is.
        what: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// No certificate can be for this host.
    #[error("no certificate can be for a host of the name \"{host}\"")]
    HostName {
        /// The name.
        host: String,
    },
    /// This processor is too old.
    #[error(
        "this processor lacks instructions that the cryptography needs (AES and carry-less multiplication; ADX and AVX2 \
         on x86_64); kaa-rpc-runtime's feature \"tls-ring\" does without them"
    )]
    Processor,
}

impl TlsError {
    /// Whether it may be otherwise at the next try.
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
        /// What a failed handshake means.
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
                Error::AlertReceived(alert) => Self::Handshake(format!("the other end says {alert:?}")),
                other => Self::Handshake(other.to_string()),
            }
        }
    }
}
