//! How a call ends: [`CallError`] for its caller, [`CallEnd`] for logs, metrics and interceptors.
//!
//! Invariant: one table in this file relates every [`CallEnd`] to the reply status and to the [`CallError`]s
//! that mean the same.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;

use super::connection::CloseReason;
use crate::codec::{DecodeError, EncodeError};
use crate::protocol::frame::Status;

/// Why a call did not return a value. `E` is the error type that the method declares, [`Infallible`] if it
/// declares none.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum CallError<E = Infallible> {
    /// The handler returned the error that its method declares.
    Declared(E),
    /// The handler failed with any other error, or panicked. Contains the handler's message.
    Fault(String),
    /// The peer has no registered service with this method.
    UnknownMethod {
        /// The method, as `package.Service.method`.
        method: String,
    },
    /// The peer could not decode the arguments. Contains the peer's message.
    BadRequest(String),
    /// The arguments could not be encoded. The call was not sent.
    Unencodable(EncodeError),
    /// The reply could not be decoded.
    BadReply(DecodeError),
    /// An item of a stream could not be decoded. The stream was stopped.
    BadItem(DecodeError),
    /// The peer's stream ended with an error. Contains its message.
    Broken(String),
    /// The call exceeded a limit of the peer. Contains the name of the limit.
    ResourceExhausted(String),
    /// An interceptor of either side refused the call before its handler ran. Contains the reason.
    Refused(String),
    /// The call's timeout expired.
    DeadlineExceeded {
        /// Whether the handler ran.
        outcome: Outcome,
    },
    /// The peer cancelled the call.
    Cancelled,
    /// The call, its reply or an item exceeds the frame limit.
    TooLarge {
        /// Which message.
        what: MessageKind,
        /// Its size in bytes. Encoding stops at the limit, so the full message may be larger.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The connection was lost or closed, or could not be established.
    Disconnected {
        /// Whether the handler ran.
        outcome: Outcome,
        /// Why there is no connection.
        reason: CloseReason,
    },
}

/// The messages of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// The call with its arguments.
    Call,
    /// The reply with its result.
    Reply,
    /// One item of a stream.
    Item,
}

/// Whether the handler of a failed call ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The handler ran to its end, and this failure is its result.
    Run,
    /// The handler did not run and will not run. It is safe to repeat the call.
    NotSent,
    /// The handler may have run, completely or in part.
    Unknown,
}

