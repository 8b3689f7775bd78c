//! Bytes that are not a value are refused, with a message that names the problem and the place.

use std::convert::Infallible;
use std::time::Duration;

use kaa_rpc_runtime::Timestamp;
use kaa_rpc_runtime::codec::{DecodeError, Wire, shape};
use uuid::Uuid;

use crate::model::{Order, Point, Program, Source, TimeRange, decode};
use crate::vectors::{bytes, lines};

#[test]
fn invalid_bytes_are_refused_with_message() {
    let lines = lines("rejected.txt");
    assert!(lines.len() > 50, "vectors are missing");
    for line in lines {
        let error = attempt(&line[0], &bytes(&line[1])).expect_err(&line.join(" "));
        assert_eq!(error.to_string(), line[2..].join(" "), "{} {}", line[0], line[1]);
    }
}

fn attempt(kind: &str, bytes: &[u8]) -> Result<(), DecodeError> {
    fn decoded<W: Wire>(bytes: &[u8]) -> Result<(), DecodeError> {
        decode::<W>(bytes).map(drop)
    }
    match kind {
        "bool" => decoded::<bool>(bytes),
        "u16" => decoded::<u16>(bytes),
        "u32" => decoded::<u32>(bytes),
        "u64" => decoded::<u64>(bytes),
        "i16" => decoded::<i16>(bytes),
        "char" => decoded::<char>(bytes),
        "Duration" => decoded::<Duration>(bytes),
        "Timestamp" => decoded::<Timestamp>(bytes),
        "Uuid" => decoded::<Uuid>(bytes),
        "Infallible" => decoded::<Infallible>(bytes),
        "String" => decoded::<shape::String>(bytes),
        "String<3>" => decoded::<shape::String<3>>(bytes),
        "Bytes" => decoded::<shape::Bytes>(bytes),
        "Bytes<3>" => decoded::<shape::Bytes<3>>(bytes),
        "Option<u16>" => decoded::<shape::Option<u16>>(bytes),
        "Vec<u64>" => decoded::<shape::Vec<u64>>(bytes),
        "Vec<u64,2>" => decoded::<shape::Vec<u64, 2>>(bytes),
        "Vec<Point>" => decoded::<shape::Vec<Point>>(bytes),
        "Set<u8>" => decoded::<shape::Set<u8>>(bytes),
        "Set<u16>" => decoded::<shape::Set<u16>>(bytes),
        "Set<u8,2>" => decoded::<shape::Set<u8, 2>>(bytes),
        "HashSet<u8>" => decoded::<shape::HashSet<u8>>(bytes),
        "HashSet<u8,2>" => decoded::<shape::HashSet<u8, 2>>(bytes),
        "Map<u8,u8>" => decoded::<shape::Map<u8, u8>>(bytes),
        "Map<u8,u8,1>" => decoded::<shape::Map<u8, u8, 1>>(bytes),
        "HashMap<u8,u8>" => decoded::<shape::HashMap<u8, u8>>(bytes),
        "HashMap<u8,u8,1>" => decoded::<shape::HashMap<u8, u8, 1>>(bytes),
        "Array<u8,3>" => decoded::<shape::Array<u8, 3>>(bytes),
        "Array<Point,2>" => decoded::<shape::Array<Point, 2>>(bytes),
        "Point" => decoded::<Point>(bytes),
        "TimeRange" => decoded::<TimeRange>(bytes),
        "Order" => decoded::<Order>(bytes),
        "Source" => decoded::<Source>(bytes),
        "Program" => decoded::<Program>(bytes),
        other => panic!("unknown type: {other}"),
    }
}
