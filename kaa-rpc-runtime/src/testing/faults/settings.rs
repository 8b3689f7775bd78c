//! The faults that a test has set for one direction, and how far they have progressed.

use std::io;
use std::time::Duration;

/// How many times per second a limited rate lets bytes pass.
const PORTIONS_PER_SECOND: u64 = 20;

/// A direction, as seen from the wrapped end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Outgoing,
    Incoming,
}

/// How a connection is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cut {
    /// As if the other end had closed the connection: reading reaches the end, writing fails.
    Closed,
    /// As if the network had failed: reading and writing fail with `ConnectionReset`.
    Reset,
}

impl Cut {
    pub(super) fn read_error(self) -> Option<io::Error> {
        match self {
            Self::Closed => None,
            Self::Reset => Some(io::ErrorKind::ConnectionReset.into()),
        }
    }

    pub(super) fn write_error(self) -> io::Error {
        match self {
            Self::Closed => io::ErrorKind::BrokenPipe.into(),
            Self::Reset => io::ErrorKind::ConnectionReset.into(),
        }
    }
}

/// The settings of a direction, and the number of bytes that have passed.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    pub(super) delay: Duration,
    pub(super) rate: Option<u64>,
    pub(super) chunk: Option<usize>,
    pub(super) cut_after: Option<(u64, Cut)>,
    pub(super) is_stalled: bool,
    pub(super) stall_after: Option<u64>,
    pub(super) passed: u64,
}

impl Settings {
    /// How many of `count` bytes may pass at a time.
    pub(super) fn portion(&self, count: usize) -> usize {
        let rate = self.rate.map(|rate| saturating_usize((rate / PORTIONS_PER_SECOND).max(1)));
        count.min(self.chunk.unwrap_or(usize::MAX)).min(rate.unwrap_or(usize::MAX))
    }

    /// How many of `count` bytes may arrive before a cut or a stall.
    pub(super) fn allowed(&self, count: usize) -> usize {
        let cut = self.cut_after.map(|(bytes, _)| bytes);
        cut.into_iter().chain(self.stall_after).map(saturating_usize).fold(count, usize::min)
    }

    /// Takes the cut if it is due. It is due only once.
    pub(super) fn take_cut(&mut self) -> Option<Cut> {
        self.cut_after.take_if(|(bytes, _)| *bytes == 0).map(|(_, how)| how)
    }

    /// Counts bytes that have arrived.
    pub(super) fn note_passed(&mut self, count: usize) {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        self.passed = self.passed.saturating_add(count);
        if let Some((bytes, _)) = &mut self.cut_after {
            *bytes = bytes.saturating_sub(count);
        }
        if let Some(bytes) = &mut self.stall_after {
            *bytes = bytes.saturating_sub(count);
        }
        self.is_stalled |= self.stall_after.take_if(|bytes| *bytes == 0).is_some();
    }
}

fn saturating_usize(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
