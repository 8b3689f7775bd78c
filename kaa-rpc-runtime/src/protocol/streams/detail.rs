//! The `detail` field of frames about streams (`docs/wire.md`, clause 7.2): whose call it is, and a number.

/// Who made the call that a stream belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Caller {
    /// This side: items that are sent are arguments, items that come are results.
    Us,
    /// The peer.
    Peer,
}

/// Set where the call was made by the receiver of the frame.
const CALL_OF_THE_RECEIVER: u32 = 1 << 31;

/// Whose call a stream frame is about, and a number: a count of bytes, or an [`EndCode`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamDetail {
    /// Who made the call.
    pub caller: Caller,
    /// At most [`StreamDetail::LARGEST`].
    pub value: u32,
}

impl StreamDetail {
    /// The largest number that there is room for.
    pub const LARGEST: u32 = CALL_OF_THE_RECEIVER - 1;

    /// The field as the sender writes it.
    #[must_use]
    pub const fn encode(self) -> u32 {
        match self.caller {
            Caller::Us => self.value & Self::LARGEST,
            Caller::Peer => self.value | CALL_OF_THE_RECEIVER,
        }
    }

    /// The field as the receiver reads it.
    #[must_use]
    pub const fn decode(detail: u32) -> Self {
        let caller = if detail & CALL_OF_THE_RECEIVER == 0 { Caller::Peer } else { Caller::Us };
        Self { caller, value: detail & Self::LARGEST }
    }
}

/// What a StreamEnd says (clause 7.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndCode {
    /// The caller's stream has ended: there are no more items.
    Finished,
    /// The caller's stream has failed; the payload is a message.
    Broken,
    /// The handler takes no more items.
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

    /// The code with this number, if there is one.
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
    fn what_one_side_calls_its_own_the_other_calls_the_peers() {
        for (written, read) in [(Caller::Us, Caller::Peer), (Caller::Peer, Caller::Us)] {
            let detail = StreamDetail { caller: written, value: 77 };
            assert_eq!(StreamDetail::decode(detail.encode()), StreamDetail { caller: read, value: 77 });
        }
    }

    #[test]
    fn every_code_keeps_its_number() {
        for number in 0..8 {
            if let Some(code) = EndCode::from_number(number) {
                assert_eq!(code.to_number(), number);
            }
        }
    }
}
