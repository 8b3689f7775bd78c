//! What each side will take from the other, advertised in the handshake (`docs/wire.md`, clause 2.8).
//!
//! Invariant: limits that came from a peer let at least one small call through, so no caller can wait for ever.

/// Limits of one direction of a connection: what the side that advertises them is ready to receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Largest frame in bytes, header included.
    pub max_frame: u32,
    /// Calls in flight from the peer.
    pub max_inbound_calls: u32,
    /// Oneway calls that the peer may send before it is given credit for more.
    pub oneway_window: u32,
    /// Bytes of one stream that the peer may send before it is given credit for more.
    pub stream_window: u32,
}

/// Limits from a peer that nobody could work with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LimitsError {
    /// Too small a frame for the protocol's own messages.
    #[error("a frame limit of {0} bytes, below the least possible {minimum}", minimum = Limits::MIN_FRAME)]
    FrameTooSmall(u32),
    /// No call would ever be taken.
    #[error("a limit of zero calls in flight")]
    NoCalls,
    /// No oneway call would ever be taken.
    #[error("a window of zero oneway calls")]
    NoOneways,
    /// No stream would ever bring an item.
    #[error("a window of zero bytes for streams")]
    NoStreams,
}

impl Limits {
    /// The smallest `max_frame` that may be advertised, in bytes.
    pub const MIN_FRAME: u32 = 1024;
    /// Bytes of the encoded form: four numbers.
    pub const ENCODED_LENGTH: usize = 16;

    /// The limits, if a peer can work with them.
    ///
    /// # Errors
    /// Says which limit is too small.
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

    /// The form in the handshake: big-endian numbers.
    #[must_use]
    pub fn encode(self) -> [u8; Self::ENCODED_LENGTH] {
        let [a, b, c, d] = self.max_frame.to_be_bytes();
        let [e, f, g, h] = self.max_inbound_calls.to_be_bytes();
        let [i, j, k, l] = self.oneway_window.to_be_bytes();
        let [m, n, o, p] = self.stream_window.to_be_bytes();
        [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
    }

    /// Reads the form in the handshake.
    ///
    /// # Errors
    /// Says which limit is too small.
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
    fn the_encoded_form_is_big_endian_and_comes_back() {
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
    fn limits_that_would_let_a_caller_wait_for_ever_are_refused() {
        let limits = Limits::default();
        let decode = |limits: Limits| Limits::decode(limits.encode());
        assert_eq!(decode(limits), Ok(limits));
        assert_eq!(decode(Limits { max_frame: 1023, ..limits }), Err(LimitsError::FrameTooSmall(1023)));
        assert_eq!(decode(Limits { max_inbound_calls: 0, ..limits }), Err(LimitsError::NoCalls));
        assert_eq!(decode(Limits { oneway_window: 0, ..limits }), Err(LimitsError::NoOneways));
        assert_eq!(decode(Limits { stream_window: 0, ..limits }), Err(LimitsError::NoStreams));
    }
}
