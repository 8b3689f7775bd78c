//! The exchange of schemas, and when calls may be sent.
//!
//! Each side sends a summary: its services with their fingerprints. If both know a service with different
//! fingerprints, each side sends its table, and both reach the same verdict.
//!
//! Invariants:
//! - A side sends no calls until the exchange is settled.
//! - Frames arrive in order, so a peer's call arrives after everything that this side needs for its verdict,
//!   unless the service was registered later.
//! - A peer's table is compared and not kept.

use std::collections::{BTreeMap, BTreeSet};

use super::compare::{Incompatibility, compare};
use super::exact::{Compatibility, first_difference};
use super::payload::{MalformedSchema, decode_summary, decode_table, encode_summary, encode_table};
use crate::descriptor::ServiceDescriptor;

/// The maximum number of services in a peer's summaries.
const MAX_SERVICES: usize = 4096;

/// The content of a Schema frame. Its number is the `detail` field of the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaMessage {
    /// The names and fingerprints of services.
    Summary,
    /// The table of one service.
    Table,
}

impl SchemaMessage {
    /// The message with this number, or `None`.
    #[must_use]
    pub const fn from_number(number: u32) -> Option<Self> {
        match number {
            0 => Some(Self::Summary),
            1 => Some(Self::Table),
            _ => None,
        }
    }

    /// The number of this message.
    #[must_use]
    pub const fn to_number(self) -> u32 {
        match self {
            Self::Summary => 0,
            Self::Table => 1,
        }
    }
}

/// Why a Schema frame ends the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaFailure {
    /// The frame cannot be decoded.
    Malformed,
    /// The schemas are incompatible.
    Incompatible(Incompatibility),
}

impl From<MalformedSchema> for SchemaFailure {
    fn from(_: MalformedSchema) -> Self {
        Self::Malformed
    }
}

/// The state of the exchange on one connection.
#[derive(Debug, Default)]
pub struct SchemaExchange {
    compatibility: Compatibility,
    ours: BTreeMap<&'static str, &'static ServiceDescriptor>,
    theirs: BTreeMap<String, [u8; 32]>,
    /// The fingerprints were equal, or the peer's summary has arrived.
    knows_theirs: bool,
    /// The services whose table this side has sent.
    sent: BTreeSet<&'static str>,
    /// The services whose table this side waits for.
    awaited: BTreeSet<&'static str>,
    /// The services of this side that the peer does not know.
    missing: Vec<&'static str>,
}

/// A frame to send.
type SchemaFrame = (SchemaMessage, Vec<u8>);

impl SchemaExchange {
    /// Starts the exchange after a handshake. Returns the frame to send; there is none if the fingerprints
    /// were equal.
    #[must_use]
    pub fn begin(
        ours: &[&'static ServiceDescriptor],
        fingerprints_are_equal: bool,
        compatibility: Compatibility,
    ) -> (Self, Option<SchemaFrame>) {
        let exchange = Self {
            compatibility,
            ours: ours.iter().map(|service| (service.name, *service)).collect(),
            knows_theirs: fingerprints_are_equal,
            theirs: if fingerprints_are_equal {
                ours.iter().map(|service| (service.name.to_owned(), service.fingerprint)).collect()
            } else {
                BTreeMap::new()
            },
            ..Self::default()
        };
        let summary = (!fingerprints_are_equal).then(|| (SchemaMessage::Summary, encode_summary(ours)));
        (exchange, summary)
    }

    /// Whether calls may be sent.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.knows_theirs && self.awaited.is_empty()
    }

    /// Whether this side waits for the peer's table of this service.
    #[must_use]
    pub fn awaits(&self, service: &str) -> bool {
        self.awaited.contains(service)
    }

    /// Whether the peer may call: its summary has arrived, or the fingerprints were equal.
    #[must_use]
    pub fn knows_theirs(&self) -> bool {
        self.knows_theirs
    }

