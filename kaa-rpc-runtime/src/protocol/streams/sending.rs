//! The sending half of a stream.
//!
//! Invariants (`docs/wire.md`, clause 7.4): a frame is sent only while the credit is positive, and costs all
//! its bytes. The credit never exceeds the receiver's window.

use crate::protocol::error::ProtocolError;

/// The credit of a stream. `W` is the waker of the sender.
#[derive(Debug)]
pub struct Sending<W> {
    credit: i64,
    window: i64,
    stopped: bool,
    /// The sender waits for room in the output.
    pub(super) is_waiting: bool,
    waker: Option<W>,
}

impl<W> Sending<W> {
    /// Creates a half that can send at once, with the receiver's window as its credit.
    #[must_use]
    pub fn new(window: u32) -> Self {
        let window = i64::from(window);
        Self { credit: window, window, stopped: false, is_waiting: false, waker: None }
    }

    /// Creates a half for a call that was not sent yet. It has no credit.
    #[must_use]
    pub fn waiting() -> Self {
        Self::new(0)
    }

    /// Opens the window when the call was sent. Returns the waker of the sender.
    pub fn open(&mut self, window: u32) -> Option<W> {
        self.credit = i64::from(window);
        self.window = i64::from(window);
        self.waker.take()
    }

    /// The credit in bytes. While it is positive, one frame of any valid size may be sent.
    #[must_use]
    pub fn credit(&self) -> i64 {
        self.credit
    }

    /// Whether the receiver accepts no more items.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// Spends the credit for a frame of this size.
    pub fn spend(&mut self, bytes: usize) {
        self.credit = self.credit.saturating_sub(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    /// Updates the waker of the sender.
    pub fn keep(&mut self, keep: impl FnOnce(&mut Option<W>)) {
        keep(&mut self.waker);
    }

    /// Takes the waker of the sender, if it waits.
    pub fn take_waker(&mut self) -> Option<W> {
        self.waker.take()
    }

    /// Adds credit that the receiver has granted. Returns the waker of the sender if it can send now.
    ///
    /// # Errors
    /// [`ProtocolError::ExcessCredit`] for more credit than bytes were sent.
    pub fn grant(&mut self, bytes: u32, call: u64) -> Result<Option<W>, ProtocolError> {
        let credit = self.credit.saturating_add(i64::from(bytes));
        if credit > self.window {
            return Err(ProtocolError::ExcessCredit { id: call });
        }
        self.credit = credit;
        Ok(if credit > 0 { self.waker.take() } else { None })
    }

    /// The receiver accepts no more items. Returns the waker of the sender.
    pub fn stop(&mut self) -> Option<W> {
        self.stopped = true;
        self.waker.take()
    }
}
