//! Hostile bytes: they cause no panic, no endless recursion, and use no more than the budget.

use kaa_rpc_test_support::assert_matches;
use std::fmt::Debug;

use kaa_rpc_runtime::codec::{DecodeErrorKind, DecodeLimits, Wire, shape};

use crate::model::{
    Expression, MoveArguments, Nothing, Onion, Order, Point, Program, Source, Tree, decode, decode_within,
    encode,
};
use crate::random::Random;

/// Decodes `bytes`. Returns whether they are a value, which must then survive another round trip.
fn is_value<W: Wire<Value: PartialEq + Debug>>(seed: u64, bytes: &[u8]) -> bool {
    let Ok(value) = decode::<W>(bytes) else { return false };
    assert_eq!(decode::<W>(&encode::<W>(&value)).unwrap(), value, "seed {seed}");
    true
}

#[test]
fn random_bytes_never_panic() {
    let mut values = 0_u32;
    for seed in 0..20_000 {
        let bytes = Random::new(seed).bytes(64);
        values += u32::from(is_value::<Source>(seed, &bytes));
        values += u32::from(is_value::<Tree>(seed, &bytes));
        values += u32::from(is_value::<Point>(seed, &bytes));
        values += u32::from(is_value::<Order>(seed, &bytes));
        values += u32::from(is_value::<Nothing>(seed, &bytes));
        values += u32::from(is_value::<Expression>(seed, &bytes));
        values += u32::from(is_value::<Onion>(seed, &bytes));
        values += u32::from(is_value::<MoveArguments>(seed, &bytes));
        values += u32::from(is_value::<char>(seed, &bytes));
        values += u32::from(is_value::<shape::Vec<shape::String>>(seed, &bytes));
        values += u32::from(is_value::<shape::Map<u16, shape::Option<i64>>>(seed, &bytes));
        values += u32::from(is_value::<shape::HashSet<i32>>(seed, &bytes));
        values += u32::from(is_value::<shape::Extern<Vec<(u8, Option<String>)>>>(seed, &bytes));
        let _ = decode::<Program>(&bytes);
    }
    // If all bytes were refused, this would test nothing.
    assert!(values > 10_000, "{values}");
}

#[test]
fn damaged_values_never_panic() {
    let mut values = 0_u32;
    for seed in 0..10_000 {
        let random = &mut Random::new(seed);
        let mut program = random.program();
        program.poster.truncate(20);
        program.rating = None;
        let mut bytes = encode::<Program>(&program);
        for _ in 0..=random.below(4) {
            let at = random.below(bytes.len());
            match random.below(4) {
                0 => bytes[at] = random.byte(),
                1 => bytes.insert(at, random.byte()),
                2 => drop(bytes.remove(at)),
                _ => bytes.truncate(at + 1),
            }
            if bytes.is_empty() {
                break;
            }
        }
        match decode::<Program>(&bytes) {
            // Damage may make a NaN, which equals nothing.
            Ok(value) if value.rating.is_none() => {
                assert_eq!(decode::<Program>(&encode::<Program>(&value)).unwrap(), value, "seed {seed}");
                values += 1;
            }
            Ok(_) => {}
            Err(error) => assert!(error.path().to_string().starts_with("Program"), "seed {seed}: {error}"),
        }
    }
    assert!(values > 100, "{values}");
}

#[test]
fn deep_nesting_is_error() {
    fn too_deep<W: Wire<Value: Debug>>(bytes: &[u8]) {
        let error = decode::<W>(bytes).unwrap_err();
        assert_eq!(error.kind(), &DecodeErrorKind::TooDeep { limit: 128 }, "{error}");
    }
    too_deep::<Onion>(&[1; 100_000]);
    too_deep::<Expression>(&[1; 100_000]);
    // Each tree has a length and one child.
    let mut tree = vec![0x01, 0x00];
    for _ in 0..20_000 {
        let mut outer = encode::<u64>(&(u64::try_from(tree.len()).unwrap() + 1));
        outer.push(1);
        outer.append(&mut tree);
        tree = outer;
        if tree.len() > 60_000 {
            break;
        }
    }
    too_deep::<Tree>(&tree);
}

#[test]
fn depth_limit_is_receivers() {
    let three = Tree { children: vec![Tree { children: vec![Tree::default()] }] };
    let bytes = encode::<Tree>(&three);
    let at_depth = |depth| decode_within::<Tree>(&bytes, DecodeLimits { memory: 1 << 20, depth });
    assert_eq!(at_depth(3).unwrap(), three);
    assert_matches!(at_depth(1), Err(_));
    let error = at_depth(0).unwrap_err();
    assert_eq!(error.to_string(), "Tree.children: nested more than 0 levels deep");
}

#[test]
fn memory_over_budget_is_refused() {
    fn refused<W: Wire<Value: Debug>>(value: &W::Value, enough: usize) {
        let bytes = encode::<W>(value);
        assert!(decode_within::<W>(&bytes, DecodeLimits::new(enough)).is_ok(), "{enough} bytes are enough");
        let error = decode_within::<W>(&bytes, DecodeLimits::new(enough - 1)).unwrap_err();
        assert_eq!(error.kind(), &DecodeErrorKind::BudgetExceeded { budget: enough - 1 });
    }
    // Each allocation counts 16 additional bytes.
    refused::<shape::String>(&"x".repeat(1_000), 1_016);
    refused::<shape::Bytes>(&vec![1; 1_000].into(), 1_016);
    refused::<shape::Vec<u8>>(&vec![1; 1_000], 1_016);
    refused::<shape::Vec<u64>>(&vec![1; 1_000], 8_016);
    refused::<shape::Vec<shape::String>>(&vec!["abc".to_owned(); 10], 10 * 24 + 16 + 10 * (3 + 16));
    refused::<shape::Boxed<u64>>(&Box::new(1), 8 + 16);
    // Sets and maps count three slots for each entry and twelve more, each with eight additional bytes.
    refused::<shape::Set<u64>>(&(0..100).collect(), 312 * 16 + 16);
    refused::<shape::HashSet<u64>>(&(0..100).collect(), 312 * 16 + 16);
    refused::<shape::Map<u64, u64>>(&(0..100).map(|n| (n, n)).collect(), 312 * 24 + 16);
    refused::<shape::HashMap<u64, u64>>(&(0..100).map(|n| (n, n)).collect(), 312 * 24 + 16);
}

#[test]
fn shared_memory_does_not_count() {
    let bytes = encode::<shape::Bytes>(&vec![1; 10_000].into());
    assert_matches!(decode_within::<shape::Bytes>(&bytes, DecodeLimits::new(0)), Ok(_));
    let bytes = encode::<shape::Bytes>(&vec![1; 1_000].into());
    assert_matches!(decode_within::<shape::Bytes>(&bytes, DecodeLimits::new(999)), Err(_));
}

#[test]
fn overlong_integers_are_accepted() {
    // bincode accepts them, too. Refusing them would cost a comparison for every integer.
    assert_eq!(decode::<u64>(&[0xfd, 5, 0, 0, 0, 0, 0, 0, 0]).unwrap(), 5);
    assert_eq!(decode::<u16>(&[0xfb, 5, 0]).unwrap(), 5);
    assert_eq!(decode::<Point>(&[0xfb, 2, 0, 1, 2]).unwrap(), Point { x: 1, y: 2 });
}
