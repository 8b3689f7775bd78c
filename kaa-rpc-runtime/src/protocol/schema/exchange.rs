//! Who tells whom what about schemas, and when calls may begin.
//!
//! Each side says which services it knows, with their fingerprints (a summary). For a service that both know with
//! different fingerprints each side sends its table, and both come to the same verdict.
//!
//! Invariants: a side that is not settled sends no calls; frames are in order, so a peer's call never comes before what
//! this side needs for its verdict, unless this side has come to know the service since; a peer's table is used and forgotten.

use std::collections::{BTreeMap, BTreeSet};

use super::compare::{Incompatibility, compare};
use super::exact::{Compatibility, first_difference};
use super::payload::{MalformedSchema, decode_summary, decode_table, encode_summary, encode_table};
use crate::descriptor::ServiceDescriptor;

/// Most services that a peer may tell of.
const MOST_SERVICES: usize = 4096;

/// What a Schema frame holds; the number in its header's `detail`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaMessage {
    /// Names and fingerprints.
    Summary,
    /// One service's table.
    Table,
}

impl SchemaMessage {
    /// The message with this number.
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
    /// It cannot be understood.
    Malformed,
    /// The schemas contradict each other.
    Incompatible(Incompatibility),
}

impl From<MalformedSchema> for SchemaFailure {
    fn from(_: MalformedSchema) -> Self {
        Self::Malformed
    }
}

/// The state of one connection.
#[derive(Debug, Default)]
pub struct SchemaExchange {
    compatibility: Compatibility,
    ours: BTreeMap<&'static str, &'static ServiceDescriptor>,
    theirs: BTreeMap<String, [u8; 32]>,
    /// Fingerprints were equal, or the peer's summary has come.
    knows_theirs: bool,
    /// Services whose table has been sent.
    told: BTreeSet<&'static str>,
    /// Services for whose table this side waits.
    awaited: BTreeSet<&'static str>,
    /// Services of this side that the peer does not know.
    lacking: Vec<&'static str>,
}

/// A frame to send.
type Outgoing = (SchemaMessage, Vec<u8>);

