//! What generated code says about services and methods: constants only.

use std::fmt;
use std::time::Duration;

/// A service: its name, and what identifies its schema.
#[derive(Debug, Clone, Copy)]
pub struct ServiceDescriptor {
    /// `package.Service`, by wire names.
    pub name: &'static str,
    /// SHA-256 of the canonical form of the service and all it reaches (`docs/idl.md`).
    pub fingerprint: [u8; 32],
    /// What is compared where fingerprints differ.
    pub table: ServiceTable,
    /// The methods that the accepting peer serves.
    pub server_methods: &'static [&'static MethodDescriptor],
    /// The methods that the connecting peer serves.
    pub client_methods: &'static [&'static MethodDescriptor],
}

/// A method.
#[derive(Debug, Clone, Copy)]
pub struct MethodDescriptor {
    /// Its id on the wire.
    pub id: u32,
    /// `package.Service`.
    pub service: &'static str,
    /// Its wire name.
    pub name: &'static str,
    /// Whether it has no reply.
    pub oneway: bool,
    /// Whether it may be run twice: after a loss of the connection it is sent again, where a client reconnects.
    pub idempotent: bool,
    /// Whether its handler runs to its end when nobody waits for it any more.
    pub detached: bool,
    /// How long a call may take if its caller says nothing else.
    pub timeout: Option<Duration>,
    /// What of it is a stream.
    pub streams: Streams,
}

/// Which of a method's two directions are streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Streams {
    /// Whether it has a stream parameter.
    pub arguments: bool,
    /// Whether it returns a stream.
    pub returns: bool,
}

impl MethodDescriptor {
    /// A two-way method without attributes.
    #[must_use]
    pub const fn new(id: u32, service: &'static str, name: &'static str) -> Self {
        let streams = Streams { arguments: false, returns: false };
        Self { id, service, name, oneway: false, idempotent: false, detached: false, timeout: None, streams }
    }
}

impl fmt::Display for MethodDescriptor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.service, self.name)
    }
}

/// What two peers compare when their fingerprints differ (`docs/idl.md`, canonical form).
#[derive(Debug, Clone, Copy)]
pub struct ServiceTable {
    /// Every method of both sides, by ascending id.
    pub methods: &'static [MethodEntry],
    /// Every named type that the methods reach, by name.
    pub types: &'static [TypeEntry],
}

/// A method in a [`ServiceTable`].
#[derive(Debug, Clone, Copy)]
pub struct MethodEntry {
    /// Its id.
    pub id: u32,
    /// Its wire name.
    pub name: &'static str,
    /// Hash of role, oneway, streaming and return type.
    pub signature: u64,
    /// Hash of the error type's name; 0 where none is declared.
    pub throws: u64,
    /// Chain over the parameters.
    pub parameters: &'static [ElementEntry],
}

/// A type in a [`ServiceTable`].
#[derive(Debug, Clone, Copy)]
pub struct TypeEntry {
    /// Qualified wire name.
    pub name: &'static str,
    /// How its elements are compared.
    pub form: TypeForm,
    /// Fields as a chain, or variants or flags by tag.
    pub elements: &'static [ElementEntry],
}

/// How the elements of a [`TypeEntry`] are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TypeForm {
    /// An extensible struct: the shorter chain must be a prefix of the longer.
    Struct,
    /// A sealed struct or newtype: the chains must be equal.
    SealedStruct,
    /// An open enum or error: the hashes of tags that both know must be equal.
    Enum,
    /// A sealed enum: the sets must be equal.
    SealedEnum,
    /// Flags: like an open enum.
    Flags,
}

/// One field, parameter, variant or flag.
#[derive(Debug, Clone, Copy)]
pub struct ElementEntry {
    /// Its wire name.
    pub name: &'static str,
    /// The variant's tag or the flag's value; the position in a chain.
    pub tag: u64,
    /// The hash of this element, and in chains of all before it.
    pub hash: u64,
    /// Whether a peer that lacks it can fill it in.
    pub has_default: bool,
}
