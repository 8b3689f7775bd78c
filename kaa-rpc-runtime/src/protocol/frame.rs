//! The fixed header of every frame after the handshake, and the options that follow it.
//!
//! Invariants (`docs/wire.md`, section 3): all integers are little-endian. A header can be decoded without
//! its payload. No memory is reserved for a frame before its length has been checked.

use bytes::{Buf, Bytes};

use super::error::ProtocolError;
use super::metadata::Metadata;

/// The length of the fixed header in bytes.
pub const HEADER_LENGTH: usize = 24;
/// The maximum distance from a frame's first byte to its payload.
pub const MAX_PAYLOAD_OFFSET: usize = 4096;

/// The number of a call on one connection in one direction: strictly increasing, never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u64);

/// The caller's slot for a call, which every frame about the call repeats. The [`CallId`] is the slot's
/// generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u32);

/// The number of a method: the first four bytes of a hash of its name (`docs/idl.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MethodId(pub u32);

/// The kind of a frame (clause 3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// A call. It ends with exactly one terminal frame.
    Call = 1,
    /// A call without a reply.
    Oneway = 2,
    /// The terminal frame of a call.
    Reply = 3,
    /// The caller has cancelled a call.
    Cancel = 4,
    /// Items of a stream.
    StreamItem = 5,
    /// The end of a stream of arguments, or its receiver accepts no more items.
    StreamEnd = 6,
    /// Credit for a stream.
    StreamCredit = 7,
    /// Credit for oneway calls.
    OnewayCredit = 8,
    /// The services of the sender, if the fingerprints differ.
    Schema = 9,
    /// A request for a pong.
    Ping = 10,
    /// The answer to a ping.
    Pong = 11,
    /// The sender accepts no more calls, or the connection ends now.
    Goodbye = 12,
}

impl Kind {
    /// The kind with this number, or `None`.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Self::Call,
            2 => Self::Oneway,
            3 => Self::Reply,
            4 => Self::Cancel,
            5 => Self::StreamItem,
            6 => Self::StreamEnd,
            7 => Self::StreamCredit,
            8 => Self::OnewayCredit,
            9 => Self::Schema,
            10 => Self::Ping,
            11 => Self::Pong,
            12 => Self::Goodbye,
            _ => return None,
        })
    }

    /// The number of this kind.
    #[must_use]
    pub const fn to_byte(self) -> u8 {
        match self {
            Self::Call => 1,
            Self::Oneway => 2,
            Self::Reply => 3,
            Self::Cancel => 4,
            Self::StreamItem => 5,
            Self::StreamEnd => 6,
            Self::StreamCredit => 7,
            Self::OnewayCredit => 8,
            Self::Schema => 9,
            Self::Ping => 10,
            Self::Pong => 11,
            Self::Goodbye => 12,
        }
    }
}

/// How a call has ended (clause 3.5). It is the `detail` field of a Reply's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The payload is the result.
    Ok,
    /// The payload is a value of the method's error type.
    Declared,
    /// The payload is a message in UTF-8.
    Fault,
    /// No registered service has the method.
    UnknownMethod,
    /// The arguments could not be decoded. The payload is the reason.
    BadRequest,
    /// A limit of the peer was reached: the handler did not run, or its reply exceeded a budget. The payload
    /// names the limit.
    ResourceExhausted,
    /// The deadline has passed at the peer.
    DeadlineExceeded,
    /// The handler was cancelled.
    Cancelled,
    /// The reply is larger than a frame may be. The payload is its size and the limit, both u64.
    TooLarge,
    /// The peer refused the call before its handler ran. The payload is the reason.
    Refused,
}

impl Status {
    /// The status with this number, or `None`. A frame with an unknown status is malformed.
    #[must_use]
    pub const fn from_number(number: u32) -> Option<Self> {
        Some(match number {
            0 => Self::Ok,
            1 => Self::Declared,
            2 => Self::Fault,
            3 => Self::UnknownMethod,
            4 => Self::BadRequest,
            5 => Self::ResourceExhausted,
            6 => Self::DeadlineExceeded,
            7 => Self::Cancelled,
            8 => Self::TooLarge,
            9 => Self::Refused,
            _ => return None,
        })
    }

