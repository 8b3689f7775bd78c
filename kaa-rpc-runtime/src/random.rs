//! Randomness from the operating system.

use std::io;

/// Random bytes.
///
/// # Errors
/// If the operating system gives none; nothing that needs to be unpredictable may go on then.
pub(crate) fn bytes<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes)
}
