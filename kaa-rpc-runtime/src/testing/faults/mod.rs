//! A transport that fails as it is told to.
//!
//! Invariants: what fails, and at which byte, depends on nothing but what the handle was told; time is tokio's; no byte
//! is lost, doubled or changed but by a cut, and then all that follow it are lost as well.

mod flow;
mod stream;

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

use crate::transport::{self, Stream};
use flow::{Settings, Way};
use stream::Entries;
pub use stream::FaultyIo;

/// What goes wrong on connections, said before or while they are used. A handle: clones mean the same faults.
///
/// What it wraps is one end of a connection; *outgoing* is what that end writes, *incoming* what it reads. In a
/// [`Pair`](super::Pair) it is the client's end. Without being told anything it passes everything on at once.
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
/// let mut near = faults.wrap(near); // any AsyncRead + AsyncWrite; Stream::from_io(near, "…") makes a connection of it
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

/// One direction of what [`Faults`] has wrapped.
#[derive(Clone)]
pub struct DirectionFaults {
    shared: Arc<Shared>,
    way: Way,
}

/// How a connection is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cut {
    /// As if the other end had closed it: reading comes to the end, writing fails.
    Closed,
    /// As if the network had failed: reading and writing fail with `ConnectionReset`.
    Reset,
}

/// What the handle and all that it has wrapped share.
#[derive(Default)]
struct Shared {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    outgoing: Settings,
    incoming: Settings,
    entries: Entries,
}

impl State {
    fn settings(&mut self, way: Way) -> &mut Settings {
        match way {
            Way::Outgoing => &mut self.outgoing,
            Way::Incoming => &mut self.incoming,
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes something, and lets all that wait look again.
    fn change(&self, change: impl FnOnce(&mut State)) {
        let wakers = {
            let mut state = self.lock();
            change(&mut state);
            state.entries.take_wakers()
        };
        wakers.into_iter().for_each(std::task::Waker::wake);
    }
}

impl Faults {
    /// No faults, so far.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One end of a connection, under these faults. Several can be wrapped, one after the other or at once; they share the
    /// settings.
    pub fn wrap(&self, io: impl AsyncRead + AsyncWrite + Send + 'static) -> FaultyIo {
        FaultyIo::new(Arc::clone(&self.shared), Box::pin(io))
    }

    /// As [`pair`](super::pair), with the first of both under these faults.
    #[must_use]
    pub fn pair(&self, capacity: usize) -> (Stream, Stream) {
        transport::pair_of(capacity, |io| self.wrap(io))
    }

    /// What the wrapped end writes.
    #[must_use]
    pub fn outgoing(&self) -> DirectionFaults {
        DirectionFaults { shared: Arc::clone(&self.shared), way: Way::Outgoing }
    }

    /// What the wrapped end reads.
    #[must_use]
    pub fn incoming(&self) -> DirectionFaults {
        DirectionFaults { shared: Arc::clone(&self.shared), way: Way::Incoming }
    }

    /// Cuts every connection there is, as [`Cut::Reset`]. Those that are wrapped later live.
    pub fn cut(&self) {
        self.shared.change(|state| state.entries.cut_all(Cut::Reset));
    }

    /// Stops both directions: neither does anything arrive, nor is anything taken, until [`Faults::resume`].
    pub fn stall(&self) {
        self.outgoing().stall();
        self.incoming().stall();
    }

    /// Lets both directions go on.
    pub fn resume(&self) {
        self.outgoing().resume();
        self.incoming().resume();
    }

    /// How many connections there are: wrapped, and neither cut nor dropped.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.lock().entries.living()
    }
}

impl DirectionFaults {
    /// Each byte arrives so much later. What is on its way when the end is dropped arrives still; what is on its way at a
    /// cut does not.
    pub fn delay(&self, latency: Duration) -> &Self {
        self.set(|settings| settings.delay = latency)
    }

    /// At most so many bytes pass in a second, at least one: as with a reader that is slow.
    pub fn rate(&self, bytes_per_second: u64) -> &Self {
        self.set(|settings| settings.rate = Some(bytes_per_second.max(1)))
    }

    /// At most so many bytes pass at a time, at least one, in as many reads or writes as it takes.
    pub fn chunks(&self, most: usize) -> &Self {
        self.set(|settings| settings.chunk = Some(most.max(1)))
    }

    /// Cuts the connection when so many more bytes have arrived: no byte less and none more. This happens once; a
    /// connection that follows lives.
    pub fn cut_after(&self, bytes: u64, how: Cut) -> &Self {
        self.set(|settings| settings.cut_after = Some((bytes, how)))
    }

    /// Stops: what is written is not taken any more, and what is there to be read does not arrive.
    pub fn stall(&self) -> &Self {
        self.set(|settings| settings.is_stalled = true)
    }

    /// Stops when so many more bytes have arrived.
    pub fn stall_after(&self, bytes: u64) -> &Self {
        self.set(|settings| {
            settings.stall_after = (bytes > 0).then_some(bytes);
            settings.is_stalled |= bytes == 0;
        })
    }

    /// Goes on after a stall.
    pub fn resume(&self) -> &Self {
        self.set(|settings| settings.is_stalled = false)
    }

    /// Takes everything back that was said of this direction.
    pub fn clear(&self) -> &Self {
        self.set(|settings| *settings = Settings { passed: settings.passed, ..Settings::default() })
    }

    /// How many bytes have arrived this way, over all connections.
    #[must_use]
    pub fn passed(&self) -> u64 {
        self.shared.lock().settings(self.way).passed
    }

    fn set(&self, change: impl FnOnce(&mut Settings)) -> &Self {
        self.shared.change(|state| change(state.settings(self.way)));
        self
    }
}

impl Cut {
    fn read_error(self) -> Option<io::Error> {
        match self {
            Self::Closed => None,
            Self::Reset => Some(io::ErrorKind::ConnectionReset.into()),
        }
    }

    fn write_error(self) -> io::Error {
        match self {
            Self::Closed => io::ErrorKind::BrokenPipe.into(),
            Self::Reset => io::ErrorKind::ConnectionReset.into(),
        }
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
        self.shared.lock().settings(self.way).fmt(formatter)
    }
}
