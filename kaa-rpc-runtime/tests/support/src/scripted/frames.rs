//! Frames built by hand, so that a change of their layout does not go unnoticed.

pub const CALL: u8 = 1;
pub const ONEWAY: u8 = 2;
pub const REPLY: u8 = 3;
pub const CANCEL: u8 = 4;
pub const STREAM_ITEM: u8 = 5;
pub const STREAM_END: u8 = 6;
pub const STREAM_CREDIT: u8 = 7;
pub const ONEWAY_CREDIT: u8 = 8;
pub const SCHEMA: u8 = 9;
pub const PING: u8 = 10;
pub const PONG: u8 = 11;
pub const GOODBYE: u8 = 12;

/// Statuses of a Reply.
pub const OK: u32 = 0;
pub const FAULT: u32 = 2;
pub const UNKNOWN_METHOD: u32 = 3;
pub const BAD_REQUEST: u32 = 4;
pub const RESOURCE_EXHAUSTED: u32 = 5;
pub const DEADLINE_EXCEEDED: u32 = 6;
pub const CANCELLED: u32 = 7;
pub const REFUSED: u32 = 9;

/// Reasons of a Goodbye.
pub const RATE_LIMITED: u32 = 4;
pub const FRAME_TOO_LARGE: u32 = 5;

/// Codes of a StreamEnd.
pub const FINISHED: u32 = 0;
pub const STOP_SENDING: u32 = 2;
/// In the detail of frames about streams: the receiver of the frame made the call.
pub const RECEIVERS_CALL: u32 = 1 << 31;

/// A frame that was received.
#[derive(Debug, Clone, PartialEq)]
pub struct ReceivedFrame {
    pub kind: u8,
    pub id: u64,
    pub token: u32,
    pub detail: u32,
    pub payload: Vec<u8>,
}

impl ReceivedFrame {
    /// The payload as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.payload).into_owned()
    }
}

/// A frame: length, kind, flags, offset of the payload, id, token, detail, options, payload; little-endian.
pub fn frame_with(
    kind: u8,
    (id, token, detail): (u64, u32, u32),
    (flags, options): (u8, &[u8]),
    payload: &[u8],
) -> Vec<u8> {
    let offset = 24 + options.len();
    let mut bytes = u32::try_from(offset + payload.len()).unwrap().to_le_bytes().to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(u16::try_from(offset).unwrap().to_le_bytes());
    bytes.extend(id.to_le_bytes());
    bytes.extend(token.to_le_bytes());
    bytes.extend(detail.to_le_bytes());
    bytes.extend(options);
    bytes.extend(payload);
    bytes
}

pub fn frame(kind: u8, id: u64, token: u32, detail: u32, payload: &[u8]) -> Vec<u8> {
    frame_with(kind, (id, token, detail), (0, b""), payload)
}

/// A call with a text as its argument.
pub fn call(id: u64, method: u32, argument: &str) -> Vec<u8> {
    frame(CALL, id, 7, method, &text(argument))
}

/// A oneway call with a text as its argument.
pub fn oneway(id: u64, method: u32, argument: &str) -> Vec<u8> {
    frame(ONEWAY, id, 0, method, &text(argument))
}

/// A call that has this many microseconds left.
pub fn call_within(id: u64, method: u32, argument: &str, microseconds: u64) -> Vec<u8> {
    frame_with(CALL, (id, 7, method), (1, &microseconds.to_le_bytes()), &text(argument))
}

/// A call made by a handler. `parent` is the id and token of the receiver's call that this handler serves.
pub fn nested_call(id: u64, method: u32, argument: &str, parent: (u64, u32), depth: u32) -> Vec<u8> {
    nested(CALL, id, method, argument, parent, depth)
}

/// The same for either kind of call.
pub fn nested(kind: u8, id: u64, method: u32, argument: &str, parent: (u64, u32), depth: u32) -> Vec<u8> {
    let mut options = parent.0.to_le_bytes().to_vec();
    options.extend(parent.1.to_le_bytes());
    options.extend(depth.to_le_bytes());
    frame_with(kind, (id, 7, method), (2, &options), &text(argument))
}

/// A call with metadata.
pub fn call_with_metadata(id: u64, method: u32, argument: &str, metadata: &[u8]) -> Vec<u8> {
    let length = u32::try_from(metadata.len()).unwrap().to_le_bytes();
    frame_with(CALL, (id, 7, method), (4, &[&length, metadata].concat()), &text(argument))
}

pub fn cancel(id: u64) -> Vec<u8> {
    frame(CANCEL, id, 7, 0, b"")
}

/// A Goodbye that announces a shutdown: the sender wants no more calls.
pub fn goodbye() -> Vec<u8> {
    frame(GOODBYE, 0, 0, 0, b"")
}

/// A Goodbye that names the last call that its sender answers.
pub fn last_goodbye(last: u64) -> Vec<u8> {
    frame(GOODBYE, last, 1, 0, b"")
}

/// A text on the wire: its length as a varint, then its bytes.
pub fn text(text: &str) -> Vec<u8> {
    let mut bytes = match text.len() {
        short @ 0..=250 => vec![u8::try_from(short).unwrap()],
        long => [&[252], &u32::try_from(long).unwrap().to_le_bytes()[..]].concat(),
    };
    bytes.extend(text.as_bytes());
    bytes
}

/// A call with a zero as its argument and a stream of arguments.
pub fn stream_call(id: u64, method: u32) -> Vec<u8> {
    frame_with(CALL, (id, 7, method), (8, b""), &[0])
}

/// A call with a small number as its argument.
pub fn number_call(id: u64, method: u32, number: u8) -> Vec<u8> {
    frame(CALL, id, 7, method, &[number])
}

/// Items of a stream of arguments.
pub fn items(id: u64, items: &[u8]) -> Vec<u8> {
    frame(STREAM_ITEM, id, 7, 0, items)
}

/// The end of a stream of arguments.
pub fn end_of_arguments(id: u64, code: u32, message: &[u8]) -> Vec<u8> {
    frame(STREAM_END, id, 7, code, message)
}

/// Items of the stream that a call returns.
pub fn results(call: &ReceivedFrame, items: &[u8]) -> Vec<u8> {
    frame(STREAM_ITEM, call.id, call.token, RECEIVERS_CALL, items)
}
