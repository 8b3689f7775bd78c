//! Services, interfaces and methods.
//!
//! Invariants: includes are flattened. A method's id depends on its service, role and wire name.

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
    /// Its own methods, then those of the interfaces that it includes. Ids are 0 and roles `Server`, because
    /// they depend on the service.
    pub methods: Vec<Method>,
    /// Qualified names of the interfaces that it includes directly, in order.
    pub includes: Vec<String>,
    /// Names of deleted methods that it reserves directly.
    pub reserved: Vec<String>,
    /// Where it is declared.
    pub location: Location,
}

/// A service: the methods of both peers.
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
    /// Methods that the accepting peer serves. Included methods are at the position of their `include`.
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
    /// SHA-256 of the canonical form of this service and all types that it uses.
    pub fingerprint: [u8; 32],
    /// What peers compare if their fingerprints differ.
    pub table: ServiceTable,
    /// Where it is declared.
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
    /// The side that serves it.
    pub role: Role,
    /// Whether it has no reply.
    pub oneway: bool,
    /// Its parameters in wire order, including tombstones. Those with a written default are in the options
    /// struct.
    pub parameters: Vec<Field>,
    /// Whether a trailing `..` requests an options struct even without a parameter with a default.
    pub options_requested: bool,
    /// The stream parameter, if there is one. It is not in `parameters`, because the arguments contain no
    /// bytes of it.
    pub stream: Option<Box<StreamParameter>>,
    /// Its result.
    pub returns: Returns,
    /// The error type that it declares; an error can also end a stream of results.
    pub throws: Option<TypeId>,
    /// Qualified name of the interface that it is included from, if any.
    pub interface: Option<String>,
    /// Where it is declared.
    pub location: Location,
}

/// The result of a method.
#[derive(Debug, Clone, PartialEq)]
pub enum Returns {
    /// `()`.
    Unit,
    /// One value.
    Value(Type),
    /// A stream of values.
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
    /// Its index in the parameters as written, counting tombstones.
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
    /// Where it is declared.
    pub location: Location,
}

impl Service {
    /// Its name on the wire: the `#[selector]` if it has one, otherwise the name.
    #[must_use]
    pub fn wire_name(&self) -> &str {
        self.selector.as_deref().unwrap_or(&self.name)
    }
}

impl Method {
    /// Its name on the wire: the `#[selector]` if it has one, otherwise the name.
    #[must_use]
    pub fn wire_name(&self) -> &str {
        self.selector.as_deref().unwrap_or(&self.name)
    }

    /// Whether it has an options struct.
    #[must_use]
    pub fn has_options(&self) -> bool {
        self.options_requested || self.parameters.iter().any(Field::is_option)
    }
}

impl StreamParameter {
    /// Its name on the wire: the `#[selector]` if it has one, otherwise the name.
    #[must_use]
    pub fn wire_name(&self) -> &str {
        self.selector.as_deref().unwrap_or(&self.name)
    }
}
