//! Types as generated code contains them, one of each kind, and functions that encode and decode.

use std::collections::{BTreeMap, BTreeSet};
use std::io::IoSlice;

use bytes::Bytes;
use kaa_rpc_runtime::Timestamp;
use kaa_rpc_runtime::codec::{
    Buffer, DecodeError, DecodeLimits, Decoder, EncodeError, Encoder, UnknownVariant, Wire, shape,
};

pub(crate) fn encode<W: Wire>(value: &W::Value) -> Vec<u8> {
    encode_within::<W>(value, usize::MAX).expect("the value is encodable")
}

pub(crate) fn encode_within<W: Wire>(value: &W::Value, limit: usize) -> Result<Vec<u8>, EncodeError> {
    let mut buffer = Buffer::new();
    W::encode(value, &mut Encoder::new(&mut buffer, limit))?;
    Ok(contents(&buffer))
}

pub(crate) fn contents(buffer: &Buffer) -> Vec<u8> {
    let mut slices = vec![IoSlice::new(&[]); 1024];
    let filled = buffer.chunks(&mut slices);
    assert!(filled < slices.len(), "more than {filled} chunks");
    let bytes = slices[..filled].iter().map(|slice| &**slice).collect::<Vec<_>>().concat();
    assert_eq!(bytes.len(), buffer.len());
    bytes
}

pub(crate) fn decode<W: Wire>(bytes: &[u8]) -> Result<W::Value, DecodeError> {
    decode_within::<W>(bytes, DecodeLimits::default())
}

pub(crate) fn decode_within<W: Wire>(bytes: &[u8], limits: DecodeLimits) -> Result<W::Value, DecodeError> {
    let payload = Bytes::copy_from_slice(bytes);
    W::decode(&mut Decoder::new(&payload, limits))
}

/// `struct Nothing {}`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Nothing;

impl Wire for Nothing {
    type Value = Self;
    const MIN_SIZE: usize = 1;
    fn encode(_: &Self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.structure(|_| Ok(()))
    }
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        decoder.structure("Nothing", |_| Ok(Self))
    }
}

/// `struct Point { x: u8, y: u16 }`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) x: u8,
    pub(crate) y: u16,
}

impl Wire for Point {
    type Value = Self;
    const MIN_SIZE: usize = 1;
    fn encode(value: &Self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.structure(|encoder| {
            encoder.field::<u8>("x", &value.x)?;
            encoder.field::<u16>("y", &value.y)
        })
    }
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        decoder.structure("Point", |decoder| {
            Ok(Self { x: decoder.field::<u8>("x")?, y: decoder.field::<u16>("y")? })
        })
    }
}

/// The arguments of `fn move(to: Point, fast: bool = true)`, which have no length prefix.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MoveArguments {
    pub(crate) to: Point,
    pub(crate) fast: bool,
}

impl Wire for MoveArguments {
    type Value = Self;
    const MIN_SIZE: usize = 1;
    fn encode(value: &Self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.field::<Point>("to", &value.to)?;
        encoder.field::<bool>("fast", &value.fast)
    }
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self { to: decoder.field::<Point>("to")?, fast: decoder.field_or::<bool>("fast", || true)? })
    }
}

/// `sealed struct TimeRange { start: Timestamp, end: Timestamp }`
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TimeRange {
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
}

impl Wire for TimeRange {
    type Value = Self;
    const MIN_SIZE: usize = 4;
    fn encode(value: &Self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.field::<Timestamp>("start", &value.start)?;
        encoder.field::<Timestamp>("end", &value.end)
    }
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        decoder.sealed("TimeRange", |decoder| {
            Ok(Self {
                start: decoder.sealed_field::<Timestamp>("start")?,
                end: decoder.sealed_field::<Timestamp>("end")?,
            })
        })
    }
}

/// `sealed enum Order { Start, Title, Nearest { degrees: i16 } }`
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Order {
    Start,
    Title,
    Nearest { degrees: i16 },
}

impl Wire for Order {
    type Value = Self;
    const MIN_SIZE: usize = 1;
    fn encode(value: &Self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        match value {
            Self::Start => encoder.sealed_tag(0),
            Self::Title => encoder.sealed_tag(1),
            Self::Nearest { degrees } => {
                encoder.sealed_tag(2)?;
                encoder.field::<i16>("degrees", degrees)
            }
        }
    }
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        match decoder.sealed_tag()? {
            0 => Ok(Self::Start),
            1 => Ok(Self::Title),
            2 => Ok(Self::Nearest { degrees: decoder.sealed_field::<i16>("degrees")? }),
            tag => Err(DecodeError::unknown_tag("Order", tag)),
        }
    }
}

/// `enum Source { Broadcast { channel: u32, lcn: Option<u16> } = 1, Url(String<..=16>) = 2, Disc = 3 }`
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Source {
    Broadcast { channel: u32, lcn: Option<u16> },
    Url(String),
    Disc,
    Unknown(UnknownVariant),
}

