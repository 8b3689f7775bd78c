//! Services, interfaces and methods.
//!
//! Invariants: includes are flattened; a method's id is that of its service, role and wire name.

use super::{Attributes, Docs, Field, Location, ServiceTable, Type, TypeId};

/// `interface Name { … }`
#[derive(Debug, Clone, PartialEq)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Its documentation.
    pub docs: Docs,
    /// Its attributes.
    pub attributes: Attributes,
    /// Its methods, those of interfaces it includes after its own; ids and roles are those of no service (0, server).
    pub methods: Vec<Method>,
    /// Qualified names of the interfaces it includes itself, in order.
    pub includes: Vec<String>,
    /// Names of deleted methods that it reserves itself.
    pub reserved: Vec<String>,
    /// Where it was declared.
    pub location: Location,
}

/// A service: both directions of one contract.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// Its name in the source.
    pub name: String,
    /// Its `#[selector]`, if it has one: [`Self::wire_name`].
    pub selector: Option<Box<str>>,
    /// Its documentation.
    pub docs: Docs,
    /// Its attributes.
    pub attributes: Attributes,
    /// Methods that the accepting peer serves, included ones flattened in where their `include` stands.
    pub server: Vec<Method>,
    /// Methods that the connecting peer serves.
    pub client: Vec<Method>,
    /// Qualified names of the interfaces included on the server's side, in order.
    pub server_includes: Vec<String>,
    /// Qualified names of the interfaces included on the client's side, in order.
    pub client_includes: Vec<String>,
    /// Names of deleted methods reserved on the server's side.
    pub server_reserved: Vec<String>,
    /// Names of deleted methods reserved on the client's side.
    pub client_reserved: Vec<String>,
    /// SHA-256 of the canonical form of this service and all it reaches.
    pub fingerprint: [u8; 32],
    /// What peers compare where fingerprints differ.
    pub table: ServiceTable,
    /// Where it was declared.
    pub location: Location,
}

/// Which side serves a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The accepting peer.
    Server,
    /// The connecting peer.
    Client,
}

/// A method of a service.
#[derive(Debug, Clone, PartialEq)]
pub struct Method {
    /// Its name in the source.
    pub name: String,
    /// Its `#[selector]`, if it has one: [`Self::wire_name`].
    pub selector: Option<Box<str>>,
    /// Its documentation.
    pub docs: Docs,
    /// Its attributes.
    pub attributes: Attributes,
    /// First four bytes, big-endian, of SHA-256 over `package.Service/role/selector`.
    pub id: u32,
    /// Who serves it.
    pub role: Role,
    /// Whether it has no reply.
    pub oneway: bool,
    /// Its parameters in wire order, tombstones included; those with a written default form the options struct.
    pub parameters: Vec<Field>,
    /// Whether a trailing `..` asked for an options struct before there is a defaulted parameter.
    pub options_requested: bool,
    /// The one parameter that is a stream, if there is one. It is none of `parameters`, since it takes no bytes there.
    pub stream: Option<Box<StreamParameter>>,
    /// What it returns.
    pub returns: Returns,
    /// The error type it declares; for a stream, what may end it.
    pub throws: Option<TypeId>,
    /// Qualified name of the interface it came from, if it was included.
    pub interface: Option<String>,
    /// Where it was declared.
    pub location: Location,
}

/// What a method gives back.
#[derive(Debug, Clone, PartialEq)]
pub enum Returns {
    /// `()`.
    Unit,
    /// One value.
    Value(Type),
    /// Any number of values, one after the other.
    Stream(Type),
}

impl Returns {
    /// The type of the value, or of each item of the stream.
    #[must_use]
    pub fn ty(&self) -> Option<&Type> {
        match self {
            Self::Unit => None,
            Self::Value(ty) | Self::Stream(ty) => Some(ty),
        }
    }

    /// Whether it is a stream.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        matches!(self, Self::Stream(_))
    }
}

/// `name: stream type` among a method's parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamParameter {
    /// Its place among the parameters as they were written, tombstones counted.
    pub position: usize,
    /// Its name in the source.
    pub name: String,
    /// Its `#[selector]`, if it has one: [`Self::wire_name`].
    pub selector: Option<Box<str>>,
    /// Its documentation.
    pub docs: Docs,
    /// Its attributes.
    pub attributes: Attributes,
    /// The type of each item.
    pub item: Type,
    /// Where it was declared.
    pub location: Location,
}

impl Service {
    /// Its name on the wire: the `#[selector]` if there is one, else the name.
    #[must_use]
    pub fn wire_name(&self) -> &str {
        self.selector.as_deref().unwrap_or(&self.name)
    }
}

impl Method {
    /// Its name on the wire: the `#[selector]` if there is one, else the name.
    #[must_use]
    pub fn wire_name(&self) -> &str {
        self.selector.as_deref().unwrap_or(&self.name)
    }
}

impl StreamParameter {
    /// Its name on the wire: the `#[selector]` if there is one, else the name.
    #[must_use]
    pub fn wire_name(&self) -> &str {
        self.selector.as_deref().unwrap_or(&self.name)
    }
}
