//! Frames about streams, built by hand, so that a change of their layout does not go unnoticed.

use super::raw::{CALL, Received, frame, frame_with};

pub(crate) const STREAM_ITEM: u8 = 5;
pub(crate) const STREAM_END: u8 = 6;
pub(crate) const STREAM_CREDIT: u8 = 7;

pub(crate) const FINISHED: u32 = 0;
pub(crate) const STOP_SENDING: u32 = 2;
/// In the detail of frames about streams: the call is the receiver's.
pub(crate) const YOURS: u32 = 1 << 31;

/// A call with a zero for its argument, which a stream follows.
pub(crate) fn stream_call(id: u64, method: u32) -> Vec<u8> {
    frame_with(CALL, (id, 7, method), (8, b""), &[0])
}

/// A call with a small number for its argument.
pub(crate) fn call_of_number(id: u64, method: u32, number: u8) -> Vec<u8> {
    frame(CALL, id, 7, method, &[number])
}

/// Items of a stream of arguments.
pub(crate) fn items(id: u64, items: &[u8]) -> Vec<u8> {
    frame(STREAM_ITEM, id, 7, 0, items)
}

/// The end of a stream of arguments.
pub(crate) fn end_of_arguments(id: u64, code: u32, message: &[u8]) -> Vec<u8> {
    frame(STREAM_END, id, 7, code, message)
}

/// Items of the stream that a call returns.
pub(crate) fn results(call: &Received, items: &[u8]) -> Vec<u8> {
    frame(STREAM_ITEM, call.id, call.token, YOURS, items)
}