    /// The number of this status.
    #[must_use]
    pub const fn to_number(self) -> u32 {
        match self {
            Self::Ok => 0,
            Self::Declared => 1,
            Self::Fault => 2,
            Self::UnknownMethod => 3,
            Self::BadRequest => 4,
            Self::ResourceExhausted => 5,
            Self::DeadlineExceeded => 6,
            Self::Cancelled => 7,
            Self::TooLarge => 8,
            Self::Refused => 9,
        }
    }
}

/// The options between header and payload (clause 3.3).
mod flag {
    pub(super) const REMAINING_TIME: u8 = 1 << 0;
    pub(super) const PARENT: u8 = 1 << 1;
    pub(super) const METADATA: u8 = 1 << 2;
    pub(super) const STREAM: u8 = 1 << 3;
    pub(super) const KNOWN: u8 = REMAINING_TIME | PARENT | METADATA | STREAM;
}

/// The parent of a nested call: a call that the frame's receiver has made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parent {
    /// The id of the receiver's call.
    pub id: CallId,
    /// The receiver's slot for the call.
    pub token: Token,
    /// The number of calls in which this call is nested, 1 or more.
    pub depth: u32,
}

/// The header and the options of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The kind of the frame.
    pub kind: Kind,
    /// The call; zero for frames about the connection.
    pub id: CallId,
    /// The caller's slot.
    pub token: Token,
    /// The method of a Call or Oneway, the status of a Reply, or a value that depends on the kind.
    pub detail: u32,
    /// The time until the deadline in microseconds.
    pub remaining_time: Option<u64>,
    /// The parent of a nested call.
    pub parent: Option<Parent>,
    /// Whether a Call has a stream of arguments.
    pub has_stream: bool,
    /// The length of the metadata in bytes; 0 for none.
    pub metadata_length: u16,
}

impl Header {
    /// Creates a header without options.
    #[must_use]
    pub const fn new(kind: Kind, id: CallId, token: Token, detail: u32) -> Self {
        Self {
            kind,
            id,
            token,
            detail,
            remaining_time: None,
            parent: None,
            has_stream: false,
            metadata_length: 0,
        }
    }

    /// Creates the header of a frame about the connection.
    #[must_use]
    pub const fn of_connection(kind: Kind, detail: u32) -> Self {
        Self::new(kind, CallId(0), Token(0), detail)
    }

    /// The distance in bytes from the frame's start to its payload.
    #[must_use]
    #[inline]
    pub fn encoded_length(&self) -> usize {
        let mut length = HEADER_LENGTH;
        if self.remaining_time.is_some() {
            length += 8;
        }
        if self.parent.is_some() {
            length += 16;
        }
        if self.metadata_length > 0 {
            length += 4 + usize::from(self.metadata_length);
        }
        length
    }

    /// Writes header and options with a frame length of zero. The caller sets the length when the frame is
    /// complete, and appends the bytes of the metadata, which is the last option.
    #[inline]
    pub fn encode(&self, output: &mut impl FnMut(&[u8])) {
        let mut flags = 0;
        if self.remaining_time.is_some() {
            flags |= flag::REMAINING_TIME;
        }
        if self.parent.is_some() {
            flags |= flag::PARENT;
        }
        if self.metadata_length > 0 {
            flags |= flag::METADATA;
        }
        if self.has_stream {
            flags |= flag::STREAM;
        }
        let [o0, o1] = u16::try_from(self.encoded_length()).unwrap_or(u16::MAX).to_le_bytes();
        let [i0, i1, i2, i3, i4, i5, i6, i7] = self.id.0.to_le_bytes();
        let [t0, t1, t2, t3] = self.token.0.to_le_bytes();
        let [d0, d1, d2, d3] = self.detail.to_le_bytes();
        let kind = self.kind.to_byte();
        output(&[
            0, 0, 0, 0, kind, flags, o0, o1, i0, i1, i2, i3, i4, i5, i6, i7, t0, t1, t2, t3, d0, d1, d2, d3,
        ]);
        if let Some(remaining) = self.remaining_time {
            output(&remaining.to_le_bytes());
        }
        if let Some(parent) = &self.parent {
            output(&parent.id.0.to_le_bytes());
            output(&parent.token.0.to_le_bytes());
            output(&parent.depth.to_le_bytes());
        }
        if self.metadata_length > 0 {
            output(&u32::from(self.metadata_length).to_le_bytes());
        }
    }
}

