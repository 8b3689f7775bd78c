//! What a peer can do wrong after the handshake: each of these ends the connection.

use super::schema::Incompatibility;

/// A violation of the protocol by the peer (`docs/wire.md`, sections 3 and 4). Fatal for the connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// A frame's length is over the limit.
    #[error("the peer announced a frame of {size} bytes, over the limit of {limit}")]
    FrameTooLarge {
        /// Announced bytes.
        size: usize,
        /// Allowed bytes.
        limit: usize,
    },
    /// A frame's length is below that of its header.
    #[error("the peer announced a frame of {size} bytes, smaller than its header")]
    FrameTooSmall {
        /// Announced bytes.
        size: usize,
    },
    /// A kind that this version does not know.
    #[error("the peer sent a frame of unknown kind {kind}")]
    UnknownKind {
        /// The kind's number.
        kind: u8,
    },
    /// Flags that this version does not know.
    #[error("the peer sent a frame with unknown flags {flags:#04x}")]
    UnknownFlags {
        /// The flags.
        flags: u8,
    },
    /// The payload's offset points outside the frame.
    #[error("the peer sent a frame whose payload offset {offset} is outside the frame")]
    PayloadOffset {
        /// The offset.
        offset: usize,
    },
    /// Options of a header are cut off or malformed.
    #[error("the peer sent a frame with malformed options")]
    OptionsTruncated,
    /// Metadata that is none.
    #[error("the peer sent a frame with malformed metadata")]
    Metadata,
    /// A frame that is not allowed now, or whose fields contradict each other.
    #[error("the peer sent a malformed or misplaced {frame} frame")]
    Misplaced {
        /// What kind of frame.
        frame: &'static str,
    },
    /// A call id that is not above all before it.
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
    /// Items or an end for a stream that was never opened.
    #[error("the peer sent items of a stream of call {id} that was never opened")]
    UnopenedStream {
        /// The call's id.
        id: u64,
    },
    /// Items beyond the credit that the peer was given.
    #[error("the peer sent items of call {id} beyond its credit")]
    ItemsBeyondCredit {
        /// The call's id.
        id: u64,
    },
    /// Items, or another end, behind a stream's end.
    #[error("the peer sent items of call {id} behind the end of their stream")]
    ItemsAfterEnd {
        /// The call's id.
        id: u64,
    },
    /// Credit for bytes that were never sent.
    #[error("the peer gave more credit for call {id} than it was sent bytes")]
    ExcessCredit {
        /// The call's id.
        id: u64,
    },
    /// The two schemas contradict each other.
    #[error("the schemas do not fit together: {0}")]
    Incompatible(Incompatibility),
    /// More calls or oneway calls than the limits allow, again and again.
    #[error("the peer ignores the limit on {what}")]
    Flood {
        /// What is limited.
        what: &'static str,
    },
}
