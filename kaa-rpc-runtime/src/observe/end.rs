//! How a call ended, in a word for logs, labels and interceptors.

use std::fmt;

use crate::error::CallError;
use crate::protocol::frame::Status;

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CallEnd {
    /// It succeeded. A oneway call of this side: it was queued; one of the peer: its handler returned.
    Ok,
    /// With the error that its method declares.
    Declared,
    /// Its handler failed otherwise, or panicked.
    Fault,
    /// Nobody serves the method.
    UnknownMethod,
    /// Its arguments could not be decoded.
    BadRequest,
    /// Its arguments, or an item of them, could not be encoded.
    Unencodable,
    /// Its reply, or an item of it, could not be decoded.
    BadReply,
    /// The stream it brought broke off.
    Broken,
    /// A limit was reached.
    ResourceExhausted,
    /// An interceptor refused it.
    Refused,
    /// Its time was over.
    DeadlineExceeded,
    /// The caller gave it up, or its handler was dropped.
    Cancelled,
    /// It, or its reply, was larger than a frame may be.
    TooLarge,
    /// The connection was lost, or never came to be.
    Disconnected,
}

impl CallEnd {
    /// A word for it, in lower case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Declared => "declared",
            Self::Fault => "fault",
            Self::UnknownMethod => "unknown_method",
            Self::BadRequest => "bad_request",
            Self::Unencodable => "unencodable",
            Self::BadReply => "bad_reply",
            Self::Broken => "broken",
            Self::ResourceExhausted => "resource_exhausted",
            Self::Refused => "refused",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::Cancelled => "cancelled",
            Self::TooLarge => "too_large",
            Self::Disconnected => "disconnected",
        }
    }

    /// The end that a reply tells.
    pub(crate) const fn of_status(status: Status) -> Self {
        match status {
            Status::Ok => Self::Ok,
            Status::Declared => Self::Declared,
            Status::Fault => Self::Fault,
            Status::UnknownMethod => Self::UnknownMethod,
            Status::BadRequest => Self::BadRequest,
            Status::ResourceExhausted => Self::ResourceExhausted,
            Status::DeadlineExceeded => Self::DeadlineExceeded,
            Status::Cancelled => Self::Cancelled,
            Status::TooLarge => Self::TooLarge,
            Status::Refused => Self::Refused,
        }
    }
}

impl<E> From<&CallError<E>> for CallEnd {
    fn from(error: &CallError<E>) -> Self {
        match error {
            CallError::Declared(_) => Self::Declared,
            CallError::Fault(_) => Self::Fault,
            CallError::UnknownMethod { .. } => Self::UnknownMethod,
            CallError::BadRequest(_) => Self::BadRequest,
            CallError::Unencodable(_) => Self::Unencodable,
            CallError::BadReply(_) | CallError::BadItem(_) => Self::BadReply,
            CallError::Broken(_) => Self::Broken,
            CallError::ResourceExhausted(_) => Self::ResourceExhausted,
            CallError::Refused(_) => Self::Refused,
            CallError::DeadlineExceeded { .. } => Self::DeadlineExceeded,
            CallError::Cancelled => Self::Cancelled,
            CallError::TooLarge { .. } => Self::TooLarge,
            CallError::Disconnected { .. } => Self::Disconnected,
        }
    }
}

impl fmt::Display for CallEnd {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
