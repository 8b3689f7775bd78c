//! Any bytes are frames or an error, and no bytes after a frame are read. Frames of streams in any order are accepted
//! within their credit, or rejected.
#![no_main]

use bytes::Bytes;
use kaa_rpc_runtime::protocol::frame::{Frame, Kind, Size, frame_size, parse_frame};
use kaa_rpc_runtime::protocol::streams::{Receiving, Sending, StreamDetail, StreamEnd};
use libfuzzer_sys::fuzz_target;

/// Both halves of one stream, which get every frame of any stream.
struct Stream {
    sending: Sending<()>,
    receiving: Receiving<()>,
    window: u32,
    held: usize,
}

impl Stream {
    fn new(window: u32) -> Self {
        Self { sending: Sending::new(window), receiving: Receiving::new(window), window, held: 0 }
    }

    /// After any frame, the buffered bytes are bounded, and the credit does not exceed the window.
    fn apply(&mut self, frame: &Frame) {
        let detail = StreamDetail::decode(frame.header.detail);
        match frame.header.kind {
            Kind::StreamItem => {
                let before = self.held;
                if self.receiving.receive(frame.payload.clone(), 1).is_ok() {
                    assert!(before < self.window as usize, "an item was accepted without credit");
                    self.held += frame.payload.len() + 24;
                }
            }
            Kind::StreamEnd => {
                let _result = self.receiving.finish(StreamEnd::Finished, 1);
            }
            Kind::StreamCredit => {
                self.sending.spend(frame.payload.len());
                let _result = self.sending.grant(detail.value, 1);
                assert!(self.sending.credit() <= i64::from(self.window));
            }
            _ => {
                let _taken = self.receiving.take();
                if let Some(grant) = self.receiving.take_grant() {
                    self.held -= grant as usize;
                }
            }
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let mut rest = data;
    let mut stream = Stream::new(data.first().map_or(1, |byte| u32::from(*byte) * 64 + 1));
    while let Ok(Size::Known(size)) = frame_size(rest, 4 << 20) {
        let Some((frame, after)) = rest.split_at_checked(size) else { break };
        if let Ok(parsed) = parse_frame(Bytes::copy_from_slice(frame)) {
            assert!(parsed.payload.len() + 24 <= frame.len());
            stream.apply(&parsed);
        }
        rest = after;
    }
});