/// Defines [`CallEnd`] with its conversions. A row has the end, its name, the reply status that reports it
/// (if one does), and the pattern of the errors that mean it (if any do).
macro_rules! call_ends {
    ($($(#[$docs:meta])* $end:ident $name:literal [$($status:ident)?] [$($error:pat)?])*) => {
        /// How a call ended.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum CallEnd {
            $($(#[$docs])* $end,)*
        }

        impl CallEnd {
            /// Its name in lower case, as logs and metrics show it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$end => $name,)*
                }
            }

            /// The end that a reply with this status reports.
            pub(crate) const fn of_status(status: Status) -> Self {
                match status {
                    $($(Status::$status => Self::$end,)?)*
                }
            }
        }

        impl<E> From<&CallError<E>> for CallEnd {
            fn from(error: &CallError<E>) -> Self {
                match error {
                    $($($error => Self::$end,)?)*
                }
            }
        }
    };
}

call_ends! {
    /// The call succeeded. An outbound oneway call: it was queued. An inbound one: its handler returned.
    Ok "ok" [Ok] []
    /// The handler returned the error that its method declares.
    Declared "declared" [Declared] [CallError::Declared(_)]
    /// The handler failed with any other error, or panicked.
    Fault "fault" [Fault] [CallError::Fault(_)]
    /// No registered service has the method.
    UnknownMethod "unknown_method" [UnknownMethod] [CallError::UnknownMethod { .. }]
    /// The arguments could not be decoded.
    BadRequest "bad_request" [BadRequest] [CallError::BadRequest(_)]
    /// The arguments, or an item of the stream parameter, could not be encoded.
    Unencodable "unencodable" [] [CallError::Unencodable(_)]
    /// The reply, or an item of the result stream, could not be decoded.
    BadReply "bad_reply" [] [CallError::BadReply(_) | CallError::BadItem(_)]
    /// The stream from the peer ended with an error.
    Broken "broken" [] [CallError::Broken(_)]
    /// The call exceeded a limit.
    ResourceExhausted "resource_exhausted" [ResourceExhausted] [CallError::ResourceExhausted(_)]
    /// An interceptor refused the call.
    Refused "refused" [Refused] [CallError::Refused(_)]
    /// The call's timeout expired.
    DeadlineExceeded "deadline_exceeded" [DeadlineExceeded] [CallError::DeadlineExceeded { .. }]
    /// The caller cancelled the call, or the handler was dropped.
    Cancelled "cancelled" [Cancelled] [CallError::Cancelled]
    /// The call, its reply or an item exceeds the frame limit.
    TooLarge "too_large" [TooLarge] [CallError::TooLarge { .. }]
    /// The connection was lost or closed, or could not be established.
    Disconnected "disconnected" [] [CallError::Disconnected { .. }]
}

impl fmt::Display for CallEnd {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl<E> CallError<E> {
    /// Whether the handler ran, as far as this side knows. If an idempotent call was retried, an answer of
    /// the peer describes the last attempt only.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Declared(_) | Self::Fault(_) | Self::BadReply(_) => Outcome::Run,
            Self::UnknownMethod { .. } | Self::BadRequest(_) | Self::Unencodable(_) | Self::Refused(_) => {
                Outcome::NotSent
            }
            Self::TooLarge { what: MessageKind::Call, .. } => Outcome::NotSent,
            Self::TooLarge { what: MessageKind::Reply, .. } => Outcome::Run,
            Self::TooLarge { what: MessageKind::Item, .. } => Outcome::Unknown,
            Self::BadItem(_) | Self::Broken(_) | Self::ResourceExhausted(_) | Self::Cancelled => {
                Outcome::Unknown
            }
            Self::DeadlineExceeded { outcome } | Self::Disconnected { outcome, .. } => *outcome,
        }
    }

    /// The error of a message that could not be encoded.
    pub(crate) fn of_encoding(error: EncodeError, what: MessageKind) -> Self {
        match error {
            EncodeError::TooLarge { size, limit } => Self::TooLarge {
                what,
                size: u64::try_from(size).unwrap_or(u64::MAX),
                limit: u64::try_from(limit).unwrap_or(u64::MAX),
            },
            error => Self::Unencodable(error),
        }
    }
}

impl<E: fmt::Display> fmt::Display for CallError<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Declared(error) => error.fmt(formatter),
            Self::Fault(message) => write!(formatter, "the remote handler failed: {message}"),
            Self::UnknownMethod { method } => {
                write!(formatter, "the peer has no method {method}, or its service is not registered")
            }
            Self::BadRequest(message) => {
                write!(formatter, "the peer could not decode the arguments: {message}")
            }
            Self::Unencodable(error) => write!(formatter, "the arguments could not be encoded: {error}"),
            Self::BadReply(error) => write!(formatter, "the reply could not be decoded: {error}"),
            Self::BadItem(error) => write!(formatter, "an item of the stream could not be decoded: {error}"),
            Self::Broken(message) => write!(formatter, "the stream broke off: {message}"),
            Self::ResourceExhausted(limit) => write!(formatter, "the peer has reached a limit: {limit}"),
            Self::Refused(reason) => write!(formatter, "the call was refused: {reason}"),
            Self::DeadlineExceeded { .. } => formatter.write_str("the call's deadline has passed"),
            Self::Cancelled => formatter.write_str("the peer cancelled the call"),
            Self::TooLarge { what, size, limit } => {
                let what = match what {
                    MessageKind::Call => "the call",
                    MessageKind::Reply => "the reply",
                    MessageKind::Item => "an item of the stream",
                };
                write!(formatter, "{what} needs at least {size} bytes, over the limit of {limit}")
            }
            Self::Disconnected { outcome, reason } => {
                let state = match outcome {
                    Outcome::NotSent => "the call was not sent",
                    Outcome::Run | Outcome::Unknown => "the call may have run",
                };
                write!(formatter, "{reason}; {state}")
            }
        }
    }
}

impl<E: Error + 'static> Error for CallError<E> {
    /// The source of a declared error. The text of all other errors includes their cause.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Declared(error) => error.source(),
            _ => None,
        }
    }
}
