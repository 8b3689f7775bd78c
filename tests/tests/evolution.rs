//! Generated code of two generations of a schema reads each other's values.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use kaa_rpc_runtime::Bytes;
use kaa_rpc_runtime::codec::{Buffer, DecodeError, DecodeLimits, Decoder, Encoder, Wire};
use kaa_rpc_tests::api::evolving::{after, before};

fn encoded<W: Wire<Value = W>>(value: &W) -> Bytes {
    let mut buffer = Buffer::new();
    W::encode(value, &mut Encoder::new(&mut buffer, 1 << 20)).unwrap();
    let mut slices = [std::io::IoSlice::new(&[]); 4];
    let count = buffer.chunks(&mut slices);
    slices[..count].iter().flat_map(|slice| slice.iter().copied()).collect()
}

fn decoded<W: Wire<Value = W>>(bytes: &Bytes) -> Result<W, DecodeError> {
    W::decode(&mut Decoder::new(bytes, DecodeLimits::new(1 << 20)))
}

fn translated<A: Wire<Value = A>, B: Wire<Value = B>>(value: &A) -> B {
    decoded(&encoded(value)).unwrap()
}

#[test]
fn old_schema_reads_new_values_and_skips_unknown_fields() {
    let mut new = after::Score::new("Spem in alium");
    new.key = Some("G".to_owned());
    new.bars = vec![after::Bar::new(1, 4)];
    let old: before::Score = translated(&new);
    // The tombstone sends a zero in the place of the deleted field.
    assert_eq!(old, before::Score { title: "Spem in alium".to_owned(), pages: 0, key: Some("G".to_owned()) });
}

#[test]
fn new_schema_reads_old_values_and_fills_in_defaults() {
    let old = before::Score { title: "Miserere".to_owned(), pages: 12, key: None };
    let new: after::Score = translated(&old);
    assert_eq!(new, after::Score::new("Miserere"));
    assert_eq!((new.language.as_str(), &new.place), ("la", &after::Place::Lost));
}

#[test]
fn record_variant_can_gain_a_field() {
    let old = before::Place::Lent { to: "Tallis".to_owned() };
    let new: after::Place = translated(&old);
    assert_eq!(new, after::Place::Lent { to: "Tallis".to_owned(), until: None });
    assert_eq!(translated::<_, before::Place>(&new), old);
}

#[test]
fn unknown_variant_keeps_its_bytes() {
    for new in
        [after::Place::Archive { room: "B".to_owned(), bars: after::Bar::new(3, 7) }, after::Place::Lost]
    {
        let bytes = encoded(&new);
        let old: before::Place = decoded(&bytes).unwrap();
        assert!(matches!(old, before::Place::Unknown(_)), "{old:?}");
        assert_eq!(encoded(&old), bytes);
        assert_eq!(translated::<_, after::Place>(&old), new);
        let json = serde_json::to_string(&old).unwrap();
        assert_eq!(serde_json::from_str::<before::Place>(&json).unwrap(), old);
    }
}

#[test]
fn sealed_struct_has_no_length_prefix() {
    assert_eq!(encoded(&after::Bar::new(3, 7))[..], [3, 7]);
    assert!(decoded::<after::Bar>(&Bytes::from_static(&[3])).is_err());
}

#[test]
fn decode_errors_name_the_field() {
    let bytes = Bytes::from_static(&[3, 1, b'x', 251]);
    let error = decoded::<before::Score>(&bytes).unwrap_err();
    assert!(
        error.to_string().contains("evolving.before.Score") && error.to_string().contains("pages"),
        "{error}"
    );
}

#[test]
fn tombstones_send_zeros_that_old_peers_can_read() {
    let new = after::Cabinet { last: 42 };
    let old: before::Cabinet = translated(&new);
    assert_eq!(old.last, 42);
    assert_eq!(old.kind, before::Kind::Other);
    assert_eq!(old.chain, before::Chain::End(0));
    assert_eq!(old.form, before::Form::Wide(before::Bar::new(0, 0)));
    assert_eq!((old.owner.as_str(), old.count, old.letter, old.maybe.is_none()), ("", 0, '\0', true));
    assert_eq!(translated::<_, after::Cabinet>(&old), new);
}
