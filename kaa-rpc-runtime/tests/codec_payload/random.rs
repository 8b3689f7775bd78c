//! Random values and bytes from a seed that a failing test prints.
//!
//! Invariants
//! - The same seed gives the same values on every machine.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use kaa_rpc_runtime::Timestamp;

use crate::model::{Program, Source, TimeRange, Tree};

/// A small generator (xorshift64*), sufficient to choose test cases.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Less than `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() >> 32).unwrap() % end
    }

    pub(crate) fn coin(&mut self) -> bool {
        self.below(2) == 1
    }

    /// A random number. Small ones and those near a power of two are as likely as others.
    pub(crate) fn number(&mut self) -> u64 {
        let value = self.next() >> self.below(64);
        if self.coin() { value } else { (1_u64 << self.below(64)).wrapping_sub(1).wrapping_add(value % 3) }
    }

    pub(crate) fn bytes(&mut self, end: usize) -> Vec<u8> {
        let length = self.below(end);
        (0..length).map(|_| self.byte()).collect()
    }

    /// A random byte. Bytes with a meaning in the encoding are more likely than others.
    pub(crate) fn byte(&mut self) -> u8 {
        const MEANINGFUL: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 250, 251, 252, 253, 254, 255, 0x61, 0xc3];
        if self.coin() { MEANINGFUL[self.below(MEANINGFUL.len())] } else { self.next().to_le_bytes()[7] }
    }

    pub(crate) fn text(&mut self, end: usize) -> String {
        let length = self.below(end);
        let mut text = String::new();
        while text.len() < length {
            let next = ['a', 'é', '€', '\u{1f600}', '\0'][self.below(5)];
            if text.len() + next.len_utf8() > length {
                text.push('z');
            } else {
                text.push(next);
            }
        }
        text
    }

    pub(crate) fn timestamp(&mut self) -> Timestamp {
        let nanoseconds = u32::try_from(self.below(1_000_000_000)).unwrap();
        Timestamp::new(self.number().cast_signed(), nanoseconds).unwrap()
    }

    pub(crate) fn source(&mut self) -> Source {
        match self.below(3) {
            0 => Source::Broadcast {
                channel: u32::try_from(self.number() >> 32).unwrap(),
                lcn: self.coin().then(|| u16::try_from(self.number() >> 48).unwrap()),
            },
            1 => Source::Url(self.text(17)),
            _ => Source::Disc,
        }
    }

    pub(crate) fn program(&mut self) -> Program {
        let mut tags = BTreeMap::new();
        for _ in 0..self.below(8) {
            let words: BTreeSet<String> = (0..self.below(4)).map(|_| self.text(33)).collect();
            tags.insert(self.text(65), words);
        }
        let poster_end = [10, 300, 5_000, 70_000][self.below(4)];
        Program {
            id: self.number(),
            title: self.text(257),
            when: TimeRange { start: self.timestamp(), end: self.timestamp() },
            digest: self.next().to_le_bytes()[..4].try_into().unwrap(),
            tags,
            sources: (0..self.below(5)).map(|_| self.source()).collect(),
            poster: Bytes::from(self.bytes(poster_end)),
            rating: self.coin().then(|| f32::from(self.byte()) / 4.0),
            language: self.text(9),
        }
    }

    pub(crate) fn tree(&mut self, depth: usize) -> Tree {
        let children = if depth == 0 { 0 } else { self.below(4) };
        Tree { children: (0..children).map(|_| self.tree(depth - 1)).collect() }
    }
}
