//! Services, interfaces and methods as JSON.

use std::fmt::Write;

use kaa_idl::schema::{self, Returns, Schema};
use serde::Serialize;

use super::declarations::{Attributes, Location};
use super::types::{Field, fields};
use super::values::{Type, name};

/// A service.
#[derive(Debug, Serialize)]
pub(super) struct Service<'a> {
    name: &'a str,
    wire_name: &'a str,
    docs: &'a [String],
    attributes: Attributes<'a>,
    /// Hexadecimal.
    fingerprint: String,
    server: Side<'a>,
    client: Side<'a>,
    location: Location<'a>,
}

/// One side of a service.
#[derive(Debug, Serialize)]
struct Side<'a> {
    methods: Vec<Method<'a>>,
    includes: &'a [String],
    reserved: &'a [String],
}

/// An interface.
#[derive(Debug, Serialize)]
pub(super) struct Interface<'a> {
    name: &'a str,
    docs: &'a [String],
    methods: Vec<Method<'a>>,
    includes: &'a [String],
    reserved: &'a [String],
    location: Location<'a>,
}

#[derive(Debug, Serialize)]
struct Method<'a> {
    name: &'a str,
    wire_name: &'a str,
    docs: &'a [String],
    attributes: Attributes<'a>,
    /// `None` in an interface, because methods get their ids in services.
    id: Option<u32>,
    oneway: bool,
    parameters: Vec<Field<'a>>,
    stream: Option<Stream<'a>>,
    returns: Returned,
    throws: Option<String>,
    interface: Option<&'a str>,
    location: Location<'a>,
}

/// A stream parameter.
#[derive(Debug, Serialize)]
struct Stream<'a> {
    /// The position among the parameters in the source.
    position: usize,
    name: &'a str,
    wire_name: &'a str,
    docs: &'a [String],
    attributes: Attributes<'a>,
    item: Type,
    location: Location<'a>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Returned {
    Unit,
    Value {
        #[serde(rename = "type")]
        ty: Type,
    },
    Stream {
        item: Type,
    },
}

impl<'a> Service<'a> {
    pub(super) fn new(schema: &'a Schema, service: &'a schema::Service) -> Self {
        let mut fingerprint = String::new();
        for byte in service.fingerprint {
            // Writing to a string cannot fail.
            let _ = write!(fingerprint, "{byte:02x}");
        }
        Self {
            name: &service.name,
            wire_name: service.wire_name(),
            docs: &service.docs.lines,
            attributes: Attributes::new(&service.attributes),
            fingerprint,
            server: Side {
                methods: methods(schema, &service.server),
                includes: &service.server_includes,
                reserved: &service.server_reserved,
            },
            client: Side {
                methods: methods(schema, &service.client),
                includes: &service.client_includes,
                reserved: &service.client_reserved,
            },
            location: Location::new(&service.location),
        }
    }
}

impl<'a> Interface<'a> {
    pub(super) fn new(schema: &'a Schema, interface: &'a schema::Interface) -> Self {
        let methods = interface.methods.iter();
        Self {
            name: &interface.name,
            docs: &interface.docs.lines,
            methods: methods.map(|method| Method { id: None, ..Method::new(schema, method) }).collect(),
            includes: &interface.includes,
            reserved: &interface.reserved,
            location: Location::new(&interface.location),
        }
    }
}

fn methods<'a>(schema: &'a Schema, methods: &'a [schema::Method]) -> Vec<Method<'a>> {
    methods.iter().map(|method| Method::new(schema, method)).collect()
}

impl<'a> Method<'a> {
    fn new(schema: &'a Schema, method: &'a schema::Method) -> Self {
        Self {
            name: &method.name,
            wire_name: method.wire_name(),
            docs: &method.docs.lines,
            attributes: Attributes::new(&method.attributes),
            id: Some(method.id),
            oneway: method.oneway,
            parameters: fields(schema, &method.parameters),
            stream: method.stream.as_ref().map(|stream| Stream::new(schema, stream)),
            returns: Returned::new(schema, &method.returns),
            throws: method.throws.map(|id| name(schema, id)),
            interface: method.interface.as_deref(),
            location: Location::new(&method.location),
        }
    }
}

impl<'a> Stream<'a> {
    fn new(schema: &'a Schema, stream: &'a schema::StreamParameter) -> Self {
        Self {
            position: stream.position,
            name: &stream.name,
            wire_name: stream.wire_name(),
            docs: &stream.docs.lines,
            attributes: Attributes::new(&stream.attributes),
            item: Type::new(schema, &stream.item),
            location: Location::new(&stream.location),
        }
    }
}

impl Returned {
    fn new(schema: &Schema, returns: &Returns) -> Self {
        match returns {
            Returns::Unit => Self::Unit,
            Returns::Value(ty) => Self::Value { ty: Type::new(schema, ty) },
            Returns::Stream(item) => Self::Stream { item: Type::new(schema, item) },
        }
    }
}
