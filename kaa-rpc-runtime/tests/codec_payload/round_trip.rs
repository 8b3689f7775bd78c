//! Any encoded value is decoded to itself, and the limits of encoding.

use kaa_rpc_test_support::assert_matches;
use std::collections::{HashMap, HashSet};
use std::fmt::Debug;

use bytes::Bytes;
use kaa_rpc_runtime::codec::{Buffer, EncodeError, Encoder, Wire, shape};

use crate::model::{Expression, Onion, Program, Source, Tree, contents, decode, encode, encode_within};
use crate::random::Random;

fn check<W: Wire<Value: PartialEq + Debug>>(seed: u64, value: &W::Value) {
    let bytes = encode::<W>(value);
    assert_eq!(&decode::<W>(&bytes).unwrap(), value, "seed {seed}");
    assert!(bytes.len() >= W::MIN_SIZE, "seed {seed}");
    let exact = encode_within::<W>(value, bytes.len()).unwrap();
    assert_eq!(exact, bytes, "seed {seed}");
    if !bytes.is_empty() {
        let limit = bytes.len() - 1;
        match encode_within::<W>(value, limit) {
            Err(EncodeError::TooLarge { size, limit: reported }) => {
                assert_eq!(reported, limit, "seed {seed}");
                assert!(size > limit, "seed {seed}");
            }
            other => panic!("seed {seed}: {other:?}"),
        }
    }
}

#[test]
fn values_round_trip() {
    for seed in 0..2_000 {
        let random = &mut Random::new(seed);
        check::<Program>(seed, &random.program());
        check::<Tree>(seed, &random.tree(4));
        check::<shape::Vec<Source>>(seed, &(0..random.below(300)).map(|_| random.source()).collect());
    }
}

#[test]
fn numbers_and_collections_round_trip() {
    for seed in 0..5_000 {
        let random = &mut Random::new(seed);
        let numbers: Vec<u64> = (0..random.below(20)).map(|_| random.number()).collect();
        check::<shape::Vec<u64>>(seed, &numbers);
        check::<shape::Vec<i64>>(seed, &numbers.iter().map(|number| number.cast_signed()).collect());
        let wide = |number: &u64| u128::from(*number) << (number % 64);
        check::<shape::Vec<u128>>(seed, &numbers.iter().map(wide).collect());
        check::<shape::Vec<i128>>(seed, &numbers.iter().map(|number| wide(number).cast_signed()).collect());
        check::<shape::Vec<u32>>(seed, &numbers.iter().map(|n| u32::try_from(n >> 32).unwrap()).collect());
        check::<shape::Vec<f64>>(
            seed,
            &random.bytes(20).into_iter().map(|byte| f64::from(byte) / 3.0).collect(),
        );
        check::<shape::Vec<i8>>(seed, &random.bytes(300).into_iter().map(u8::cast_signed).collect());
        check::<shape::HashSet<u64>>(seed, &numbers.iter().copied().collect::<HashSet<_>>());
        check::<shape::HashMap<u64, shape::String>>(
            seed,
            &numbers.iter().map(|number| (*number, random.text(20))).collect::<HashMap<_, _>>(),
        );
        check::<shape::Option<shape::Vec<shape::Option<char>>>>(
            seed,
            &random.coin().then(|| random.text(20).chars().map(|c| (c != 'a').then_some(c)).collect()),
        );
        let array: [u64; 3] = std::array::from_fn(|_| random.number());
        check::<shape::Array<u64, 3>>(seed, &array);
        check::<shape::Array<shape::Option<shape::String>, 2>>(seed, &[None, Some(random.text(9))]);
    }
}

#[test]
fn large_byte_strings_are_shared_and_small_ones_copied() {
    let within = |payload: &Bytes, part: &Bytes| payload.as_ptr_range().contains(&part.as_ptr());
    let part = |length: usize| Bytes::from(vec![7; length]);
    let decode_from = |parts: &[usize]| {
        let values: Vec<Bytes> = parts.iter().map(|length| part(*length)).collect();
        let payload = Bytes::from(encode::<shape::Vec<shape::Bytes>>(&values));
        let limits = kaa_rpc_runtime::codec::DecodeLimits::default();
        let mut decoder = kaa_rpc_runtime::codec::Decoder::new(&payload, limits);
        let decoded = shape::Vec::<shape::Bytes>::decode(&mut decoder).unwrap();
        assert_eq!(decoded, values);
        decoded.iter().map(|part| within(&payload, part)).collect::<Vec<_>>()
    };
    assert_eq!(decode_from(&[4096, 4095]), [true, false]);
    // A small part of a large payload does not keep all of it in memory.
    assert_eq!(decode_from(&[4096, 1 << 20]), [false, true]);
    assert_eq!(decode_from(&[100_000, 1 << 20]), [true, true]);
}