impl SchemaExchange {
    /// Begins after a handshake. Says what to send, which is nothing if the fingerprints were equal.
    #[must_use]
    pub fn begin(
        ours: &[&'static ServiceDescriptor],
        fingerprints_are_equal: bool,
        compatibility: Compatibility,
    ) -> (Self, Option<Outgoing>) {
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

    /// Whether calls may leave.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.knows_theirs && self.awaited.is_empty()
    }

    /// Whether the peer's table of this service has not come, which both know with different fingerprints.
    #[must_use]
    pub fn awaits(&self, service: &str) -> bool {
        self.awaited.contains(service)
    }

    /// Whether the peer may call: it has said what it knows, unless both know the same.
    #[must_use]
    pub fn knows_theirs(&self) -> bool {
        self.knows_theirs
    }

    /// Whether the peer has said what it knows, and this service of ours is not among it.
    #[must_use]
    #[inline]
    pub fn peer_lacks(&self, service: &str) -> bool {
        self.lacking.contains(&service)
    }

    fn note_lacking(&mut self) {
        if self.knows_theirs {
            let lacking = self.ours.keys().filter(|name| !self.theirs.contains_key(**name));
            self.lacking = lacking.copied().collect();
        }
    }

    /// This side knows one more service. Says what to send, which is nothing if it was known.
    pub fn add(&mut self, service: &'static ServiceDescriptor) -> Vec<Outgoing> {
        if self.ours.insert(service.name, service).is_some() {
            return Vec::new();
        }
        self.note_lacking();
        let mut output = vec![(SchemaMessage::Summary, encode_summary(&[service]))];
        if self.theirs.get(service.name).is_some_and(|theirs| *theirs != service.fingerprint) {
            output.extend(self.tell(service));
        }
        output
    }

    /// A Schema frame has come. Says what to send.
    ///
    /// # Errors
    /// What ends the connection.
    pub fn handle(&mut self, message: SchemaMessage, payload: &[u8]) -> Result<Vec<Outgoing>, SchemaFailure> {
        let mut output = Vec::new();
        match message {
            SchemaMessage::Summary => {
                for (name, fingerprint) in decode_summary(payload)? {
                    let ours = self.ours.get(name.as_str()).copied();
                    if let Some(ours) = ours.filter(|ours| ours.fingerprint != fingerprint) {
                        output.extend(self.tell(ours));
                    }
                    self.theirs.insert(name, fingerprint);
                    if self.theirs.len() > MOST_SERVICES {
                        return Err(SchemaFailure::Malformed);
                    }
                }
                self.knows_theirs = true;
                self.note_lacking();
            }
            SchemaMessage::Table => {
                let table = decode_table(payload)?;
                // A table that nobody asked for is about a service that this side does not know.
                let Some(ours) = self.ours.get(table.service.as_str()).copied() else { return Ok(output) };
                output.extend(self.tell(ours));
                // A service that does not fit stays awaited: no call may leave any more.
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

    /// Sends a table once, and waits for the peer's.
    fn tell(&mut self, service: &'static ServiceDescriptor) -> Option<Outgoing> {
        if !self.told.insert(service.name) {
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

    /// Plays two sides against each other until nothing is left to send.
    fn play(
        a: &[&'static ServiceDescriptor],
        b: &[&'static ServiceDescriptor],
    ) -> (Result<(), SchemaFailure>, Result<(), SchemaFailure>) {
        let (mut a, to_b) = SchemaExchange::begin(a, false, Compatibility::Evolving);
        let (mut b, to_a) = SchemaExchange::begin(b, false, Compatibility::Evolving);
        let mut to_b: Vec<Outgoing> = to_b.into_iter().collect();
        let mut to_a: Vec<Outgoing> = to_a.into_iter().collect();
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
        assert_eq!(a.is_settled(), at_a.is_ok(), "no call leaves a side that found a contradiction");
        assert_eq!(b.is_settled(), at_b.is_ok());
        (at_a, at_b)
    }

    #[test]
    fn equal_fingerprints_cost_nothing() {
        let (exchange, output) = SchemaExchange::begin(&[OLD], true, Compatibility::Exact);
        assert_eq!(output, None);
        assert!(exchange.is_settled());
    }

    #[test]
    fn two_generations_that_fit_are_let_through() {
        assert_eq!(play(&[OLD], &[NEW]), (Ok(()), Ok(())));
        assert_eq!(play(&[], &[NEW]), (Ok(()), Ok(())));
        assert_eq!(play(&[OLD], &[OLD]), (Ok(()), Ok(())));
    }

    #[test]
    fn a_contradiction_is_named_on_both_ends() {
        let (at_a, at_b) = play(&[OLD], &[OTHER]);
        let name = |outcome: Result<(), SchemaFailure>| match outcome {
            Err(SchemaFailure::Incompatible(incompatibility)) => incompatibility.to_string(),
            other => panic!("{other:?}"),
        };
        assert_eq!(name(at_a), "service a.A: type a.T differs in field 1: `x` here, `z` there");
        assert_eq!(name(at_b), "service a.A: type a.T differs in field 1: `z` here, `x` there");
    }

    #[test]
    fn a_service_that_is_added_later_is_compared_too() {
        let (mut a, _) = SchemaExchange::begin(&[], true, Compatibility::Evolving);
        let (mut b, _) = SchemaExchange::begin(&[], true, Compatibility::Evolving);
        for (message, payload) in a.add(OLD) {
            assert!(b.handle(message, &payload).unwrap().is_empty());
        }
        let mut to_a = b.add(OTHER);
        assert!(!b.is_settled(), "the peer's table must come first");
        let (message, payload) = to_a.remove(0);
        let to_b = a.handle(message, &payload).unwrap();
        assert_eq!(to_b.len(), 1);
        assert!(matches!(b.handle(to_b[0].0, &to_b[0].1), Err(SchemaFailure::Incompatible(_))));
        let (message, payload) = to_a.remove(0);
        assert!(matches!(a.handle(message, &payload), Err(SchemaFailure::Incompatible(_))));
    }

    #[test]
    fn malformed_payloads_are_refused() {
        let (mut exchange, _) = SchemaExchange::begin(&[OLD], false, Compatibility::Evolving);
        for payload in [&b""[..], &[1, 0, 0, 0], &[0xff; 40], &[0, 0, 0, 0, 0]] {
            assert_eq!(exchange.handle(SchemaMessage::Summary, payload), Err(SchemaFailure::Malformed));
            assert_eq!(exchange.handle(SchemaMessage::Table, payload), Err(SchemaFailure::Malformed));
        }
    }
}
