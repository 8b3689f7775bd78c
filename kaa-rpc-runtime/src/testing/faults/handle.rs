//! The handles with which a test sets faults.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

use super::settings::{Cut, Direction, Settings};
use super::shared::Shared;
use super::stream::FaultyIo;
use crate::transport::{self, Stream};

/// Faults of connections, which a test can set before and while the connections are used. Clones refer to the
/// same faults.
///
/// It wraps one end of a connection: *outgoing* is what that end writes, *incoming* is what it reads. In a
/// [`Pair`](crate::testing::Pair) it wraps the client's end. Without settings it passes everything on at
/// once.
///
/// ```
/// use std::time::Duration;
/// use kaa_rpc_runtime::testing::{Cut, Faults};
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let faults = Faults::new();
/// faults.outgoing().chunks(1).cut_after(3, Cut::Closed);
/// faults.incoming().delay(Duration::from_millis(20));
///
/// let (near, mut far) = tokio::io::duplex(1024);
/// // Wraps any AsyncRead + AsyncWrite. Stream::from_io(near, "…") turns the result into a Stream.
/// let mut near = faults.wrap(near);
/// assert!(near.write_all(b"hello").await.is_err());
/// let mut arrived = String::new();
/// far.read_to_string(&mut arrived).await?;
/// assert_eq!(arrived, "hel");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Faults {
    shared: Arc<Shared>,
}

/// The faults of one direction.
#[derive(Clone)]
pub struct DirectionFaults {
    shared: Arc<Shared>,
    direction: Direction,
}

impl Faults {
    /// Creates a handle without faults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Wraps one end of a connection. You can wrap several, one after the other or at the same time; they
    /// share the settings.
    pub fn wrap(&self, io: impl AsyncRead + AsyncWrite + Send + 'static) -> FaultyIo {
        FaultyIo::new(Arc::clone(&self.shared), Box::pin(io))
    }

    /// Like [`pair`](crate::testing::pair), with the first of the two streams wrapped.
    #[must_use]
    pub fn pair(&self, capacity: usize) -> (Stream, Stream) {
        transport::pair_of(capacity, |io| self.wrap(io))
    }

    /// The faults of what the wrapped end writes.
    #[must_use]
    pub fn outgoing(&self) -> DirectionFaults {
        DirectionFaults { shared: Arc::clone(&self.shared), direction: Direction::Outgoing }
    }

    /// The faults of what the wrapped end reads.
    #[must_use]
    pub fn incoming(&self) -> DirectionFaults {
        DirectionFaults { shared: Arc::clone(&self.shared), direction: Direction::Incoming }
    }

    /// Cuts all current connections with [`Cut::Reset`]. Connections that are wrapped later are not affected.
    pub fn cut(&self) {
        self.shared.change(|state| state.connections.cut_all(Cut::Reset));
    }

    /// Stalls both directions: nothing arrives and nothing is accepted until [`Faults::resume`].
    pub fn stall(&self) {
        self.outgoing().stall();
        self.incoming().stall();
    }

    /// Ends a stall of both directions.
    pub fn resume(&self) {
        self.outgoing().resume();
        self.incoming().resume();
    }

    /// The number of wrapped connections that are neither cut nor dropped.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.lock().connections.len()
    }
}

impl DirectionFaults {
    /// Delays each byte by `latency`. Bytes in transit still arrive after the wrapped end is dropped, but not
    /// after a cut.
    pub fn delay(&self, latency: Duration) -> &Self {
        self.set(|settings| settings.delay = latency)
    }

    /// Limits the rate to this many bytes per second, at least one, as a slow reader does.
    pub fn rate(&self, bytes_per_second: u64) -> &Self {
        self.set(|settings| settings.rate = Some(bytes_per_second.max(1)))
    }

    /// Limits each read or write to this many bytes, at least one.
    pub fn chunks(&self, max: usize) -> &Self {
        self.set(|settings| settings.chunk = Some(max.max(1)))
    }

    /// Cuts the connection after exactly this many more bytes have arrived. This happens once; later
    /// connections are not affected.
    pub fn cut_after(&self, bytes: u64, how: Cut) -> &Self {
        self.set(|settings| settings.cut_after = Some((bytes, how)))
    }

    /// Stalls the direction: writes are no longer accepted, and available bytes do not arrive.
    pub fn stall(&self) -> &Self {
        self.set(|settings| settings.is_stalled = true)
    }

    /// Stalls the direction after this many more bytes have arrived.
    pub fn stall_after(&self, bytes: u64) -> &Self {
        self.set(|settings| {
            settings.stall_after = (bytes > 0).then_some(bytes);
            settings.is_stalled |= bytes == 0;
        })
    }

    /// Ends a stall.
    pub fn resume(&self) -> &Self {
        self.set(|settings| settings.is_stalled = false)
    }

    /// Removes all settings of this direction.
    pub fn clear(&self) -> &Self {
        self.set(|settings| *settings = Settings { passed: settings.passed, ..Settings::default() })
    }

    /// The number of bytes that have arrived in this direction, over all connections.
    #[must_use]
    pub fn passed(&self) -> u64 {
        self.shared.lock().settings(self.direction).passed
    }

    fn set(&self, change: impl FnOnce(&mut Settings)) -> &Self {
        self.shared.change(|state| change(state.settings(self.direction)));
        self
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.shared.lock();
        formatter
            .debug_struct("Faults")
            .field("outgoing", &state.outgoing)
            .field("incoming", &state.incoming)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for DirectionFaults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.lock().settings(self.direction).fmt(formatter)
    }
}
