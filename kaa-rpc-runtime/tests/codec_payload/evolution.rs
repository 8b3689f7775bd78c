//! Old and new versions of a schema decode each other's bytes.

use bytes::Bytes;
use kaa_rpc_runtime::codec::{DecodeError, Decoder, EncodeError, Encoder, Wire, shape};

use crate::model::{Source, decode, encode};

/// `struct Item { id: u32, name: String }`
#[derive(Clone, Debug, PartialEq)]
struct ItemOne {
    id: u32,
    name: String,
}

impl Wire for ItemOne {
    type Value = Self;
    const MIN_SIZE: usize = 1;
    fn encode(value: &Self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.structure(|encoder| {
            encoder.field::<u32>("id", &value.id)?;
            encoder.field::<shape::String>("name", &value.name)
        })
    }
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        decoder.structure("Item", |decoder| {
            Ok(Self { id: decoder.field::<u32>("id")?, name: decoder.field::<shape::String>("name")? })
        })
    }
}

/// `struct Item { id: u32, reserved name: String, note: Option<String>, size: u64 = 7 }`
#[derive(Clone, Debug, PartialEq)]
struct ItemTwo {
    id: u32,
    note: Option<String>,
    size: u64,
}

impl Wire for ItemTwo {
    type Value = Self;
    const MIN_SIZE: usize = 1;
    fn encode(value: &Self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.structure(|encoder| {
            encoder.field::<u32>("id", &value.id)?;
            encoder.tombstone(&[0])?;
            encoder.field::<shape::Option<shape::String>>("note", &value.note)?;
            encoder.field::<u64>("size", &value.size)
        })
    }
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        decoder.structure("Item", |decoder| {
            let id = decoder.field::<u32>("id")?;
            decoder.tombstone::<shape::String>("name")?;
            Ok(Self {
                id,
                note: decoder.field_or::<shape::Option<shape::String>>("note", || None)?,
                size: decoder.field_or::<u64>("size", || 7)?,
            })
        })
    }
}

type Pairs<W> = shape::Vec<W>;

#[test]
fn new_reader_fills_missing_fields_with_defaults() {
    let old = vec![ItemOne { id: 1, name: "one".to_owned() }, ItemOne { id: 300, name: String::new() }];
    let bytes = encode::<Pairs<ItemOne>>(&old);
    let expected = vec![ItemTwo { id: 1, note: None, size: 7 }, ItemTwo { id: 300, note: None, size: 7 }];
    assert_eq!(decode::<Pairs<ItemTwo>>(&bytes).unwrap(), expected);
}

#[test]
fn old_reader_skips_unknown_fields() {
    let new = vec![
        ItemTwo { id: 1, note: Some("n".repeat(400)), size: u64::MAX },
        ItemTwo { id: 2, note: None, size: 0 },
    ];
    let bytes = encode::<Pairs<ItemTwo>>(&new);
    let expected = vec![ItemOne { id: 1, name: String::new() }, ItemOne { id: 2, name: String::new() }];
    assert_eq!(decode::<Pairs<ItemOne>>(&bytes).unwrap(), expected);
}

#[test]
fn arguments_grow_like_structs() {
    fn arguments(decoder: &mut Decoder<'_>) -> Result<(u32, u64), DecodeError> {
        Ok((decoder.field::<u32>("id")?, decoder.field_or::<u64>("size", || 7)?))
    }
    let check = |bytes: &'static [u8], expected| {
        let payload = Bytes::from_static(bytes);
        let limits = kaa_rpc_runtime::codec::DecodeLimits::default();
        let decoded = arguments(&mut Decoder::new(&payload, limits));
        assert_eq!(decoded.map_err(|error| error.to_string()), expected);
    };
    check(&[5], Ok((5, 7)));
    check(&[5, 6], Ok((5, 6)));
    check(&[5, 6, 1, 2, 3], Ok((5, 6)));
    check(&[5, 0xfb], Err("size: the bytes end in the middle of a value".to_owned()));
    check(&[], Err("id: the field is missing and has no default".to_owned()));
}

