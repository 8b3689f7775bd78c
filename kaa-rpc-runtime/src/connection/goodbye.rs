//! How far the shutdown of each side has come (`docs/wire.md`, clause 4.9).

use crate::protocol::frame::CallId;

/// This side's shutdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shutdown {
    None,
    /// It begins when a connection opens.
    Requested,
    /// A Goodbye without a last call and a Ping are queued or sent.
    Announced,
    /// The Goodbye with the last call is queued or sent.
    Final(CallId),
}

/// The peer's shutdown.
#[derive(Debug, Default)]
pub(super) struct PeerShutdown {
    /// Goodbyes received.
    pub(super) goodbyes: u32,
    /// The first call id issued after the peer's first Goodbye. From this one on all calls are nested, and
    /// the peer runs them.
    pub(super) nested_from: Option<CallId>,
    /// The peer has named its last call.
    pub(super) has_named_last: bool,
    /// The peer closes without waiting, so it receives no more replies.
    pub(super) closes_at_once: bool,
    /// The peer has closed its sending half, so it sends no more replies.
    pub(super) input_ended: bool,
}

/// The reason of a goodbye: the `detail` of the frame's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GoodbyeCode {
    Shutdown,
    Protocol,
    Schema,
    /// The program has closed the connection and receives no more replies.
    Closed,
    /// The peer exceeded a rate limit.
    RateLimited,
    /// The peer announced a frame over the limit.
    FrameTooLarge,
}

impl GoodbyeCode {
    /// An unknown code counts as a shutdown.
    pub(super) fn from_number(number: u32) -> Self {
        match number {
            1 => Self::Protocol,
            2 => Self::Schema,
            3 => Self::Closed,
            4 => Self::RateLimited,
            5 => Self::FrameTooLarge,
            _ => Self::Shutdown,
        }
    }

    pub(super) fn to_number(self) -> u32 {
        match self {
            Self::Shutdown => 0,
            Self::Protocol => 1,
            Self::Schema => 2,
            Self::Closed => 3,
            Self::RateLimited => 4,
            Self::FrameTooLarge => 5,
        }
    }

    /// Whether the sender closes without waiting for anything.
    pub(super) fn closes_at_once(self) -> bool {
        self != Self::Shutdown
    }
}
