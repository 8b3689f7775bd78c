//! The output buffer compared with a plain list of bytes: after any operations both have the same bytes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that cannot go on has failed"
)]

use std::io::IoSlice;

use bytes::Bytes;
use kaa_rpc_runtime::codec::{Buffer, Encoder, Wire, shape};

fn contents(buffer: &Buffer) -> Vec<u8> {
    let mut slices = [IoSlice::new(&[]); 256];
    let filled = buffer.chunks(&mut slices);
    assert!(filled < slices.len(), "more than {filled} chunks");
    assert!(slices[..filled].iter().all(|slice| !slice.is_empty()), "{slices:?}");
    slices[..filled].iter().map(|slice| &**slice).collect::<Vec<_>>().concat()
}

/// A small generator (xorshift64*), sufficient to choose test cases.
fn next(state: &mut u64, end: usize) -> usize {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    usize::try_from(state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32).unwrap() % end
}

#[test]
fn buffer_is_byte_queue() {
    for seed in 1..400_u64 {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut buffer = Buffer::new();
        let mut model: Vec<u8> = Vec::new();
        for step in 0..60_u8 {
            match next(&mut state, 8) {
                0..=1 => {
                    let bytes = vec![step; next(&mut state, 9_000)];
                    buffer.put_slice(&bytes);
                    model.extend(&bytes);
                }
                2..=3 => {
                    let bytes = Bytes::from(vec![step; next(&mut state, 40_000)]);
                    model.extend(&bytes);
                    buffer.put_shared(bytes);
                }
                4 => {
                    let position = buffer.position();
                    buffer.put_slice(&[step; 100]);
                    buffer.put_shared(vec![step; next(&mut state, 20_000)].into());
                    assert_eq!(buffer.written_since(position), buffer.len() - model.len());
                    buffer.truncate(position);
                }
                5 => {
                    let position = buffer.position();
                    buffer.put_slice(&[0; 8]);
                    let payload = Bytes::from(vec![step; next(&mut state, 40_000)]);
                    buffer.put_shared(payload.clone());
                    buffer.put_slice(b"tail");
                    buffer.patch(position, b"head");
                    buffer.patch(position + 6, b"HI");
                    model.extend(b"head\0\0HI");
                    model.extend(&payload);
                    model.extend(b"tail");
                }
                _ => {
                    let count = next(&mut state, model.len() + 1);
                    buffer.advance(count);
                    model.drain(..count);
                }
            }
            assert_eq!(buffer.len(), model.len(), "seed {seed} step {step}");
            assert!(contents(&buffer) == model, "seed {seed} step {step}");
        }
        buffer.advance(model.len());
        assert_eq!(buffer.len(), 0);
        assert_eq!(buffer.chunks(&mut [IoSlice::new(&[])]), 0);
    }
}

#[test]
fn chunks_fills_given_slices() {
    let mut buffer = Buffer::new();
    let large = Bytes::from(vec![1; 20_000]);
    buffer.put_shared(large.clone());
    buffer.put_shared(large.clone());
    buffer.put_slice(b"plain");
    buffer.put_shared(large.clone());
    let mut slices = [IoSlice::new(&[]); 2];
    assert_eq!(buffer.chunks(&mut slices), 2);
    assert_eq!(slices.map(|slice| slice.as_ptr()), [large.as_ptr(); 2]);
    assert_eq!(buffer.chunks(&mut []), 0);
    buffer.advance(20_001);
    let mut slices = [IoSlice::new(&[]); 3];
    assert_eq!(buffer.chunks(&mut slices), 3);
    assert_eq!(slices.map(|slice| slice.len()), [19_999, 5, 20_000]);
}

#[test]
fn large_bytes_are_shared_and_small_ones_copied() {
    let mut buffer = Buffer::new();
    buffer.put_shared(vec![1; 16 * 1024].into());
    assert_eq!(buffer.capacity(), 0);
    buffer.put_shared(vec![1; 16 * 1024 - 1].into());
    assert!(buffer.capacity() >= 16 * 1024 - 1, "{}", buffer.capacity());
    assert_eq!(buffer.len(), 32 * 1024 - 1);
}

#[test]
fn encoding_after_partial_write_is_patched_in_place() {
    let mut buffer = Buffer::new();
    buffer.put_slice(&[7; 10]);
    buffer.put_shared(vec![8; 20_000].into());
    buffer.put_slice(&[9; 10]);
    buffer.advance(10 + 15_000);
    let before = contents(&buffer);
    let value = vec![Bytes::from(vec![1; 300]), Bytes::from(vec![2; 30_000]), Bytes::new()];
    Encoder::new(&mut buffer, usize::MAX)
        .structure(|encoder| {
            encoder.structure(|encoder| encoder.field::<shape::Vec<shape::Bytes>>("parts", &value))
        })
        .unwrap();
    let mut expected = before;
    let mut parts = Vec::new();
    parts.push(3);
    parts.extend([&[0xfb, 0x2c, 0x01][..], &[1; 300]].concat());
    parts.extend([&[0xfb, 0x30, 0x75][..], &[2; 30_000]].concat());
    parts.push(0);
    let prefix = |length: usize| [&[0xfb][..], &u16::try_from(length).unwrap().to_le_bytes()].concat();
    expected.extend(prefix(parts.len() + 3));
    expected.extend(prefix(parts.len()));
    expected.extend(parts);
    assert!(contents(&buffer) == expected, "{:?}", contents(&buffer));
}

#[test]
fn idle_buffer_releases_memory() {
    let mut buffer = Buffer::new();
    let large = vec![1; 1 << 20];
    let send = |buffer: &mut Buffer, bytes: &[u8]| {
        buffer.put_slice(bytes);
        buffer.advance(bytes.len());
    };
    for _ in 0..10 {
        send(&mut buffer, &large);
        for _ in 0..20 {
            send(&mut buffer, &large[..100]);
        }
        assert!(buffer.capacity() >= large.len(), "{}", buffer.capacity());
    }
    for _ in 0..40 {
        send(&mut buffer, &large[..100]);
    }
    assert!(buffer.capacity() <= 64 * 1024, "{}", buffer.capacity());

    send(&mut buffer, &large);
    buffer.put_slice(b"waits");
    buffer.reclaim();
    assert!(buffer.capacity() <= 64 * 1024, "{}", buffer.capacity());
    assert_eq!(contents(&buffer), b"waits");
}

#[test]
fn never_empty_buffer_stays_small() {
    let mut buffer = Buffer::new();
    for _ in 0..10_000 {
        buffer.put_slice(&[1; 1_000]);
        if buffer.len() > 50_000 {
            buffer.advance(999);
        }
    }
    assert!(buffer.capacity() < 400_000, "{}", buffer.capacity());
}

#[test]
fn encoder_counts_written_bytes() {
    let mut buffer = Buffer::new();
    buffer.put_slice(b"header");
    let mut encoder = Encoder::new(&mut buffer, 4);
    u16::encode(&300, &mut encoder).unwrap();
    assert_eq!(encoder.written(), 3);
    let error = u16::encode(&300, &mut encoder).unwrap_err();
    assert_eq!(error.to_string(), "the encoded value exceeds 4 bytes; encoding stopped at 6");
}