    /// Whether the peer is known to lack this service.
    #[must_use]
    #[inline]
    pub fn peer_lacks(&self, service: &str) -> bool {
        self.missing.contains(&service)
    }

    fn update_missing(&mut self) {
        if self.knows_theirs {
            let missing = self.ours.keys().filter(|name| !self.theirs.contains_key(**name));
            self.missing = missing.copied().collect();
        }
    }

    /// Adds a service of this side. Returns the frames to send; there are none if the service was known.
    pub fn add(&mut self, service: &'static ServiceDescriptor) -> Vec<SchemaFrame> {
        if self.ours.insert(service.name, service).is_some() {
            return Vec::new();
        }
        self.update_missing();
        let mut output = vec![(SchemaMessage::Summary, encode_summary(&[service]))];
        if self.theirs.get(service.name).is_some_and(|theirs| *theirs != service.fingerprint) {
            output.extend(self.send_table(service));
        }
        output
    }

    /// Handles a Schema frame. Returns the frames to send.
    ///
    /// # Errors
    /// The connection must be closed.
    pub fn handle(
        &mut self,
        message: SchemaMessage,
        payload: &[u8],
    ) -> Result<Vec<SchemaFrame>, SchemaFailure> {
        let mut output = Vec::new();
        match message {
            SchemaMessage::Summary => {
                for (name, fingerprint) in decode_summary(payload)? {
                    let ours = self.ours.get(name.as_str()).copied();
                    if let Some(ours) = ours.filter(|ours| ours.fingerprint != fingerprint) {
                        output.extend(self.send_table(ours));
                    }
                    self.theirs.insert(name, fingerprint);
                    if self.theirs.len() > MAX_SERVICES {
                        return Err(SchemaFailure::Malformed);
                    }
                }
                self.knows_theirs = true;
                self.update_missing();
            }
            SchemaMessage::Table => {
                let table = decode_table(payload)?;
                // This side does not know the service.
                let Some(ours) = self.ours.get(table.service.as_str()).copied() else { return Ok(output) };
                output.extend(self.send_table(ours));
                // An incompatible service stays in `awaited`, so no call can be sent any more.
                compare(ours, &table).map_err(SchemaFailure::Incompatible)?;
                // Tables are exchanged only where fingerprints differ.
                if self.compatibility == Compatibility::Exact {
                    return Err(SchemaFailure::Incompatible(first_difference(ours, &table)));
                }
                self.awaited.remove(ours.name);
            }
        }
        Ok(output)
    }

