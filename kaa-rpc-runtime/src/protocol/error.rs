//! Violations of the protocol after the handshake.

use super::schema::Incompatibility;

/// A violation of the protocol by the peer (`docs/wire.md`, sections 3 and 4). It ends the connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// The length of a frame is over the limit.
    #[error("the peer announced a frame of {size} bytes, over the limit of {limit}")]
    FrameTooLarge {
        /// The announced length in bytes.
        size: usize,
        /// The maximum length in bytes.
        limit: usize,
    },
    /// The length of a frame is less than that of its header.
    #[error("the peer announced a frame of {size} bytes, smaller than its header")]
    FrameTooSmall {
        /// The announced length in bytes.
        size: usize,
    },
    /// The kind of a frame is unknown.
    #[error("the peer sent a frame of unknown kind {kind}")]
    UnknownKind {
        /// The number of the kind.
        kind: u8,
    },
    /// A frame has unknown flags.
    #[error("the peer sent a frame with unknown flags {flags:#04x}")]
    UnknownFlags {
        /// The flags.
        flags: u8,
    },
    /// The offset of the payload is outside the frame.
    #[error("the peer sent a frame whose payload offset {offset} is outside the frame")]
    PayloadOffset {
        /// The offset.
        offset: usize,
    },
    /// The options of a header are incomplete or malformed.
    #[error("the peer sent a frame with malformed options")]
    OptionsTruncated,
    /// The metadata is malformed.
    #[error("the peer sent a frame with malformed metadata")]
    Metadata,
    /// A frame is not allowed at this point, or its fields contradict each other.
    #[error("the peer sent a malformed or misplaced {frame} frame")]
    Misplaced {
        /// The kind of the frame.
        frame: &'static str,
    },
    /// A call id is not greater than all earlier ids.
    #[error("the peer reused call id {id}; ids must increase")]
    ReusedCallId {
        /// The id.
        id: u64,
    },
    /// A reply to a call that was never made.
    #[error("the peer answered call {id}, which was never made")]
    UnissuedCallId {
        /// The id.
        id: u64,
    },
    /// A frame for a stream that was never opened.
    #[error("the peer sent items of a stream of call {id} that was never opened")]
    UnopenedStream {
        /// The id of the call.
        id: u64,
    },
    /// Items beyond the peer's credit.
    #[error("the peer sent items of call {id} beyond its credit")]
    ItemsBeyondCredit {
        /// The id of the call.
        id: u64,
    },
    /// Items, or a second end, after the end of a stream.
    #[error("the peer sent items of call {id} after the end of their stream")]
    ItemsAfterEnd {
        /// The id of the call.
        id: u64,
    },
    /// Credit for more bytes than were sent.
    #[error("the peer granted more credit for call {id} than this side has sent bytes")]
    ExcessCredit {
        /// The id of the call.
        id: u64,
    },
    /// The schemas are incompatible.
    #[error("the schemas are incompatible: {0}")]
    Incompatible(Incompatibility),
    /// The peer keeps exceeding a limit.
    #[error("the peer ignores the limit on {what}")]
    Flood {
        /// The limited resource.
        what: &'static str,
    },
}
