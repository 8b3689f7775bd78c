//! The `detail` field of stream frames (`docs/wire.md`, clause 7.2): the caller, and a number.

/// The side that made the call to which a stream belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Caller {
    /// This side: the items it sends are arguments, the items it receives are results.
    Us,
    /// The peer.
    Peer,
}

/// The bit that is set if the receiver of the frame made the call.
const RECEIVERS_CALL: u32 = 1 << 31;

/// The caller, and a number: a count of bytes, or an [`EndCode`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamDetail {
    /// The side that made the call.
    pub caller: Caller,
    /// The number, at most [`StreamDetail::MAX`].
    pub value: u32,
}

impl StreamDetail {
    /// The largest number that the field can hold.
    pub const MAX: u32 = RECEIVERS_CALL - 1;

    /// Encodes the field for sending.
    #[must_use]
    pub const fn encode(self) -> u32 {
        match self.caller {
            Caller::Us => self.value & Self::MAX,
            Caller::Peer => self.value | RECEIVERS_CALL,
        }
    }

    /// Decodes a received field.
    #[must_use]
    pub const fn decode(detail: u32) -> Self {
        let caller = if detail & RECEIVERS_CALL == 0 { Caller::Peer } else { Caller::Us };
        Self { caller, value: detail & Self::MAX }
    }
}

/// The meaning of a StreamEnd frame (clause 7.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndCode {
    /// The caller's stream has no more items.
    Finished,
    /// The caller's stream has failed. The payload is a message.
    Broken,
    /// The handler reads no more items.
    Stop,
}

impl EndCode {
    /// The number on the wire.
    #[must_use]
    pub const fn to_number(self) -> u32 {
        match self {
            Self::Finished => 0,
            Self::Broken => 1,
            Self::Stop => 2,
        }
    }

    /// The code with this number, or `None`.
    #[must_use]
    pub const fn from_number(number: u32) -> Option<Self> {
        Some(match number {
            0 => Self::Finished,
            1 => Self::Broken,
            2 => Self::Stop,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caller_is_seen_from_each_side() {
        for (written, read) in [(Caller::Us, Caller::Peer), (Caller::Peer, Caller::Us)] {
            let detail = StreamDetail { caller: written, value: 77 };
            assert_eq!(StreamDetail::decode(detail.encode()), StreamDetail { caller: read, value: 77 });
        }
    }

    #[test]
    fn end_codes_round_trip() {
        for number in 0..8 {
            if let Some(code) = EndCode::from_number(number) {
                assert_eq!(code.to_number(), number);
            }
        }
    }
}
