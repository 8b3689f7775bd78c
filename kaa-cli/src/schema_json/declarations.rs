//! The attributes and the location of a declaration as JSON.

use kaa_idl::schema;
use serde::Serialize;

/// The attributes of a declaration.
#[derive(Debug, Serialize)]
pub(super) struct Attributes<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deprecated: Option<Deprecated<'a>>,
    #[serde(skip_serializing_if = "is_absent")]
    idempotent: bool,
    #[serde(skip_serializing_if = "is_absent")]
    detached: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout_milliseconds: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    display: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    allow: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    rust_derive: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    rust_options: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Deprecated<'a> {
    since: Option<u32>,
    note: Option<&'a str>,
}

impl<'a> Attributes<'a> {
    pub(super) fn new(attributes: &'a schema::Attributes) -> Self {
        let deprecated = attributes.deprecated.as_ref();
        Self {
            since: attributes.since,
            deprecated: deprecated
                .map(|deprecated| Deprecated { since: deprecated.since, note: deprecated.note.as_deref() }),
            idempotent: attributes.idempotent,
            detached: attributes.detached,
            timeout_milliseconds: attributes.timeout.map(|timeout| timeout.as_millis().to_string()),
            display: attributes.display.as_deref(),
            allow: &attributes.allow,
            rust_derive: &attributes.rust_derives,
            rust_options: attributes.rust_options.as_deref(),
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_absent(present: &bool) -> bool {
    !*present
}

/// The location of a declaration.
#[derive(Debug, Serialize)]
pub(super) struct Location<'a> {
    file: &'a str,
    line: usize,
}

impl<'a> Location<'a> {
    pub(super) fn new(location: &'a schema::Location) -> Self {
        Self { file: &location.path, line: location.line }
    }
}
