//! Every value that decodes can be encoded, and the encoding decodes to the same value.
#![no_main]

use bytes::Bytes;
use kaa_rpc_fuzz::api::everything::{Everything, Shape};
use kaa_rpc_runtime::codec::{Buffer, DecodeLimits, Decoder, Encoder, Wire};
use libfuzzer_sys::fuzz_target;

fn check<W: Wire>(payload: &Bytes) {
    let limits = DecodeLimits { memory: 1 << 20, ..DecodeLimits::default() };
    let Ok(value) = W::decode(&mut Decoder::new(payload, limits)) else { return };
    let first = encode::<W>(&value);
    let again =
        W::decode(&mut Decoder::new(&first, DecodeLimits::default())).expect("what was encoded decodes");
    // Compared as bytes: a NaN is not equal to itself.
    assert_eq!(first, encode::<W>(&again));
}

fn encode<W: Wire>(value: &W::Value) -> Bytes {
    let mut buffer = Buffer::new();
    W::encode(value, &mut Encoder::new(&mut buffer, usize::MAX)).expect("what was decoded encodes");
    let mut bytes = Vec::new();
    while !buffer.is_empty() {
        let mut slices = [std::io::IoSlice::new(&[]); 8];
        let count = buffer.chunks(&mut slices);
        let part: Vec<u8> = slices[..count].iter().flat_map(|slice| slice.iter().copied()).collect();
        bytes.extend_from_slice(&part);
        buffer.advance(part.len());
    }
    bytes.into()
}

fuzz_target!(|data: &[u8]| {
    let payload = Bytes::copy_from_slice(data);
    check::<Everything>(&payload);
    check::<Shape>(&payload);
});
