//! The server's log: the calls between the server and each client.
//!
//! Invariants: the client is on the left and the server on the right; a solid arrow is a call, and a dashed arrow its
//! result; a line is written at once, or discarded if standard error is closed.

use std::fmt;
use std::io::Write;

use kaa_rpc_runtime::{Failure, Fault};

use crate::api::beacon::{BeaconError, Item, ScanReport};

/// Writes one line.
pub(crate) fn log(text: impl fmt::Display) {
    let _closed = writeln!(std::io::stderr().lock(), "{text}");
}

/// The log of the calls with one client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Conversation {
    /// The number of the client, in the order of their connections.
    pub(crate) client: u32,
}

impl Conversation {
    /// Logs an inbound call and its result.
    pub(crate) async fn call<T: LogText, E: LogText>(
        self,
        call: String,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        self.line("──▶", call);
        let result = work.await;
        match &result {
            Ok(value) => self.line("◀╌╌", value.log_text()),
            Err(error) => self.line("◀╌╌", error.log_text()),
        }
        result
    }

    /// Logs an outbound call.
    pub(crate) fn outbound_call(self, call: impl fmt::Display) {
        self.line("◀──", call);
    }

    /// Logs the result of an outbound call.
    pub(crate) fn outbound_result(self, result: impl fmt::Display) {
        self.line("╌╌▶", result);
    }

    fn line(self, arrow: &str, text: impl fmt::Display) {
        log(format_args!("client {} {arrow} server   {text}", self.client));
    }
}

/// A result that can be logged.
pub(crate) trait LogText {
    /// A short text for the log.
    fn log_text(&self) -> String;
}

impl LogText for () {
    fn log_text(&self) -> String {
        "done".to_owned()
    }
}

impl LogText for Item {
    fn log_text(&self) -> String {
        self.to_string()
    }
}

impl LogText for Vec<Item> {
    fn log_text(&self) -> String {
        if self.len() == 1 { "1 item".to_owned() } else { format!("{} items", self.len()) }
    }
}

impl LogText for ScanReport {
    fn log_text(&self) -> String {
        self.to_string()
    }
}

impl LogText for Fault {
    fn log_text(&self) -> String {
        format!("fault: {self}")
    }
}

impl LogText for Failure<BeaconError> {
    fn log_text(&self) -> String {
        match self {
            Self::Declared(error) => format!("error: {error}"),
            Self::Fault(fault) => fault.log_text(),
        }
    }
}
