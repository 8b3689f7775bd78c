//! The server's log: what it and one client say to each other, as a person reads it.
//!
//! Invariants: the client stands on the left and the server on the right; a solid arrow is a call and a dashed one its
//! answer; a line is written at once or, if standard error is gone, not at all.

use std::fmt;
use std::io::Write;

use kaa_rpc_runtime::{Failure, Fault};

use crate::api::beacon::{BeaconError, Item, ScanReport};

/// Writes one line.
pub(crate) fn note(text: impl fmt::Display) {
    let _gone = writeln!(std::io::stderr().lock(), "{text}");
}

/// The conversation with one client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Conversation {
    /// Which client, in the order in which they came.
    pub(crate) client: u32,
}

impl Conversation {
    /// A call of the client, from its arrival to its answer.
    pub(crate) async fn call<T: Told, E: Told>(
        self,
        call: String,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        self.line("──▶", call);
        let result = work.await;
        match &result {
            Ok(value) => self.line("◀╌╌", value.told()),
            Err(error) => self.line("◀╌╌", error.told()),
        }
        result
    }

    /// A call of the server.
    pub(crate) fn asks(self, call: impl fmt::Display) {
        self.line("◀──", call);
    }

    /// The client's answer to a call of the server.
    pub(crate) fn is_told(self, answer: impl fmt::Display) {
        self.line("╌╌▶", answer);
    }

    fn line(self, arrow: &str, text: impl fmt::Display) {
        note(format_args!("client {} {arrow} server   {text}", self.client));
    }
}

/// What an answer looks like in the log.
pub(crate) trait Told {
    /// In a few words.
    fn told(&self) -> String;
}

impl Told for () {
    fn told(&self) -> String {
        "done".to_owned()
    }
}

impl Told for Item {
    fn told(&self) -> String {
        self.to_string()
    }
}

impl Told for Vec<Item> {
    fn told(&self) -> String {
        if self.len() == 1 { "1 item".to_owned() } else { format!("{} items", self.len()) }
    }
}

impl Told for ScanReport {
    fn told(&self) -> String {
        self.to_string()
    }
}

impl Told for Fault {
    fn told(&self) -> String {
        format!("fault: {self}")
    }
}

impl Told for Failure<BeaconError> {
    fn told(&self) -> String {
        match self {
            Self::Declared(error) => format!("error: {error}"),
            Self::Fault(fault) => fault.told(),
        }
    }
}
