//! Foreign types through serde: the bytes are bincode's, the limits are the codec's.

use kaa_rpc_test_support::assert_matches;
use std::collections::BTreeMap;
use std::fmt::Debug;

use kaa_rpc_runtime::codec::{Buffer, DecodeLimits, Encoder, Wire, shape};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::model::{contents, decode, decode_within, encode};
use crate::vectors::hex;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Settings {
    name: String,
    small: (u8, i8, bool, char),
    wide: (u16, u32, u64, u128, i16, i32, i64, i128),
    ratio: [f64; 2],
    single: f32,
    unit: (),
    mode: Mode,
    modes: Vec<Mode>,
    by_name: BTreeMap<String, Option<Wrapped>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Wrapped(u64);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Mode {
    Off,
    Level(u16),
    Range(i8, i8),
    Named { name: String },
}

fn settings() -> Settings {
    Settings {
        name: "née".to_owned(),
        small: (255, -1, true, '€'),
        wide: (300, 70_000, 1 << 40, 1 << 100, -300, -70_000, -(1 << 40), -(1 << 100)),
        ratio: [1.5, -0.25],
        single: 0.5,
        unit: (),
        mode: Mode::Off,
        modes: vec![Mode::Level(251), Mode::Range(-1, 1), Mode::Named { name: "x".to_owned() }],
        by_name: BTreeMap::from([("a".to_owned(), None), ("b".to_owned(), Some(Wrapped(9)))]),
    }
}

fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) -> Vec<u8> {
    let bytes = encode::<shape::Extern<T>>(value);
    let bincode = bincode::serde::encode_to_vec(value, bincode::config::standard()).unwrap();
    assert_eq!(hex(&bytes), hex(&bincode));
    assert_eq!(&decode::<shape::Extern<T>>(&bytes).unwrap(), value);
    bytes
}

#[test]
fn serde_types_are_encoded_as_bincode() {
    let bytes = check(&settings());
    for end in 0..bytes.len() {
        assert!(decode::<shape::Extern<Settings>>(&bytes[..end]).is_err(), "truncated at {end}");
    }
    check(&std::time::Duration::new(5, 6));
    check(&kaa_rpc_runtime::Timestamp::new(-5, 6).unwrap());
    check(&uuid::Uuid::from_u128(7));
    check(&std::net::IpAddr::from([127, 0, 0, 1]));
    check(&bytes::Bytes::from_static(b"bytes"));
}

#[test]
fn foreign_types_nest_in_other_types() {
    type Shape = shape::Vec<shape::Option<shape::Extern<Settings>>>;
    let value = vec![Some(settings()), None, Some(settings())];
    assert_eq!(decode::<Shape>(&encode::<Shape>(&value)).unwrap(), value);
}

#[test]
fn huge_foreign_lengths_are_errors() {
    let huge = [0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
    for error in [
        decode::<shape::Extern<String>>(&huge).unwrap_err(),
        decode::<shape::Extern<Vec<u64>>>(&huge).unwrap_err(),
        decode::<shape::Extern<Vec<()>>>(&huge).unwrap_err(),
        decode::<shape::Extern<BTreeMap<u8, u8>>>(&huge).unwrap_err(),
        decode::<shape::Extern<bytes::Bytes>>(&huge).unwrap_err(),
    ] {
        assert_eq!(error.to_string(), "the bytes end in the middle of a value");
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Chain(Option<Box<Chain>>);

#[derive(Debug, Serialize, Deserialize)]
enum Endless {
    More(Box<Endless>),
}

#[test]
fn foreign_recursion_counts_towards_depth() {
    let error = decode::<shape::Extern<Chain>>(&[1; 100_000]).unwrap_err();
    assert_eq!(error.to_string(), "nested more than 128 levels deep");
    let error = decode::<shape::Extern<Endless>>(&[0; 100_000]).unwrap_err();
    assert_eq!(error.to_string(), "nested more than 128 levels deep");
}

#[test]
fn foreign_memory_counts_towards_budget() {
    let limits = DecodeLimits::new(100_000);
    let strings: Vec<String> = vec!["x".repeat(90); 1_000];
    let bytes = encode::<shape::Extern<Vec<String>>>(&strings);
    let error = decode_within::<shape::Extern<Vec<String>>>(&bytes, limits).unwrap_err();
    assert_eq!(error.to_string(), "decoding would take more than 100000 bytes of memory");
    let text = encode::<shape::Extern<String>>(&"x".repeat(100_000));
    assert_matches!(decode_within::<shape::Extern<String>>(&text, limits), Err(_));
    // Each number takes one byte on the wire and eight in memory.
    let numbers = encode::<shape::Extern<Vec<u64>>>(&vec![1; 20_000]);
    assert_matches!(decode_within::<shape::Extern<Vec<u64>>>(&numbers, limits), Err(_));
}

#[test]
fn foreign_errors_keep_their_message() {
    #[derive(Debug)]
    struct Failing;
    impl Serialize for Failing {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("cannot serialize"))
        }
    }
    impl<'de> Deserialize<'de> for Failing {
        fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            Err(serde::de::Error::custom("cannot deserialize"))
        }
    }
    let mut buffer = Buffer::new();
    let error = Encoder::new(&mut buffer, 100)
        .field::<shape::Vec<shape::Extern<Failing>>>("items", &vec![Failing])
        .unwrap_err();
    assert!(error.to_string().starts_with("items[0]: "), "{error}");
    assert!(error.to_string().contains("cannot serialize"), "{error}");
    assert_eq!(decode::<shape::Extern<Failing>>(&[1]).unwrap_err().to_string(), "cannot deserialize");
}

#[test]
fn foreign_panic_leaves_buffer_restorable() {
    struct Panics;
    impl Serialize for Panics {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            std::panic::panic_any("a panic that the test expects")
        }
    }
    impl<'de> Deserialize<'de> for Panics {
        fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            Ok(Self)
        }
    }
    let mut buffer = Buffer::new();
    buffer.put_slice(b"before");
    let position = buffer.position();
    let large = bytes::Bytes::from(vec![1; 40_000]);
    let thrown = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        Encoder::new(&mut buffer, usize::MAX).structure(|encoder| {
            encoder.field::<shape::Bytes>("large", &large)?;
            encoder.field::<shape::Extern<Panics>>("panics", &Panics)
        })
    }));
    assert_matches!(thrown, Err(_));
    assert!(buffer.len() > 40_000, "{}", buffer.len());
    buffer.truncate(position);
    assert_eq!(contents(&buffer), b"before");
    u8::encode(&7, &mut Encoder::new(&mut buffer, 1)).unwrap();
    assert_eq!(contents(&buffer), b"before\x07");
}
