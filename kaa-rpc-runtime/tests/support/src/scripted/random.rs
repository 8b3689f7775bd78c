//! Random frames: most of them are well-formed and about calls that may exist, with any options.

use super::frames::{
    CALL, CANCEL, GOODBYE, ONEWAY, ONEWAY_CREDIT, PING, PONG, REPLY, SCHEMA, STREAM_CREDIT, STREAM_END,
    STREAM_ITEM, frame_with,
};

/// What a peer sends that does not follow the protocol. The same seed gives the same frames.
pub struct RandomFrames {
    state: u64,
    next_id: u64,
    methods: &'static [u32],
    /// This peer's calls owner streams of arguments have not ended.
    streams: Vec<u64>,
    /// Whether the other peer makes calls: then some frames are about those.
    is_called: bool,
}

impl RandomFrames {
    pub fn new(seed: u64, methods: &'static [u32], is_called: bool) -> Self {
        Self { state: seed, next_id: 1, methods, streams: Vec::new(), is_called }
    }

    /// A random number below this one (SplitMix64).
    pub fn below(&mut self, bound: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn small(&mut self, bound: u64) -> u32 {
        u32::try_from(self.below(bound)).unwrap()
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap()
    }

    /// A few frames for one write. Rarely the last one is incomplete.
    pub fn bytes(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for _ in 0..=self.below(5) {
            bytes.extend(self.frame());
        }
        if self.below(40) == 0 {
            let length = usize::try_from(self.below(bytes.len() as u64)).unwrap();
            bytes.truncate(length);
        }
        bytes
    }

    fn frame(&mut self) -> Vec<u8> {
        let kind = match self.below(100) {
            0..=39 => CALL,
            40..=43 => ONEWAY,
            44..=63 => STREAM_ITEM,
            64..=98 => REPLY + u8::try_from(self.below(10)).unwrap(),
            _ => self.byte(),
        };
        match kind {
            CALL | ONEWAY => self.call(kind),
            _ => self.other(kind),
        }
    }

    fn call(&mut self, kind: u8) -> Vec<u8> {
        let id = self.next_id;
        self.next_id += 1 + self.below(2);
        let method = self.methods[usize::try_from(self.below(self.methods.len() as u64)).unwrap()];
        let token = if kind == ONEWAY { 0 } else { 7 };
        let (flags, options) = self.options(kind == CALL);
        if flags & 8 != 0 {
            self.streams.push(id);
        }
        let payload = match self.below(12) {
            0 => vec![b'x'; 66_000 + usize::try_from(self.below(200_000)).unwrap()],
            1 => self.noise(100),
            2 => vec![],
            // A large text.
            3 => [&[252], &60_000_u32.to_le_bytes()[..], &[b'x'; 60_000]].concat(),
            // A small text or number.
            _ => vec![1, b'1'],
        };
        frame_with(kind, (id, token, method), (flags, &options), &payload)
    }

    fn options(&mut self, may_stream: bool) -> (u8, Vec<u8>) {
        let (mut flags, mut options) = (0, Vec::new());
        if self.below(6) == 0 {
            flags |= 1;
            let time = [0, 1, 5000, u64::MAX][usize::try_from(self.below(4)).unwrap()];
            options.extend(time.to_le_bytes());
        }
        if self.below(4) == 0 {
            flags |= 2;
            options.extend((1 + self.below(4)).to_le_bytes());
            options.extend(self.small(4).to_le_bytes());
            options.extend((1 + self.small(40)).to_le_bytes());
        }
        if self.below(4) == 0 {
            flags |= 4;
            options.extend(5_u32.to_le_bytes());
            options.extend(if self.below(100) == 0 { *b"\x01a\x09\x007" } else { *b"\x01a\x01\x007" });
        }
        if may_stream && self.below(2) == 0 {
            flags |= 8;
        }
        (flags, options)
    }

    /// A frame about a call of this peer, or about one that the other peer may have made. Violations of the
    /// protocol are rare, so that connections do not end at once.
    fn other(&mut self, kind: u8) -> Vec<u8> {
        let is_rare = self.below(50) == 0;
        let is_theirs = if self.is_called { self.below(2) == 0 } else { is_rare };
        let id = match self.streams.last() {
            _ if is_theirs => 1 + self.below(5),
            Some(last) if kind == STREAM_ITEM || kind == STREAM_END => *last,
            None if kind == STREAM_ITEM || kind == STREAM_END => return self.call(CALL),
            _ => self.next_id.saturating_sub(1 + self.below(4)).max(1),
        };
        let token = if is_theirs { self.small(4) } else { 7 };
        let owner = if is_theirs { 1 << 31 } else { 0 };
        let (detail, payload) = match kind {
            REPLY if is_theirs => (self.small(10), self.items()),
            CANCEL => (0, vec![]),
            STREAM_ITEM => (owner, self.items()),
            STREAM_END if is_theirs => (owner | 2, vec![]),
            STREAM_END => {
                self.streams.pop();
                (self.small(2), b"message".to_vec())
            }
            STREAM_CREDIT => (owner | (1 + self.small(if is_rare { 5000 } else { 2 })), vec![]),
            ONEWAY_CREDIT => (u32::from(is_rare), vec![]),
            SCHEMA => (0, if is_rare { self.noise(40) } else { vec![0; 4] }),
            PING | PONG => (self.small(3), self.noise(4)),
            GOODBYE if is_rare => (self.small(7), b"message".to_vec()),
            REPLY..=GOODBYE if !is_rare => return self.call(CALL),
            _ => (0, vec![]),
        };
        frame_with(kind, (id, token, detail), (0, b""), &payload)
    }

    fn items(&mut self) -> Vec<u8> {
        match self.below(20) {
            0 if self.below(5) == 0 => self.noise(50),
            1 => vec![b'x'; 66_000 + usize::try_from(self.below(100_000)).unwrap()],
            2..=5 => [1, 5].repeat(2000),
            _ => vec![1, 5],
        }
    }

    fn noise(&mut self, length: u64) -> Vec<u8> {
        (0..=self.below(length)).map(|_| self.byte()).collect()
    }
}
