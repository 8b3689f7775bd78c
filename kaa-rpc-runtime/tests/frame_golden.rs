//! Frames have exactly the bytes of the specification (`docs/wire.md`, section 3).

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use bytes::Bytes;
use kaa_rpc_runtime::Metadata;
use kaa_rpc_runtime::protocol::frame::{
    CallId, Header, Kind, Parent, Size, Status, Token, frame_size, parse_frame,
};
use kaa_rpc_runtime::protocol::streams::{Caller, EndCode, StreamDetail};

const METHOD: u32 = 0xdead_beef;

/// The golden bytes of the frame with this name.
fn golden(name: &str) -> Vec<u8> {
    let file = include_str!("golden/frames.txt");
    let line = file.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let digits: Vec<u8> = line.unwrap().bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn encode(header: &Header, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    header.encode(&mut |part| bytes.extend_from_slice(part));
    bytes.extend_from_slice(payload);
    let length = u32::try_from(bytes.len()).unwrap().to_le_bytes();
    bytes.splice(..4, length);
    bytes
}

fn check(name: &str, header: &Header, payload: &[u8]) {
    assert_eq!(encode(header, payload), golden(name), "{name}");
    check_reading(name, header, payload);
}

fn check_reading(name: &str, header: &Header, payload: &[u8]) {
    let bytes = golden(name);
    assert_eq!(frame_size(&bytes, 1024), Ok(Size::Known(bytes.len())), "{name}");
    let frame = parse_frame(Bytes::from(bytes)).unwrap();
    assert_eq!(frame.header, *header, "{name}");
    assert_eq!(frame.payload, payload, "{name}");
}

#[test]
fn frames_match_golden_bytes() {
    let call = |id: u64, token: u32| Header::new(Kind::Call, CallId(id), Token(token), METHOD);
    check("call", &call(1, 0), b"\x05h");
    check("timed call", &Header { remaining_time: Some(2_000_000), ..call(2, 1) }, b"\x05h");
    let parent = Some(Parent { id: CallId(9), token: Token(4), depth: 1 });
    check("nested call", &Header { parent, ..call(3, 2) }, b"\x05h");
    check_reading("padded call", &call(4, 0), b"\x05h");
    check("stream call", &Header { has_stream: true, ..call(6, 3) }, b"\x05h");
    let metadata = Metadata::new().with("tier", "red").unwrap();
    let length = u16::try_from(metadata.encoded().len()).unwrap();
    let with_metadata = [metadata.encoded(), b"\x05h"].concat();
    let header = Header { metadata_length: length, ..call(7, 0) };
    assert_eq!(encode(&header, &with_metadata), golden("call with metadata"));
    let frame = parse_frame(Bytes::from(golden("call with metadata"))).unwrap();
    assert_eq!((frame.header, frame.metadata.as_deref()), (header, Some(&metadata)));
    check("oneway", &Header::new(Kind::Oneway, CallId(5), Token(0), METHOD), b"");
    let reply = |status: Status| Header::new(Kind::Reply, CallId(1), Token(0), status.to_number());
    check("reply", &reply(Status::Ok), b"\x05h");
    check("fault", &reply(Status::Fault), b"ohno");
    check("refused", &reply(Status::Refused), b"no entry");
    check("cancel", &Header::new(Kind::Cancel, CallId(1), Token(0), 0), b"");
    check("credit", &Header::of_connection(Kind::OnewayCredit, 128), b"");
    check("ping", &Header::of_connection(Kind::Ping, 0), b"");
    check("goodbye", &Header::new(Kind::Goodbye, CallId(7), Token(1), 1), b"oop");
}

#[test]
fn stream_frames_match_golden_bytes() {
    let check = |name: &str, kind: Kind, caller: Caller, value: u32, payload: &[u8]| {
        let (id, token) = if matches!(name, "results" | "credit for results") { (1, 0) } else { (6, 3) };
        let detail = StreamDetail { caller, value };
        check(name, &Header::new(kind, CallId(id), Token(token), detail.encode()), payload);
        assert_eq!(StreamDetail::decode(detail.encode()).value, value, "{name}");
    };
    let end = |code: EndCode| code.to_number();
    let items = b"\x01\x05\x03\xfb\x2c\x01";
    check("arguments", Kind::StreamItem, Caller::Us, 0, items);
    check("results", Kind::StreamItem, Caller::Peer, 0, items);
    check("finished", Kind::StreamEnd, Caller::Us, end(EndCode::Finished), b"");
    check("broken", Kind::StreamEnd, Caller::Us, end(EndCode::Broken), b"torn");
    check("stop", Kind::StreamEnd, Caller::Peer, end(EndCode::Stop), b"");
    check("credit for arguments", Kind::StreamCredit, Caller::Peer, 0x20000, b"");
    check("credit for results", Kind::StreamCredit, Caller::Us, 0x20000, b"");
}