/// `enum Source { Broadcast { channel: u32 } = 1, Url(String, port: u16 = 80) = 2, Disc { side: u8 = 1 } = 3,
/// Tape = 4, Cloud { bytes: Bytes } = 5 }`
#[derive(Clone, Debug, PartialEq)]
enum SourceTwo {
    Broadcast { channel: u32 },
    Url(String, u16),
    Disc { side: u8 },
    Tape,
    Cloud { bytes: Bytes },
}

impl Wire for SourceTwo {
    type Value = Self;
    const MIN_SIZE: usize = 1;
    fn encode(value: &Self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        match value {
            Self::Broadcast { channel } => {
                encoder.variant(1, |encoder| encoder.field::<u32>("channel", channel))
            }
            Self::Url(url, port) => encoder.variant(2, |encoder| {
                encoder.field::<shape::String>("0", url)?;
                encoder.field::<u16>("1", port)
            }),
            Self::Disc { side } => encoder.variant(3, |encoder| encoder.field::<u8>("side", side)),
            Self::Tape => encoder.unit_variant(4),
            Self::Cloud { bytes } => {
                encoder.variant(5, |encoder| encoder.field::<shape::Bytes>("bytes", bytes))
            }
        }
    }
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        decoder.variant("Source", |tag, decoder| match tag {
            1 => Ok(Self::Broadcast { channel: decoder.field::<u32>("channel")? }),
            2 => Ok(Self::Url(decoder.field::<shape::String>("0")?, decoder.field_or::<u16>("1", || 80)?)),
            3 => Ok(Self::Disc { side: decoder.field_or::<u8>("side", || 1)? }),
            4 => Ok(Self::Tape),
            5 => Ok(Self::Cloud { bytes: decoder.field::<shape::Bytes>("bytes")? }),
            tag => Err(DecodeError::unknown_tag("Source", tag)),
        })
    }
}

#[test]
fn variants_grow_like_structs() {
    let old = vec![Source::Broadcast { channel: 5, lcn: Some(6) }, Source::Url("u".to_owned()), Source::Disc];
    let new = vec![
        SourceTwo::Broadcast { channel: 5 },
        SourceTwo::Url("u".to_owned(), 80),
        SourceTwo::Disc { side: 1 },
    ];
    assert_eq!(decode::<Pairs<SourceTwo>>(&encode::<Pairs<Source>>(&old)).unwrap(), new);

    let back = vec![Source::Broadcast { channel: 5, lcn: None }, Source::Url("u".to_owned()), Source::Disc];
    assert_eq!(decode::<Pairs<Source>>(&encode::<Pairs<SourceTwo>>(&new)).unwrap(), back);
}

#[test]
fn unknown_variants_pass_through_unchanged() {
    for length in [0, 1, 250, 251, 5_000, 20_000, 70_000] {
        let new = vec![
            SourceTwo::Tape,
            SourceTwo::Cloud { bytes: Bytes::from(vec![3; length]) },
            SourceTwo::Disc { side: 2 },
        ];
        let bytes = encode::<Pairs<SourceTwo>>(&new);
        let mut seen = decode::<Pairs<Source>>(&bytes).unwrap();
        assert!(matches!(seen[..2], [Source::Unknown(_), Source::Unknown(_)]), "{seen:?}");
        seen.truncate(2);
        assert_eq!(decode::<Pairs<SourceTwo>>(&encode::<Pairs<Source>>(&seen)).unwrap(), new[..2]);
    }
}

#[test]
fn unknown_variants_have_a_serde_form() {
    let bytes = encode::<SourceTwo>(&SourceTwo::Cloud { bytes: Bytes::from_static(b"ab") });
    let Source::Unknown(unknown) = decode::<Source>(&bytes).unwrap() else { panic!("the variant is known") };
    let configuration = bincode::config::standard();
    let form = bincode::serde::encode_to_vec(&unknown, configuration).unwrap();
    // The tag, then a payload of three bytes: a byte string of two.
    assert_eq!(form, [5, 1, 3, 2, b'a', b'b']);
    let (again, _) = bincode::serde::decode_from_slice(&form, configuration).unwrap();
    assert_eq!(unknown, again);
}