#[test]
fn large_byte_strings_are_spliced_at_every_depth() {
    let poster = Bytes::from(vec![9; 20_000]);
    let mut program = Random::new(1).program();
    program.poster = poster.clone();
    let programs = vec![program.clone(), program];
    let mut buffer = Buffer::new();
    shape::Vec::<Program>::encode(&programs, &mut Encoder::new(&mut buffer, usize::MAX)).unwrap();
    let mut slices = [std::io::IoSlice::new(&[]); 8];
    assert_eq!(buffer.chunks(&mut slices), 5);
    assert_eq!(slices[1].as_ptr(), poster.as_ptr());
    assert_eq!(slices[3].as_ptr(), poster.as_ptr());
    assert_eq!(decode::<shape::Vec<Program>>(&contents(&buffer)).unwrap(), programs);
}

#[test]
fn bounds_apply_when_encoding() {
    let mut program = Random::new(1).program();
    program.language = "123456789".to_owned();
    let error = encode_within::<Program>(&program, usize::MAX).unwrap_err();
    assert_eq!(error.to_string(), "language: length 9 exceeds the bound of 8");
    let error = encode_within::<shape::Vec<shape::Vec<shape::Set<u8, 1>, 2>>>(
        &vec![vec![], vec![[1].into(), [1, 2].into()]],
        usize::MAX,
    );
    assert_eq!(error.unwrap_err().to_string(), "[1][1]: length 2 exceeds the bound of 1");
    let error = encode_within::<shape::HashMap<u8, shape::String<1>>>(&[(1, "ab".to_owned())].into(), 99);
    assert_eq!(error.unwrap_err().to_string(), "[0]: length 2 exceeds the bound of 1");
    let error = encode_within::<Source>(&Source::Url("u".repeat(17)), usize::MAX).unwrap_err();
    assert_eq!(error.to_string(), "0: length 17 exceeds the bound of 16");
}

#[test]
fn encodable_depth_is_decodable() {
    let tree = |levels| (1..levels).fold(Tree::default(), |tree, _| Tree { children: vec![tree] });
    check::<Tree>(0, &tree(64));
    let error = encode_within::<Tree>(&tree(66), usize::MAX).unwrap_err();
    assert!(error.to_string().ends_with("[0].children…: nested more than 128 levels deep"), "{error}");

    let expression =
        |levels| (1..levels).fold(Expression::Zero, |inner, _| Expression::Minus(Box::new(inner)));
    check::<Expression>(0, &expression(64));
    assert_matches!(encode_within::<Expression>(&expression(200), usize::MAX), Err(_));

    let onion = |levels| (1..levels).fold(Onion(None), |inner, _| Onion(Some(Box::new(inner))));
    check::<Onion>(0, &onion(64));
    assert_matches!(encode_within::<Onion>(&onion(200), usize::MAX), Err(_));
}

#[test]
fn breadth_does_not_count_as_depth() {
    let programs: Vec<_> = (0..300).map(|seed| Random::new(seed).program()).collect();
    check::<shape::Vec<Program>>(0, &programs);
    check::<Tree>(0, &Tree { children: vec![Tree { children: vec![Tree::default(); 200] }; 200] });
}

#[test]
fn failed_encoding_leaves_buffer_restorable() {
    for seed in 0..500 {
        let random = &mut Random::new(seed);
        let mut buffer = Buffer::new();
        let (first, second) = (random.program(), random.program());
        Program::encode(&first, &mut Encoder::new(&mut buffer, usize::MAX)).unwrap();
        let before = contents(&buffer);
        let position = buffer.position();
        let limit = random.below(encode::<Program>(&second).len());
        Program::encode(&second, &mut Encoder::new(&mut buffer, limit)).unwrap_err();
        assert!(buffer.written_since(position) <= limit, "seed {seed}");
        buffer.truncate(position);
        assert_eq!(contents(&buffer), before, "seed {seed}");
        Program::encode(&second, &mut Encoder::new(&mut buffer, usize::MAX)).unwrap();
        assert_eq!(contents(&buffer), [before, encode::<Program>(&second)].concat(), "seed {seed}");
    }
}