/// A complete frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The header and the options.
    pub header: Header,
    /// The metadata, if there is any.
    pub metadata: Option<Box<Metadata>>,
    /// The payload. It shares memory with the read buffer.
    pub payload: Bytes,
}

impl Frame {
    /// The size of the payload in bytes.
    #[must_use]
    #[inline]
    pub fn size(&self) -> u64 {
        u64::try_from(self.payload.len()).unwrap_or(u64::MAX)
    }
}

/// The size of a frame, as far as its first bytes have arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// Fewer than four bytes have arrived.
    Unknown,
    /// The frame has this many bytes, with its header.
    Known(usize),
}

/// Reads the length of a frame and checks it, before memory is reserved for the frame.
///
/// # Errors
/// [`ProtocolError::FrameTooLarge`] and [`ProtocolError::FrameTooSmall`].
#[inline]
pub fn frame_size(bytes: &[u8], limit: usize) -> Result<Size, ProtocolError> {
    let Some(&length) = bytes.first_chunk::<4>() else { return Ok(Size::Unknown) };
    let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
    if length < HEADER_LENGTH {
        return Err(ProtocolError::FrameTooSmall { size: length });
    }
    if length > limit {
        return Err(ProtocolError::FrameTooLarge { size: length, limit });
    }
    Ok(Size::Known(length))
}

/// Decodes a complete frame.
///
/// # Errors
/// The header violates clause 3.3.
#[inline]
pub fn parse_frame(mut bytes: Bytes) -> Result<Frame, ProtocolError> {
    let (header, metadata, offset) = parse_header(&bytes)?;
    // Advancing only moves a pointer. Splitting would change a reference count.
    bytes.advance(offset);
    Ok(Frame { header, metadata, payload: bytes })
}

#[inline]
fn parse_header(bytes: &[u8]) -> Result<(Header, Option<Box<Metadata>>, usize), ProtocolError> {
    let Some(fixed) = bytes.first_chunk::<HEADER_LENGTH>() else {
        return Err(ProtocolError::FrameTooSmall { size: bytes.len() });
    };
    let [_, _, _, _, kind, flags, o0, o1, i0, i1, i2, i3, i4, i5, i6, i7, t0, t1, t2, t3, d0, d1, d2, d3] =
        *fixed;
    let kind = Kind::from_byte(kind).ok_or(ProtocolError::UnknownKind { kind })?;
    let offset = usize::from(u16::from_le_bytes([o0, o1]));
    if offset < HEADER_LENGTH || offset > bytes.len() || offset > MAX_PAYLOAD_OFFSET {
        return Err(ProtocolError::PayloadOffset { offset });
    }
    let mut header = Header::new(
        kind,
        CallId(u64::from_le_bytes([i0, i1, i2, i3, i4, i5, i6, i7])),
        Token(u32::from_le_bytes([t0, t1, t2, t3])),
        u32::from_le_bytes([d0, d1, d2, d3]),
    );
    let mut metadata = None;
    if flags != 0 {
        let options = bytes.get(HEADER_LENGTH..offset).unwrap_or_default();
        metadata = parse_options(&mut header, flags, options)?;
    }
    Ok((header, metadata, offset))
}

