//! Leaf values: the codec's bytes, the file's bytes and bincode's bytes are equal.

use std::fmt::Debug;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use kaa_rpc_runtime::Timestamp;
use kaa_rpc_runtime::codec::{Wire, shape};
use uuid::Uuid;

use crate::model::{decode, encode};
use crate::vectors::{bytes, hex, lines};

#[test]
fn leaves_match_golden_bytes_and_bincode() {
    let lines = lines("leaf.txt");
    assert!(lines.len() > 100, "vectors are missing");
    for line in lines {
        let [kind, value, expected] = line.as_slice() else {
            panic!("expected three fields, but got {line:?}")
        };
        leaf(kind, value, &bytes(expected));
    }
}

fn leaf(kind: &str, value: &str, expected: &[u8]) {
    match kind {
        "bool" => number::<bool>(value, expected),
        "u8" => number::<u8>(value, expected),
        "u16" => number::<u16>(value, expected),
        "u32" => number::<u32>(value, expected),
        "u64" => number::<u64>(value, expected),
        "u128" => number::<u128>(value, expected),
        "i8" => number::<i8>(value, expected),
        "i16" => number::<i16>(value, expected),
        "i32" => number::<i32>(value, expected),
        "i64" => number::<i64>(value, expected),
        "i128" => number::<i128>(value, expected),
        "f32" => {
            let value: f32 = value.parse().unwrap();
            check::<F32>(&value.to_bits(), expected, &bincode(&value));
        }
        "f64" => {
            let value: f64 = value.parse().unwrap();
            check::<F64>(&value.to_bits(), expected, &bincode(&value));
        }
        "char" => {
            let code = u32::from_str_radix(value.strip_prefix("U+").unwrap(), 16).unwrap();
            let value = char::from_u32(code).unwrap();
            check::<char>(&value, expected, &bincode(&value));
        }
        "String" => {
            let value = match value.split_once('*') {
                Some((text, times)) => text.repeat(times.parse().unwrap()),
                None => value.trim_matches('"').to_owned(),
            };
            check::<shape::String>(&value, expected, &bincode(&value));
        }
        "Bytes" => {
            let value = bytes(value.strip_prefix('x').unwrap());
            check::<shape::Bytes>(&Bytes::from(value.clone()), expected, &bincode(&value));
            check::<shape::Vec<u8>>(&value, expected, &bincode(&value));
        }
        "Duration" => {
            let (seconds, nanoseconds) = pair(value);
            let value = Duration::new(seconds, nanoseconds);
            check::<Duration>(&value, expected, &bincode(&value));
        }
        "Timestamp" => {
            let (seconds, nanoseconds) = pair(value);
            let value = Timestamp::new(seconds, nanoseconds).unwrap();
            check::<Timestamp>(&value, expected, &bincode(&(seconds, nanoseconds)));
        }
        "Uuid" => {
            let value = Uuid::parse_str(value).unwrap();
            check::<Uuid>(&value, expected, &bincode(value.as_bytes()));
        }
        other => panic!("unknown type: {other}"),
    }
}

fn pair<A: FromStr<Err: Debug>>(text: &str) -> (A, u32) {
    let (first, second) = text.split_once(',').unwrap();
    (first.parse().unwrap(), second.parse().unwrap())
}

fn number<W>(value: &str, expected: &[u8])
where
    W: Wire<Value = W> + FromStr<Err: Debug> + bincode::Encode + PartialEq + Debug,
{
    let value: W = value.parse().unwrap();
    check::<W>(&value, expected, &bincode(&value));
}

fn bincode<T: bincode::Encode>(value: &T) -> Vec<u8> {
    bincode::encode_to_vec(value, bincode::config::standard()).unwrap()
}

fn check<W: Wire<Value: PartialEq + Debug>>(value: &W::Value, expected: &[u8], bincode: &[u8]) {
    assert_eq!(hex(&encode::<W>(value)), hex(expected), "{value:?}");
    assert_eq!(hex(bincode), hex(expected), "bincode's {value:?}");
    assert_eq!(&decode::<W>(expected).unwrap(), value);
    assert!(W::MIN_SIZE <= expected.len(), "{value:?} is smaller than the smallest value");
    for end in 0..expected.len() {
        let error = decode::<W>(&expected[..end]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the bytes end in the middle of a value",
            "{value:?} truncated at {end}"
        );
    }
}

/// Floats by their bits, so that NaN and both zeros can be compared.
macro_rules! by_bits {
    ($name:ident $float:ident $bits:ident) => {
        struct $name;

        impl Wire for $name {
            type Value = $bits;
            const MIN_SIZE: usize = $float::MIN_SIZE;
            fn encode(
                value: &$bits,
                encoder: &mut kaa_rpc_runtime::codec::Encoder<'_>,
            ) -> Result<(), kaa_rpc_runtime::codec::EncodeError> {
                <$float as Wire>::encode(&$float::from_bits(*value), encoder)
            }
            fn decode(
                decoder: &mut kaa_rpc_runtime::codec::Decoder<'_>,
            ) -> Result<$bits, kaa_rpc_runtime::codec::DecodeError> {
                <$float as Wire>::decode(decoder).map($float::to_bits)
            }
        }
    };
}

by_bits!(F32 f32 u32);
by_bits!(F64 f64 u64);