impl Wire for Source {
    type Value = Self;
    const MIN_SIZE: usize = 1;
    fn encode(value: &Self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        match value {
            Self::Broadcast { channel, lcn } => encoder.variant(1, |encoder| {
                encoder.field::<u32>("channel", channel)?;
                encoder.field::<shape::Option<u16>>("lcn", lcn)
            }),
            Self::Url(url) => encoder.variant(2, |encoder| encoder.field::<shape::String<16>>("0", url)),
            Self::Disc => encoder.unit_variant(3),
            Self::Unknown(unknown) => encoder.unknown_variant(unknown),
        }
    }
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        decoder.variant("Source", |tag, decoder| match tag {
            1 => Ok(Self::Broadcast {
                channel: decoder.field::<u32>("channel")?,
                lcn: decoder.field_or::<shape::Option<u16>>("lcn", || None)?,
            }),
            2 => Ok(Self::Url(decoder.field::<shape::String<16>>("0")?)),
            3 => Ok(Self::Disc),
            tag => Ok(Self::Unknown(decoder.unknown_variant(tag))),
        })
    }
}

pub(crate) type Tags = shape::Map<shape::String<64>, shape::Set<shape::String<32>>, 8>;

/// A struct with a field of every kind.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Program {
    pub(crate) id: u64,
    pub(crate) title: String,
    pub(crate) when: TimeRange,
    pub(crate) digest: [u8; 4],
    pub(crate) tags: BTreeMap<String, BTreeSet<String>>,
    pub(crate) sources: Vec<Source>,
    pub(crate) poster: Bytes,
    pub(crate) rating: Option<f32>,
    pub(crate) language: String,
}

impl Wire for Program {
    type Value = Self;
    const MIN_SIZE: usize = 1;
    fn encode(value: &Self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.structure(|encoder| {
            encoder.field::<u64>("id", &value.id)?;
            encoder.field::<shape::String<256>>("title", &value.title)?;
            encoder.field::<TimeRange>("when", &value.when)?;
            encoder.field::<shape::Array<u8, 4>>("digest", &value.digest)?;
            encoder.field::<Tags>("tags", &value.tags)?;
            encoder.field::<shape::Vec<Source, 4>>("sources", &value.sources)?;
            encoder.field::<shape::Bytes>("poster", &value.poster)?;
            encoder.field::<shape::Option<f32>>("rating", &value.rating)?;
            encoder.field::<shape::String<8>>("language", &value.language)
        })
    }
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        decoder.structure("Program", |decoder| {
            Ok(Self {
                id: decoder.field::<u64>("id")?,
                title: decoder.field::<shape::String<256>>("title")?,
                when: decoder.field::<TimeRange>("when")?,
                digest: decoder.field::<shape::Array<u8, 4>>("digest")?,
                tags: decoder.field::<Tags>("tags")?,
                sources: decoder.field::<shape::Vec<Source, 4>>("sources")?,
                poster: decoder.field::<shape::Bytes>("poster")?,
                rating: decoder.field_or::<shape::Option<f32>>("rating", || None)?,
                language: decoder.field_or::<shape::String<8>>("language", || "en".to_owned())?,
            })
        })
    }
}

/// `struct Tree { children: Vec<Tree> }`
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tree {
    pub(crate) children: Vec<Tree>,
}

impl Wire for Tree {
    type Value = Self;
    const MIN_SIZE: usize = 1;
    fn encode(value: &Self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.structure(|encoder| encoder.field::<shape::Vec<Tree>>("children", &value.children))
    }
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        decoder.structure("Tree", |decoder| {
            Ok(Self { children: decoder.field::<shape::Vec<Tree>>("children")? })
        })
    }
}

/// `sealed enum Expression { Zero, Minus(Expression) }`
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expression {
    Zero,
    Minus(Box<Expression>),
}

impl Wire for Expression {
    type Value = Self;
    const MIN_SIZE: usize = 1;
    fn encode(value: &Self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        match value {
            Self::Zero => encoder.sealed_tag(0),
            Self::Minus(inner) => {
                encoder.sealed_tag(1)?;
                encoder.field::<shape::Boxed<Expression>>("0", inner)
            }
        }
    }
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        match decoder.sealed_tag()? {
            0 => Ok(Self::Zero),
            1 => Ok(Self::Minus(decoder.sealed_field::<shape::Boxed<Expression>>("0")?)),
            tag => Err(DecodeError::unknown_tag("Expression", tag)),
        }
    }
}

/// `newtype Onion(Option<Onion>);`: recursion without a struct.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Onion(pub(crate) Option<Box<Onion>>);

impl Wire for Onion {
    type Value = Self;
    const MIN_SIZE: usize = 1;
    fn encode(value: &Self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        shape::Option::<shape::Boxed<Onion>>::encode(&value.0, encoder)
    }
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        shape::Option::<shape::Boxed<Onion>>::decode(decoder).map(Self)
    }
}