#[cold]
fn parse_options(
    header: &mut Header,
    flags: u8,
    mut options: &[u8],
) -> Result<Option<Box<Metadata>>, ProtocolError> {
    if flags & !flag::KNOWN != 0 {
        return Err(ProtocolError::UnknownFlags { flags });
    }
    header.has_stream = flags & flag::STREAM != 0;
    let mut take = |length: usize| -> Result<&[u8], ProtocolError> {
        let (head, tail) = options.split_at_checked(length).ok_or(ProtocolError::OptionsTruncated)?;
        options = tail;
        Ok(head)
    };
    if flags & flag::REMAINING_TIME != 0 {
        header.remaining_time = Some(read_u64(take(8)?));
    }
    if flags & flag::PARENT != 0 {
        let id = CallId(read_u64(take(8)?));
        let token = Token(read_u32(take(4)?));
        let depth = read_u32(take(4)?);
        if depth == 0 {
            return Err(ProtocolError::OptionsTruncated);
        }
        header.parent = Some(Parent { id, token, depth });
    }
    if flags & flag::METADATA == 0 {
        return Ok(None);
    }
    let length = usize::try_from(read_u32(take(4)?)).unwrap_or(usize::MAX);
    let metadata = Metadata::decode(take(length)?).map_err(|_malformed| ProtocolError::Metadata)?;
    header.metadata_length = u16::try_from(length).unwrap_or(u16::MAX);
    Ok((!metadata.is_empty()).then(|| Box::new(metadata)))
}

fn read_u64(bytes: &[u8]) -> u64 {
    bytes.first_chunk().map_or(0, |chunk| u64::from_le_bytes(*chunk))
}

fn read_u32(bytes: &[u8]) -> u32 {
    bytes.first_chunk().map_or(0, |chunk| u32::from_le_bytes(*chunk))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(header: Header, payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        header.encode(&mut |part: &[u8]| bytes.extend_from_slice(part));
        bytes.extend_from_slice(payload);
        let length = u32::try_from(bytes.len()).unwrap();
        bytes[..4].copy_from_slice(&length.to_le_bytes());
        bytes
    }

    #[test]
    fn header_with_all_options_round_trips() {
        let header = Header {
            remaining_time: Some(1_500_000),
            parent: Some(Parent { id: CallId(7), token: Token(3), depth: 2 }),
            has_stream: true,
            metadata_length: 5,
            ..Header::new(Kind::Call, CallId(9), Token(1), 0xdead_beef)
        };
        let metadata = b"\x01a\x01\x007";
        let bytes = encode(header, &[metadata, &b"payload"[..]].concat());
        assert_eq!(frame_size(&bytes, 1024), Ok(Size::Known(bytes.len())));
        let frame = parse_frame(Bytes::from(bytes)).unwrap();
        assert_eq!(frame.header, header);
        assert_eq!(frame.metadata.unwrap().encoded(), metadata);
        assert_eq!(frame.payload, Bytes::from_static(b"payload"));
    }

    #[test]
    fn frame_size_is_checked_from_first_bytes() {
        assert_eq!(frame_size(&[1, 2, 3], 1024), Ok(Size::Unknown));
        assert_eq!(
            frame_size(&[0xff; 4], 1024),
            Err(ProtocolError::FrameTooLarge { size: 0xffff_ffff, limit: 1024 })
        );
        assert_eq!(frame_size(&[23, 0, 0, 0], 1024), Err(ProtocolError::FrameTooSmall { size: 23 }));
    }

    #[test]
    fn unknown_kinds_flags_and_offsets_are_errors() {
        let good = encode(Header::new(Kind::Reply, CallId(1), Token(0), 0), b"");
        let with = |at: usize, value: u8| {
            let mut bytes = good.clone();
            bytes[at] = value;
            parse_frame(Bytes::from(bytes))
        };
        assert_eq!(with(4, 99), Err(ProtocolError::UnknownKind { kind: 99 }));
        assert_eq!(with(5, 0x80), Err(ProtocolError::UnknownFlags { flags: 0x80 }));
        assert_eq!(with(5, 1), Err(ProtocolError::OptionsTruncated));
        assert_eq!(with(6, 25), Err(ProtocolError::PayloadOffset { offset: 25 }));
        assert_eq!(with(6, 3), Err(ProtocolError::PayloadOffset { offset: 3 }));
    }

    #[test]
    fn kinds_and_statuses_round_trip() {
        for byte in 0..=u8::MAX {
            if let Some(kind) = Kind::from_byte(byte) {
                assert_eq!(kind.to_byte(), byte);
            }
            if let Some(status) = Status::from_number(u32::from(byte)) {
                assert_eq!(status.to_number(), u32::from(byte));
            }
        }
    }
}
