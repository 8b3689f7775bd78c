//! Constants by which generated code describes services and methods.

use std::fmt;
use std::time::Duration;

/// A service: its name, its schema and its methods.
#[derive(Debug, Clone, Copy)]
pub struct ServiceDescriptor {
    /// `package.Service`, in wire names.
    pub name: &'static str,
    /// SHA-256 of the canonical form of the service and all types that it reaches (`docs/idl.md`).
    pub fingerprint: [u8; 32],
    /// What the peers compare if their fingerprints differ.
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
    /// Whether it may run twice: a client that reconnects sends the call again after a connection loss.
    pub idempotent: bool,
    /// Whether its handler runs to its end even if the caller is gone.
    pub detached: bool,
    /// The default timeout of a call.
    pub timeout: Option<Duration>,
    /// Which of its directions are streams.
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

/// What the peers compare if their fingerprints differ (`docs/idl.md`, "Canonical form").
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
    /// Hash of the role, `oneway`, the streams and the return type.
    pub signature: u64,
    /// Hash of the error type's name; 0 if none is declared.
    pub throws: u64,
    /// The chain of the parameters.
    pub parameters: &'static [ElementEntry],
}

/// A type in a [`ServiceTable`].
#[derive(Debug, Clone, Copy)]
pub struct TypeEntry {
    /// Its qualified wire name.
    pub name: &'static str,
    /// How its elements are compared.
    pub form: TypeForm,
    /// Its fields as a chain, or its variants or flags by tag.
    pub elements: &'static [ElementEntry],
}

/// How the elements of a [`TypeEntry`] are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TypeForm {
    /// An extensible struct: the shorter chain must be a prefix of the longer.
    Struct,
    /// A sealed struct or newtype: the chains must be equal.
    SealedStruct,
    /// An open enum or error: tags that both peers know must have equal hashes.
    Enum,
    /// A sealed enum: the sets of variants must be equal.
    SealedEnum,
    /// Flags: compared like an open enum.
    Flags,
}

/// One field, parameter, variant or flag.
#[derive(Debug, Clone, Copy)]
pub struct ElementEntry {
    /// Its wire name.
    pub name: &'static str,
    /// The variant's tag, the flag's value, or the position in a chain.
    pub tag: u64,
    /// The hash of this element; in a chain, of this and all preceding elements.
    pub hash: u64,
    /// Whether a peer that lacks it can use a default instead.
    pub has_default: bool,
}
