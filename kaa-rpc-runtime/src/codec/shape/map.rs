//! Maps, ordered and hashed.
//!
//! Invariants
//! - A map is encoded as its length, then each key with its value, in any order, without duplicate keys. An
//!   ordered map writes them in order, a hashed map in the order of iteration.

use std::collections::{BTreeMap, HashMap as HashedMap};
use std::hash::Hash;
use std::marker::PhantomData;

use super::super::decode::Decoder;
use super::super::encode::Encoder;
use super::super::error::{DecodeError, DecodeErrorKind, EncodeError};
use super::super::wire::Wire;
use super::{ENTRY_OVERHEAD, UNBOUNDED, entries_charged, put_bounded_length};

/// An ordered map of at most `MAX` entries.
#[derive(Debug)]
pub struct Map<K, V, const MAX: u64 = UNBOUNDED>(PhantomData<fn() -> (K, V)>);

impl<K: Wire<Value: Ord>, V: Wire, const MAX: u64> Wire for Map<K, V, MAX> {
    type Value = BTreeMap<K::Value, V::Value>;
    const MIN_SIZE: usize = 1;
    const FOREIGN: bool = K::FOREIGN || V::FOREIGN;

    fn encode(value: &Self::Value, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encode::<K, V>(value.len(), MAX, value, encoder)
    }

    fn decode(decoder: &mut Decoder<'_>) -> Result<Self::Value, DecodeError> {
        let length = take_length::<K, V>(MAX, decoder)?;
        let mut map = BTreeMap::new();
        decode::<K, V>(length, decoder, |key, value| map.insert(key, value).is_none())?;
        Ok(map)
    }
}

/// A hashed map of at most `MAX` entries.
#[derive(Debug)]
pub struct HashMap<K, V, const MAX: u64 = UNBOUNDED>(PhantomData<fn() -> (K, V)>);

impl<K: Wire<Value: Hash + Eq>, V: Wire, const MAX: u64> Wire for HashMap<K, V, MAX> {
    type Value = HashedMap<K::Value, V::Value>;
    const MIN_SIZE: usize = 1;
    const FOREIGN: bool = K::FOREIGN || V::FOREIGN;

    fn encode(value: &Self::Value, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encode::<K, V>(value.len(), MAX, value, encoder)
    }

    fn decode(decoder: &mut Decoder<'_>) -> Result<Self::Value, DecodeError> {
        let length = take_length::<K, V>(MAX, decoder)?;
        let mut map = HashedMap::with_capacity(length);
        decode::<K, V>(length, decoder, |key, value| map.insert(key, value).is_none())?;
        Ok(map)
    }
}

fn encode<'value, K: Wire<Value: 'value>, V: Wire<Value: 'value>>(
    length: usize,
    bound: u64,
    entries: impl IntoIterator<Item = (&'value K::Value, &'value V::Value)>,
    encoder: &mut Encoder<'_>,
) -> Result<(), EncodeError> {
    put_bounded_length(length, bound, encoder)?;
    encoder.nested(|encoder| {
        for (index, (key, value)) in entries.into_iter().enumerate() {
            K::encode(key, encoder)
                .and_then(|()| V::encode(value, encoder))
                .map_err(|error| error.at_index(index))?;
        }
        Ok(())
    })
}

fn take_length<K: Wire, V: Wire>(bound: u64, decoder: &mut Decoder<'_>) -> Result<usize, DecodeError> {
    const { assert!(K::MIN_SIZE > 0, "keys take at least one byte") };
    let length = decoder.take_length(bound, K::MIN_SIZE + V::MIN_SIZE)?;
    decoder.charge(entries_charged(length), size_of::<(K::Value, V::Value)>() + ENTRY_OVERHEAD)?;
    Ok(length)
}

fn decode<K: Wire, V: Wire>(
    length: usize,
    decoder: &mut Decoder<'_>,
    mut insert: impl FnMut(K::Value, V::Value) -> bool,
) -> Result<(), DecodeError> {
    decoder.nested(|decoder| {
        for index in 0..length {
            let key = K::decode(decoder).map_err(|error| error.at_index(index))?;
            let value = V::decode(decoder).map_err(|error| error.at_index(index))?;
            if !insert(key, value) {
                return Err(DecodeError::new(DecodeErrorKind::DuplicateKey).at_index(index));
            }
        }
        Ok(())
    })
}
