//! The limits that each side announces in the handshake (`docs/wire.md`, clause 2.8).
//!
//! Invariant: checked limits allow at least one small call, so that no caller waits without end.

/// Limits on what one side of a connection receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Limits {
    /// The maximum size of a frame in bytes, with its header.
    pub max_frame: u32,
    /// The maximum number of calls in flight from the peer.
    pub max_inbound_calls: u32,
    /// The number of oneway calls that the peer may send before it receives more credit.
    pub oneway_window: u32,
    /// The number of bytes of one stream that the peer may send before it receives more credit.
    pub stream_window: u32,
}

/// A limit that is too small for the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LimitsError {
    /// Frames would be too small for the protocol's own messages.
    #[error("a frame limit of {0} bytes, below the minimum of {minimum}", minimum = Limits::MIN_FRAME)]
    FrameTooSmall(u32),
    /// No call could be made.
    #[error("a limit of zero calls in flight")]
    NoCalls,
    /// No oneway call could be made.
    #[error("a window of zero oneway calls")]
    NoOneways,
    /// No stream could send an item.
    #[error("a window of zero bytes for streams")]
    NoStreams,
}

impl Limits {
    /// The minimum of `max_frame` in bytes.
    pub const MIN_FRAME: u32 = 1024;
    /// The length of the encoded form in bytes: four numbers.
    pub const ENCODED_LENGTH: usize = 16;

    /// Checks that no limit is too small.
    ///
    /// # Errors
    /// The limit that is too small.
    pub fn checked(self) -> Result<Self, LimitsError> {
        if self.max_frame < Self::MIN_FRAME {
            return Err(LimitsError::FrameTooSmall(self.max_frame));
        }
        if self.max_inbound_calls == 0 {
            return Err(LimitsError::NoCalls);
        }
        if self.oneway_window == 0 {
            return Err(LimitsError::NoOneways);
        }
        if self.stream_window == 0 {
            return Err(LimitsError::NoStreams);
        }
        Ok(self)
    }

    /// Encodes the limits for the handshake, as big-endian numbers.
    #[must_use]
    pub fn encode(self) -> [u8; Self::ENCODED_LENGTH] {
        let [a, b, c, d] = self.max_frame.to_be_bytes();
        let [e, f, g, h] = self.max_inbound_calls.to_be_bytes();
        let [i, j, k, l] = self.oneway_window.to_be_bytes();
        let [m, n, o, p] = self.stream_window.to_be_bytes();
        [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
    }

    /// Decodes and checks the limits from the handshake.
    ///
    /// # Errors
    /// The limit that is too small.
    pub fn decode(bytes: [u8; Self::ENCODED_LENGTH]) -> Result<Self, LimitsError> {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = bytes;
        Self {
            max_frame: u32::from_be_bytes([a, b, c, d]),
            max_inbound_calls: u32::from_be_bytes([e, f, g, h]),
            oneway_window: u32::from_be_bytes([i, j, k, l]),
            stream_window: u32::from_be_bytes([m, n, o, p]),
        }
        .checked()
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_frame: 4 * 1024 * 1024,
            max_inbound_calls: 256,
            oneway_window: 256,
            stream_window: 256 * 1024,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoding_is_big_endian_and_round_trips() {
        let limits = Limits {
            max_frame: 0x0102_0304,
            max_inbound_calls: 0x0506_0708,
            oneway_window: 0x090a_0b0c,
            stream_window: 0x0d0e_0f10,
        };
        assert_eq!(limits.encode(), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
        assert_eq!(Limits::decode(limits.encode()), Ok(limits));
    }

    #[test]
    fn limits_that_allow_no_call_are_refused() {
        let limits = Limits::default();
        let decode = |limits: Limits| Limits::decode(limits.encode());
        assert_eq!(decode(limits), Ok(limits));
        assert_eq!(decode(Limits { max_frame: 1023, ..limits }), Err(LimitsError::FrameTooSmall(1023)));
        assert_eq!(decode(Limits { max_inbound_calls: 0, ..limits }), Err(LimitsError::NoCalls));
        assert_eq!(decode(Limits { oneway_window: 0, ..limits }), Err(LimitsError::NoOneways));
        assert_eq!(decode(Limits { stream_window: 0, ..limits }), Err(LimitsError::NoStreams));
    }
}
