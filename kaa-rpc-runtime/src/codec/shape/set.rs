//! Sets, ordered and hashed.
//!
//! Invariants
//! - A set is encoded as its length, then its elements, in any order, without duplicates. An ordered set
//!   writes them in order, a hashed set in the order of iteration.

use std::collections::{BTreeSet, HashSet as HashedSet};
use std::hash::Hash;
use std::marker::PhantomData;

use super::super::decode::Decoder;
use super::super::encode::Encoder;
use super::super::error::{DecodeError, DecodeErrorKind, EncodeError};
use super::super::wire::Wire;
use super::{ENTRY_OVERHEAD, UNBOUNDED, entries_charged, put_bounded_length};

/// An ordered set of at most `MAX` elements.
#[derive(Debug)]
pub struct Set<W, const MAX: u64 = UNBOUNDED>(PhantomData<fn() -> W>);

impl<W: Wire<Value: Ord>, const MAX: u64> Wire for Set<W, MAX> {
    type Value = BTreeSet<W::Value>;
    const MIN_SIZE: usize = 1;
    const FOREIGN: bool = W::FOREIGN;

    fn encode(value: &Self::Value, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encode::<W>(value.len(), MAX, value, encoder)
    }

    fn decode(decoder: &mut Decoder<'_>) -> Result<Self::Value, DecodeError> {
        let length = take_length::<W>(MAX, decoder)?;
        let mut set = BTreeSet::new();
        decode::<W>(length, decoder, |element| set.insert(element))?;
        Ok(set)
    }
}

/// A hashed set of at most `MAX` elements.
#[derive(Debug)]
pub struct HashSet<W, const MAX: u64 = UNBOUNDED>(PhantomData<fn() -> W>);

impl<W: Wire<Value: Hash + Eq>, const MAX: u64> Wire for HashSet<W, MAX> {
    type Value = HashedSet<W::Value>;
    const MIN_SIZE: usize = 1;
    const FOREIGN: bool = W::FOREIGN;

    fn encode(value: &Self::Value, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encode::<W>(value.len(), MAX, value, encoder)
    }

    fn decode(decoder: &mut Decoder<'_>) -> Result<Self::Value, DecodeError> {
        let length = take_length::<W>(MAX, decoder)?;
        let mut set = HashedSet::with_capacity(length);
        decode::<W>(length, decoder, |element| set.insert(element))?;
        Ok(set)
    }
}

fn encode<'value, W: Wire<Value: 'value>>(
    length: usize,
    bound: u64,
    elements: impl IntoIterator<Item = &'value W::Value>,
    encoder: &mut Encoder<'_>,
) -> Result<(), EncodeError> {
    put_bounded_length(length, bound, encoder)?;
    encoder.nested(|encoder| {
        for (index, element) in elements.into_iter().enumerate() {
            W::encode(element, encoder).map_err(|error| error.at_index(index))?;
        }
        Ok(())
    })
}

fn take_length<W: Wire>(bound: u64, decoder: &mut Decoder<'_>) -> Result<usize, DecodeError> {
    const { assert!(W::MIN_SIZE > 0, "elements take at least one byte") };
    let length = decoder.take_length(bound, W::MIN_SIZE)?;
    decoder.charge(entries_charged(length), size_of::<W::Value>() + ENTRY_OVERHEAD)?;
    Ok(length)
}

fn decode<W: Wire>(
    length: usize,
    decoder: &mut Decoder<'_>,
    mut insert: impl FnMut(W::Value) -> bool,
) -> Result<(), DecodeError> {
    decoder.nested(|decoder| {
        for index in 0..length {
            let element = W::decode(decoder).map_err(|error| error.at_index(index))?;
            if !insert(element) {
                return Err(DecodeError::new(DecodeErrorKind::DuplicateKey).at_index(index));
            }
        }
        Ok(())
    })
}
