//! Random bytes from the operating system, and cheap identifiers that only need to be unique.

use std::cell::Cell;
use std::io;
use std::time::Duration;

/// Random bytes from the operating system.
///
/// # Errors
/// The operating system returns none. Code that needs unpredictable bytes must then fail.
pub(crate) fn bytes<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes)
}

/// A random number from 0 to 1.
pub(crate) fn fraction() -> f64 {
    let [byte] = identifier::<1>();
    f64::from(byte) / 255.0
}

/// The time, randomly shortened or lengthened by at most this fraction of it.
pub(crate) fn with_jitter(time: Duration, jitter: f64) -> Duration {
    let factor = 1.0 - jitter + 2.0 * jitter * fraction();
    Duration::try_from_secs_f64(time.as_secs_f64() * factor).unwrap_or(time)
}

/// Bytes for an identifier: not all zero, and very unlikely to repeat, but predictable. (SplitMix64 by
/// Steele, Lea and Flood; the operating system seeds it for each thread.)
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
