//! Hostile lengths under a hard limit on the memory of the process: if the decoder trusted one, the process
//! would abort.
//!
//! This test program is separate, because the limit applies to the whole process.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that cannot go on has failed"
)]

use std::collections::BTreeMap;

use bytes::Bytes;
use kaa_rpc_runtime::codec::{DecodeLimits, Decoder, Wire, shape};
use rustix::process::{Resource, Rlimit, setrlimit};

const BUDGET: usize = 8 << 20;

/// Limits the memory to what is used already, the budget, and a reserve for the test.
fn limit_memory() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmData:")).unwrap();
    let kibibytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    let limit = kibibytes * 1024 + (24 << 20);
    setrlimit(Resource::Data, Rlimit { current: Some(limit), maximum: Some(limit) }).unwrap();
}

fn bomb<W: Wire>(payload: &Bytes) {
    let limits = DecodeLimits::new(BUDGET);
    drop(W::decode(&mut Decoder::new(payload, limits)));
}

/// Each value claims half a million others.
#[derive(serde::Serialize, serde::Deserialize)]
struct Many(Vec<Many>);

#[test]
fn untrusted_lengths_allocate_nothing() {
    limit_memory();
    assert!(Vec::<u8>::new().try_reserve(32 << 20).is_err(), "the limit does not apply");

    // Lengths of all sizes, alone and before a megabyte of one byte.
    let mut payloads = Vec::new();
    for filler in [0x00, 0x01, 0x02, 0xfa, 0xfb, 0xfc, 0xfd, 0xff] {
        for length in (0..64).step_by(3).map(|bits| u64::MAX >> bits) {
            for more in [0, 1 << 20] {
                payloads.push((length, filler, more));
            }
        }
    }
    bomb::<shape::Extern<Many>>(&Bytes::from([0xfc, 0, 0, 8, 0].repeat(200_000)));
    for (length, filler, more) in payloads {
        let mut bytes = vec![0xfd];
        bytes.extend(length.to_le_bytes());
        bytes.resize(bytes.len() + more, filler);
        let payload = Bytes::from(bytes);
        bomb::<shape::String>(&payload);
        bomb::<shape::Bytes>(&payload);
        bomb::<shape::Vec<u128>>(&payload);
        bomb::<shape::Vec<shape::Array<u8, 512>>>(&payload);
        bomb::<shape::Vec<shape::Vec<shape::Vec<shape::Vec<u64>>>>>(&payload);
        bomb::<shape::Vec<shape::String>>(&payload);
        bomb::<shape::Set<u64>>(&payload);
        bomb::<shape::HashSet<u32>>(&payload);
        bomb::<shape::Vec<shape::HashSet<u8>>>(&payload);
        bomb::<shape::Map<u64, shape::Vec<u8>>>(&payload);
        bomb::<shape::HashMap<u64, shape::Option<u128>>>(&payload);
        bomb::<shape::Extern<String>>(&payload);
        bomb::<shape::Extern<Vec<Vec<Vec<String>>>>>(&payload);
        bomb::<shape::Extern<Vec<[u128; 16]>>>(&payload);
        bomb::<shape::Extern<BTreeMap<u64, Vec<u64>>>>(&payload);
    }
}
