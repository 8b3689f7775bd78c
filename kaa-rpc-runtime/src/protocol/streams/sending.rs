//! The half of a stream that sends.
//!
//! Invariants (`docs/wire.md`, clause 7.4): a frame leaves only while there is credit, and costs all its bytes; credit
//! never rises above the window that the receiver advertised.

use crate::protocol::error::ProtocolError;

/// Credit, and who waits for it. `W` is what wakes them.
#[derive(Debug)]
pub struct Sending<W> {
    credit: i64,
    window: i64,
    stopped: bool,
    /// It waits for room in the output.
    pub(super) is_in_line: bool,
    waker: Option<W>,
}

impl<W> Sending<W> {
    /// A stream that may send at once, as much as the receiver's window lets it.
    #[must_use]
    pub fn new(window: u32) -> Self {
        let window = i64::from(window);
        Self { credit: window, window, stopped: false, is_in_line: false, waker: None }
    }

    /// A stream of a call that has not left yet.
    #[must_use]
    pub fn waiting() -> Self {
        Self::new(0)
    }

    /// The call has left: the window is open. Returns who waits for that.
    pub fn open(&mut self, window: u32) -> Option<W> {
        self.credit = i64::from(window);
        self.window = i64::from(window);
        self.waker.take()
    }

    /// How many bytes may be sent, and a little more: where it is above zero, one frame of any legal size may leave.
    #[must_use]
    pub fn credit(&self) -> i64 {
        self.credit
    }

    /// Whether the receiver takes no more.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// A frame of so many bytes leaves.
    pub fn spend(&mut self, bytes: usize) {
        self.credit = self.credit.saturating_sub(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    /// Keeps what wakes the sender.
    pub fn keep(&mut self, keep: impl FnOnce(&mut Option<W>)) {
        keep(&mut self.waker);
    }

    /// What wakes the sender, if it waits.
    pub fn take_waker(&mut self) -> Option<W> {
        self.waker.take()
    }

    /// The receiver gives credit back. Returns who waits for it.
    ///
    /// # Errors
    /// [`ProtocolError::ExcessCredit`] for more than was sent.
    pub fn grant(&mut self, bytes: u32, call: u64) -> Result<Option<W>, ProtocolError> {
        let credit = self.credit.saturating_add(i64::from(bytes));
        if credit > self.window {
            return Err(ProtocolError::ExcessCredit { id: call });
        }
        self.credit = credit;
        Ok(if credit > 0 { self.waker.take() } else { None })
    }

    /// The receiver takes no more. Returns who waits for credit in vain.
    pub fn stop(&mut self) -> Option<W> {
        self.stopped = true;
        self.waker.take()
    }
}
