//! What the end of a call means to its caller.

use bytes::Bytes;

use super::{Method, Reply, Shared, Value};
use crate::codec::{DecodeError, DecodeLimits, Decoder, EncodeError, Wire};
use crate::connection::LocalEnd;
use crate::error::{CallError, MessageKind, Outcome};
use crate::protocol::calls::Terminal;
use crate::protocol::frame::Status;

impl<M: Method> Shared<M> {
    /// What the end of a call means.
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
        self.peer.link().configuration.decode
    }

    /// What the end of a call means that did not succeed.
    #[cold]
    pub(super) fn failure(&self, end: Result<Terminal, LocalEnd>) -> CallError<Value<M::Throws>> {
        match end {
            Ok(terminal) => {
                let what = if self.streams.returns { MessageKind::Item } else { MessageKind::Reply };
                refusal::<M>(terminal, what, self.decode_limits())
            }
            Err(LocalEnd::Lost { outcome, reason }) => {
                CallError::Disconnected { outcome: self.outcome(outcome), reason }
            }
            Err(LocalEnd::TooLarge { size, limit }) => {
                unencodable(EncodeError::TooLarge { size, limit }, MessageKind::Call)
            }
        }
    }
}

#[cold]
fn refusal<M: Method>(
    terminal: Terminal,
    what: MessageKind,
    limits: DecodeLimits,
) -> CallError<Value<M::Throws>> {
    let Terminal { status, payload } = terminal;
    match status {
        Status::Declared => match decode::<M::Throws>(&payload, limits) {
            Ok(error) => CallError::Declared(error),
            Err(error) => CallError::Fault(format!("a declared error that this side cannot decode: {error}")),
        },
        // Ok is told apart before; without a payload that fits, it is an unreadable reply all the same.
        Status::Ok | Status::Fault => CallError::Fault(text(&payload)),
        Status::UnknownMethod => CallError::UnknownMethod { method: M::DESCRIPTOR.to_string() },
        Status::BadRequest => CallError::BadRequest(text(&payload)),
        Status::Refused => CallError::Refused(text(&payload)),
        Status::ResourceExhausted => CallError::ResourceExhausted(text(&payload)),
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

pub(super) fn unencodable<E>(error: EncodeError, what: MessageKind) -> CallError<E> {
    match error {
        EncodeError::TooLarge { size, limit } => CallError::TooLarge {
            what,
            size: u64::try_from(size).unwrap_or(u64::MAX),
            limit: u64::try_from(limit).unwrap_or(u64::MAX),
        },
        error => CallError::Unencodable(error),
    }
}

fn text(payload: &[u8]) -> String {
    String::from_utf8_lossy(payload).into_owned()
}
