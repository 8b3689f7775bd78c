//! Structured values: encoding gives the bytes of the file, and decoding gives the values.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use bytes::Bytes;
use kaa_rpc_runtime::Timestamp;
use kaa_rpc_runtime::codec::{DecodeError, Decoder, EncodeError, Encoder, Wire, shape};

use crate::model::{MoveArguments, Nothing, Order, Point, Program, Source, TimeRange, decode, encode};
use crate::vectors::{bytes, hex, lines};

/// The vectors of the file. Each must be used.
struct Vectors(BTreeMap<String, Vec<u8>>);

impl Vectors {
    fn check<W: Wire<Value: PartialEq + Debug>>(&mut self, name: &str, value: W::Value) {
        let expected = self.0.remove(name).unwrap_or_else(|| panic!("no vector {name}"));
        assert_eq!(hex(&encode::<W>(&value)), hex(&expected), "{name}");
        assert_eq!(decode::<W>(&expected).unwrap(), value, "{name}");
        assert!(W::MIN_SIZE <= expected.len(), "{name} is smaller than the smallest value");
    }

    fn unknown(&mut self, name: &str, tag: u32, payload: Option<&[u8]>) {
        let expected = self.0.remove(name).unwrap_or_else(|| panic!("no vector {name}"));
        let source = decode::<Source>(&expected).unwrap();
        assert_eq!(hex(&encode::<Source>(&source)), hex(&expected), "{name}");
        let Source::Unknown(unknown) = source else { panic!("{name} is known: {source:?}") };
        assert_eq!(unknown.tag(), tag, "{name}");
        assert_eq!(unknown.payload().map(Bytes::as_ref), payload, "{name}");
    }
}

#[test]
fn structures_match_golden_bytes() {
    let mut vectors = Vectors(lines("structure.txt").iter().map(|l| (l[0].clone(), bytes(&l[1]))).collect());
    structs(&mut vectors);
    collections(&mut vectors);
    sealed_and_enums(&mut vectors);
    assert!(vectors.0.is_empty(), "vectors without a test: {:?}", vectors.0.keys());
}

fn point() -> Point {
    Point { x: 1, y: 300 }
}

fn range() -> TimeRange {
    let at = |seconds, nanoseconds| Timestamp::new(seconds, nanoseconds).unwrap();
    TimeRange { start: at(1, 0), end: at(2, 300) }
}

fn structs(vectors: &mut Vectors) {
    vectors.check::<Nothing>("nothing", Nothing);
    vectors.check::<Point>("point", point());
    for (name, length) in [
        ("struct_of_250", 249),
        ("struct_of_251", 250),
        ("struct_of_65535", 65_532),
        ("struct_of_65536", 65_533),
    ] {
        vectors.check::<Blob>(name, vec![0x61; length]);
    }
    vectors.check::<MoveArguments>("move_arguments", MoveArguments { to: point(), fast: false });
    vectors.check::<Program>(
        "program",
        Program {
            id: 300,
            title: "Guide".to_owned(),
            when: range(),
            digest: [1, 2, 3, 4],
            tags: BTreeMap::from([("a".to_owned(), BTreeSet::from(["b".to_owned(), "c".to_owned()]))]),
            sources: vec![Source::Disc, Source::Url("a".to_owned())],
            poster: Bytes::from_static(&[1, 2, 3]),
            rating: Some(1.0),
            language: "de".to_owned(),
        },
    );
}

fn collections(vectors: &mut Vectors) {
    vectors.check::<shape::Option<u16>>("option_none", None);
    vectors.check::<shape::Option<u16>>("option_some", Some(300));
    vectors.check::<shape::Vec<u16>>("vec_empty", vec![]);
    vectors.check::<shape::Vec<u16>>("vec_u16", vec![1, 2, 300]);
    vectors.check::<shape::Vec<Point>>("vec_points", vec![point(), Point { x: 7, y: 8 }]);
    vectors.check::<shape::Vec<f32>>("vec_f32", vec![1.0, -2.0]);
    vectors.check::<shape::Vec<bool>>("vec_bool", vec![true, false]);
    vectors
        .check::<shape::Set<shape::String>>("set_strings", BTreeSet::from(["bb".to_owned(), "a".to_owned()]));
    vectors.check::<shape::Map<u8, shape::String>>(
        "map",
        BTreeMap::from([(2, String::new()), (1, "hi".to_owned())]),
    );
    vectors.check::<shape::Array<u8, 3>>("array_u8", [1, 2, 255]);
    vectors.check::<shape::Array<u16, 3>>("array_u16", [1, 300, 2]);
    vectors.check::<shape::Array<Point, 2>>("array_points", [point(), Point { x: 7, y: 8 }]);
    vectors.check::<shape::Boxed<Point>>("boxed", Box::new(point()));
}

fn sealed_and_enums(vectors: &mut Vectors) {
    vectors.check::<TimeRange>("sealed_struct", range());
    vectors.check::<Order>("sealed_unit", Order::Title);
    vectors.check::<Order>("sealed_fields", Order::Nearest { degrees: -2 });
    vectors.check::<Source>("enum_unit", Source::Disc);
    vectors.check::<Source>("enum_tuple", Source::Url("a".to_owned()));
    vectors.check::<Source>("enum_fields", Source::Broadcast { channel: 7, lcn: Some(9) });
    vectors.unknown("enum_unknown_unit", 4, None);
    vectors.unknown("enum_unknown_empty", 5, Some(&[]));
    vectors.unknown("enum_unknown_payload", 5, Some(&[0xaa, 0xbb, 0xcc]));
    vectors.unknown("enum_unknown_largest", u32::MAX, None);
}

/// `struct Blob { bytes: Vec<u8> }`
struct Blob;

impl Wire for Blob {
    type Value = Vec<u8>;
    const MIN_SIZE: usize = 1;
    fn encode(value: &Vec<u8>, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.structure(|encoder| encoder.field::<shape::Vec<u8>>("bytes", value))
    }
    fn decode(decoder: &mut Decoder<'_>) -> Result<Vec<u8>, DecodeError> {
        decoder.structure("Blob", |decoder| decoder.field::<shape::Vec<u8>>("bytes"))
    }
}
