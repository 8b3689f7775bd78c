//! Any bytes are frames or an error, and nothing is read beyond a frame's length.
#![no_main]

use bytes::Bytes;
use kaa_rpc_runtime::protocol::frame::{Size, frame_size, parse_frame};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut rest = data;
    while let Ok(Size::Known(size)) = frame_size(rest, 4 << 20) {
        let Some((frame, behind)) = rest.split_at_checked(size) else { break };
        if let Ok(parsed) = parse_frame(Bytes::copy_from_slice(frame)) {
            assert!(parsed.payload.len() + 24 <= frame.len());
        }
        rest = behind;
    }
});
