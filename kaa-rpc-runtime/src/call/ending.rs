//! Converts the end of a call to its caller's result.

use bytes::Bytes;

use super::method::{Method, Reply, Value};
use super::pending::PendingCall;
use crate::codec::{DecodeError, DecodeLimits, Decoder, EncodeError, Wire};
use crate::connection::LocalEnd;
use crate::error::{CallError, MessageKind, Outcome};
use crate::protocol::calls::Terminal;
use crate::protocol::frame::Status;

impl<M: Method> PendingCall<M> {
    /// The result that the end of a call means.
    #[inline]
    pub(super) fn interpret(&self, end: Result<Terminal, LocalEnd>) -> Reply<M> {
        match end {
            Ok(Terminal { status: Status::Ok, payload }) => {
                decode::<M::Returns>(&payload, self.decode_limits()).map_err(CallError::BadReply)
            }
            end => Err(self.failure(end)),
        }
    }

    fn decode_limits(&self) -> DecodeLimits {
        self.peer.link().settings.decode
    }

    /// The error that the end of a failed call means.
    #[cold]
    pub(super) fn failure(&self, end: Result<Terminal, LocalEnd>) -> CallError<Value<M::Throws>> {
        match end {
            Ok(terminal) => {
                let what = if self.streams.returns { MessageKind::Item } else { MessageKind::Reply };
                error_of_reply::<M>(terminal, what, self.decode_limits())
            }
            Err(LocalEnd::Lost { outcome, reason }) => {
                CallError::Disconnected { outcome: self.outcome(outcome), reason }
            }
            Err(LocalEnd::TooLarge { size, limit }) => {
                CallError::of_encoding(EncodeError::TooLarge { size, limit }, MessageKind::Call)
            }
        }
    }
}

#[cold]
fn error_of_reply<M: Method>(
    terminal: Terminal,
    what: MessageKind,
    limits: DecodeLimits,
) -> CallError<Value<M::Throws>> {
    let Terminal { status, payload } = terminal;
    let text = || String::from_utf8_lossy(&payload).into_owned();
    match status {
        Status::Declared => match decode::<M::Throws>(&payload, limits) {
            Ok(error) => CallError::Declared(error),
            Err(error) => CallError::Fault(format!("a declared error that could not be decoded: {error}")),
        },
        // The caller of this function has handled a result.
        Status::Ok | Status::Fault => CallError::Fault(text()),
        Status::UnknownMethod => CallError::UnknownMethod { method: M::DESCRIPTOR.to_string() },
        Status::BadRequest => CallError::BadRequest(text()),
        Status::Refused => CallError::Refused(text()),
        Status::ResourceExhausted => CallError::ResourceExhausted(text()),
        Status::DeadlineExceeded => CallError::DeadlineExceeded { outcome: Outcome::Unknown },
        Status::Cancelled => CallError::Cancelled,
        Status::TooLarge => {
            let number = |at: usize| {
                let bytes = payload.get(at..).and_then(|bytes| bytes.first_chunk::<8>());
                bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes))
            };
            CallError::TooLarge { what, size: number(0), limit: number(8) }
        }
    }
}

#[inline]
fn decode<W: Wire>(payload: &Bytes, limits: DecodeLimits) -> Result<W::Value, DecodeError> {
    W::decode(&mut Decoder::new(payload, limits))
}