    /// Sends the table of a service, once, and waits for the peer's.
    fn send_table(&mut self, service: &'static ServiceDescriptor) -> Option<SchemaFrame> {
        if !self.sent.insert(service.name) {
            return None;
        }
        self.awaited.insert(service.name);
        Some((SchemaMessage::Table, encode_table(service)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::descriptor::{ElementEntry, ServiceTable, TypeEntry, TypeForm};

    macro_rules! service {
        ($fingerprint:expr, $elements:expr) => {
            &ServiceDescriptor {
                name: "a.A",
                fingerprint: [$fingerprint; 32],
                table: ServiceTable {
                    methods: &[],
                    types: &[TypeEntry { name: "a.T", form: TypeForm::Struct, elements: $elements }],
                },
                server_methods: &[],
                client_methods: &[],
            }
        };
    }

    const X: ElementEntry = ElementEntry { name: "x", tag: 0, hash: 1, has_default: false };
    const Y: ElementEntry = ElementEntry { name: "y", tag: 1, hash: 2, has_default: true };
    const Z: ElementEntry = ElementEntry { name: "z", tag: 0, hash: 9, has_default: false };
    static OLD: &ServiceDescriptor = service!(1, &[X]);
    static NEW: &ServiceDescriptor = service!(2, &[X, Y]);
    static OTHER: &ServiceDescriptor = service!(3, &[Z]);

    /// Connects two sides until neither has more to send.
    fn exchange(
        a: &[&'static ServiceDescriptor],
        b: &[&'static ServiceDescriptor],
    ) -> (Result<(), SchemaFailure>, Result<(), SchemaFailure>) {
        let (mut a, to_b) = SchemaExchange::begin(a, false, Compatibility::Evolving);
        let (mut b, to_a) = SchemaExchange::begin(b, false, Compatibility::Evolving);
        let mut to_b: Vec<SchemaFrame> = to_b.into_iter().collect();
        let mut to_a: Vec<SchemaFrame> = to_a.into_iter().collect();
        let (mut at_a, mut at_b) = (Ok(()), Ok(()));
        while !to_a.is_empty() || !to_b.is_empty() {
            for (message, payload) in std::mem::take(&mut to_b) {
                match b.handle(message, &payload) {
                    Ok(output) => to_a.extend(output),
                    Err(failure) => at_b = Err(failure),
                }
            }
            for (message, payload) in std::mem::take(&mut to_a) {
                match a.handle(message, &payload) {
                    Ok(output) => to_b.extend(output),
                    Err(failure) => at_a = Err(failure),
                }
            }
        }
        assert_eq!(a.is_settled(), at_a.is_ok(), "a side with an incompatible peer sends no calls");
        assert_eq!(b.is_settled(), at_b.is_ok());
        (at_a, at_b)
    }

    #[test]
    fn equal_fingerprints_need_no_exchange() {
        let (exchange, output) = SchemaExchange::begin(&[OLD], true, Compatibility::Exact);
        assert_eq!(output, None);
        assert!(exchange.is_settled());
    }

    #[test]
    fn compatible_versions_are_accepted() {
        assert_eq!(exchange(&[OLD], &[NEW]), (Ok(()), Ok(())));
        assert_eq!(exchange(&[], &[NEW]), (Ok(()), Ok(())));
        assert_eq!(exchange(&[OLD], &[OLD]), (Ok(()), Ok(())));
    }

    #[test]
    fn both_ends_report_incompatibility() {
        let (at_a, at_b) = exchange(&[OLD], &[OTHER]);
        let name = |outcome: Result<(), SchemaFailure>| match outcome {
            Err(SchemaFailure::Incompatible(incompatibility)) => incompatibility.to_string(),
            other => panic!("{other:?}"),
        };
        assert_eq!(name(at_a), "service a.A: type a.T differs in field 1: `x` here, `z` there");
        assert_eq!(name(at_b), "service a.A: type a.T differs in field 1: `z` here, `x` there");
    }

    #[test]
    fn service_added_later_is_compared() {
        let (mut a, _) = SchemaExchange::begin(&[], true, Compatibility::Evolving);
        let (mut b, _) = SchemaExchange::begin(&[], true, Compatibility::Evolving);
        for (message, payload) in a.add(OLD) {
            assert!(b.handle(message, &payload).unwrap().is_empty());
        }
        let mut to_a = b.add(OTHER);
        assert!(!b.is_settled(), "it waits for the peer's table");
        let (message, payload) = to_a.remove(0);
        let to_b = a.handle(message, &payload).unwrap();
        assert_eq!(to_b.len(), 1);
        assert!(matches!(b.handle(to_b[0].0, &to_b[0].1), Err(SchemaFailure::Incompatible(_))));
        let (message, payload) = to_a.remove(0);
        assert!(matches!(a.handle(message, &payload), Err(SchemaFailure::Incompatible(_))));
    }

    #[test]
    fn malformed_payloads_are_errors() {
        let (mut exchange, _) = SchemaExchange::begin(&[OLD], false, Compatibility::Evolving);
        for payload in [&b""[..], &[1, 0, 0, 0], &[0xff; 40], &[0, 0, 0, 0, 0]] {
            assert_eq!(exchange.handle(SchemaMessage::Summary, payload), Err(SchemaFailure::Malformed));
            assert_eq!(exchange.handle(SchemaMessage::Table, payload), Err(SchemaFailure::Malformed));
        }
    }
}
