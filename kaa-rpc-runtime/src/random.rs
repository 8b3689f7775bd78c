//! Randomness from the operating system, and identifiers that need no more than to differ.

use std::cell::Cell;
use std::io;
use std::time::Duration;

/// Random bytes.
///
/// # Errors
/// If the operating system gives none; nothing that needs to be unpredictable may go on then.
pub(crate) fn bytes<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes)
}

/// A number from 0 to 1, by chance.
pub(crate) fn chance() -> f64 {
    let [byte] = identifier::<1>();
    f64::from(byte) / 255.0
}

/// A time, shorter or longer by at most this part of it.
pub(crate) fn spread(time: Duration, part: f64) -> Duration {
    Duration::try_from_secs_f64(time.as_secs_f64() * (1.0 - part + 2.0 * part * chance())).unwrap_or(time)
}

/// Bytes that will not come again soon, and are not all zero: an identifier, not a secret. (SplitMix64 of Steele, Lea and
/// Flood, seeded by the operating system for each thread.)
pub(crate) fn identifier<const N: usize>() -> [u8; N] {
    thread_local! {
        static STATE: Cell<u64> = Cell::new(u64::from_le_bytes(bytes().unwrap_or_default()));
    }
    let mut identifier = [0; N];
    for chunk in identifier.chunks_mut(8) {
        let state = STATE.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        STATE.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let mixed = (mixed ^ (mixed >> 31)).max(1);
        for (place, byte) in chunk.iter_mut().zip(mixed.to_le_bytes()) {
            *place = byte;
        }
    }
    identifier
}
