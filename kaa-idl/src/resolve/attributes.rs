//! Parses attributes: which exist, where each is allowed, and which arguments each takes.
//!
//! Invariants: an unknown, misplaced, repeated or malformed attribute is reported and has no effect.

use std::collections::HashMap;

use super::resolver::Resolver;
use crate::ast::{Attribute, AttributeArgument, Expression, ExpressionKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::location::Span;
use crate::schema::{Attributes, Deprecated};
use crate::suggest::nearest;

/// The construct that an attribute is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Constant,
    Alias,
    Newtype,
    Struct,
    Enum,
    Error,
    Flags,
    Interface,
    Service,
    Include,
    Method,
    Field,
    /// A field of a sealed struct or of a variant, or an element of a tuple: nothing can be appended to their
    /// lists.
    FixedField,
    Parameter,
    /// A stream parameter: it cannot be appended, because a stream that was not sent has no default.
    StreamParameter,
    Variant,
    SealedVariant,
    ErrorVariant,
    Flag,
}

impl Target {
    fn noun(self) -> &'static str {
        match self {
            Self::Constant => "a constant",
            Self::Alias => "an alias",
            Self::Newtype => "a newtype",
            Self::Struct => "a struct",
            Self::Enum => "an enum",
            Self::Error => "an error",
            Self::Flags => "flags",
            Self::Interface => "an interface",
            Self::Service => "a service",
            Self::Include => "an include",
            Self::Method => "a method",
            Self::Field => "a field",
            Self::FixedField => "a field of a sealed struct or of a variant",
            Self::Parameter => "a parameter",
            Self::StreamParameter => "a stream parameter",
            Self::Variant => "a variant",
            Self::SealedVariant => "a variant of a sealed enum",
            Self::ErrorVariant => "a variant of an error",
            Self::Flag => "a flag",
        }
    }

    fn is_type(self) -> bool {
        matches!(self, Self::Newtype | Self::Struct | Self::Enum | Self::Error | Self::Flags)
    }

    fn is_variant(self) -> bool {
        matches!(self, Self::Variant | Self::SealedVariant | Self::ErrorVariant)
    }
}

/// The attributes of one construct, and its name on the wire, which the schema does not store as an
/// attribute.
#[derive(Debug, Default)]
pub(super) struct ParsedAttributes {
    pub(super) attributes: Attributes,
    pub(super) selector: Option<(String, Span)>,
    /// Where `#[display]` is written, for the later check against the variant's fields.
    pub(super) display: Option<Span>,
    pub(super) options: Option<Span>,
    pub(super) since: Option<Span>,
}

impl ParsedAttributes {
    /// The name on the wire, if `#[selector]` sets it.
    pub(super) fn schema_selector(&self) -> Option<Box<str>> {
        self.selector.as_ref().map(|(selector, _)| selector.as_str().into())
    }
}

/// One attribute: its name, where it is allowed, and how it is written.
struct KnownAttribute {
    name: &'static str,
    /// The constructs that may have it, for messages.
    targets: &'static str,
    example: &'static str,
    allowed: fn(Target) -> bool,
}

const ATTRIBUTES: &[KnownAttribute] = &[
    KnownAttribute {
        name: "since",
        targets: "types, aliases, constants, interfaces, services, methods, parameters that are not \
            streams, flags, fields of extensible structs and variants of open enums",
        example: "`#[since(2)]`",
        allowed: |target| {
            target.is_type()
                || matches!(
                    target,
                    Target::Alias
                        | Target::Constant
                        | Target::Interface
                        | Target::Service
                        | Target::Method
                        | Target::Field
                        | Target::Parameter
                        | Target::Variant
                        | Target::ErrorVariant
                        | Target::Flag
                )
        },
    },
    KnownAttribute {
        name: "deprecated",
        targets: "types, aliases, constants, services, methods, fields, variants and flags",
        example: "`#[deprecated(since = 3, note = \"use search\")]`",
        allowed: |target| {
            target.is_type()
                || target.is_variant()
                || matches!(
                    target,
                    Target::Alias
                        | Target::Constant
                        | Target::Service
                        | Target::Method
                        | Target::Field
                        | Target::FixedField
                        | Target::Flag
                )
        },
    },
    KnownAttribute {
        name: "idempotent",
        targets: "methods",
        example: "`#[idempotent]`",
        allowed: |target| target == Target::Method,
    },
    KnownAttribute {
        name: "detached",
        targets: "methods",
        example: "`#[detached]`",
        allowed: |target| target == Target::Method,
    },
    KnownAttribute {
        name: "timeout",
        targets: "methods",
        example: "`#[timeout(\"5s\")]`",
        allowed: |target| target == Target::Method,
    },
    KnownAttribute {
        name: "selector",
        targets: "types, services, methods, fields, parameters and variants",
        example: "`#[selector(\"name_on_the_wire\")]`",
        allowed: |target| {
            target.is_type()
                || target.is_variant()
                || matches!(
                    target,
                    Target::Service
                        | Target::Method
                        | Target::Field
                        | Target::FixedField
                        | Target::Parameter
                        | Target::StreamParameter
                )
        },
    },
    KnownAttribute {
        name: "display",
        targets: "variants of an `error`",
        example: "`#[display(\"range of {hours} h exceeds {max} h\")]`",
        allowed: |target| target == Target::ErrorVariant,
    },
    KnownAttribute {
        name: "allow",
        targets: "anything",
        example: "`#[allow(STRING_BOUNDED)]`",
        allowed: |_| true,
    },
    KnownAttribute {
        name: "rust",
        targets: "types and methods",
        example: "`#[rust(derive(some::Trait))]` on a type, `#[rust(options = \"Name\")]` on a method",
        allowed: |target| target.is_type() || target == Target::Method,
    },
];

impl Resolver<'_> {
    /// Parses the attributes of one construct.
    pub(super) fn attributes(
        &mut self,
        file: usize,
        attributes: &[Attribute],
        target: Target,
    ) -> ParsedAttributes {
        let mut parsed = ParsedAttributes::default();
        let mut seen: HashMap<&str, Span> = HashMap::new();
        for attribute in attributes {
            let name = attribute.name.text.as_str();
            let place = self.place(file, attribute.name.span);
            let Some(known) = ATTRIBUTES.iter().find(|known| known.name == name) else {
                self.unknown_attribute(file, attribute);
                continue;
            };
            if !(known.allowed)(target) {
                let message = format!("`#[{name}]` is not allowed on {}", target.noun());
                self.report(
                    Diagnostic::error(Code::MisplacedAttribute, message, place, "not allowed here")
                        .with_help(format!("`#[{name}]` is allowed on {}", known.targets))
                        .with_suggestion(self.place(file, attribute.span), "", "remove it"),
                );
                continue;
            }
            if let Some(first) =
                seen.insert(name, attribute.name.span).filter(|_| name != "allow" && name != "rust")
            {
                let first = self.place(file, first);
                self.report(
                    Diagnostic::error(
                        Code::RepeatedAttribute,
                        format!("`#[{name}]` is repeated"),
                        place,
                        "the second",
                    )
                    .with_label(first, "the first")
                    .with_suggestion(self.place(file, attribute.span), "", "remove it"),
                );
                continue;
            }
            if is_readable(attribute) && self.read(file, attribute, target, &mut parsed).is_none() {
                let place = self.place(file, attribute.span);
                self.report(
                    Diagnostic::error(
                        Code::BadAttribute,
                        format!("malformed `#[{name}]`"),
                        place,
                        "invalid arguments",
                    )
                    .with_help(format!("write {}", known.example)),
                );
            }
        }
        parsed
    }

    fn unknown_attribute(&mut self, file: usize, attribute: &Attribute) {
        let name = &attribute.name.text;
        let place = self.place(file, attribute.name.span);
        let diagnostic = Diagnostic::error(
            Code::UnknownAttribute,
            format!("there is no attribute `{name}`"),
            place.clone(),
            "unknown attribute",
        );
        let near =
            if self.may_suggest() { nearest(name, ATTRIBUTES.iter().map(|known| known.name)) } else { None };
        let diagnostic = match (name.as_str(), near) {
            ("derive", _) => diagnostic.with_help("write derives for Rust as `#[rust(derive(some::Trait))]`"),
            ("error", _) => diagnostic.with_fix(place, "display", "the text of an error is its `#[display]`"),
            ("from" | "source" | "transparent", _) => diagnostic.with_help(
                "a variant can contain another error by its type; write conversions in the program",
            ),
            ("repr" | "non_exhaustive" | "must_use" | "default", _) => diagnostic
                .with_help("no attribute is needed: the type determines its bytes and the generated code"),
            ("doc", _) => diagnostic.with_help("write documentation as `/// …`"),
            ("rename" | "name" | "serde", _) => {
                diagnostic.with_help("`#[selector(\"name\")]` sets the name on the wire")
            }
            (_, Some(near)) => diagnostic.with_suggestion(place, near, format!("did you mean `{near}`?")),
            _ => {
                let names: Vec<&str> = ATTRIBUTES.iter().map(|known| known.name).collect();
                diagnostic.with_help(format!("the attributes are {}", names.join(", ")))
            }
        };
        self.report(diagnostic);
    }

    /// Parses one attribute's arguments; `None` if they are malformed.
    fn read(
        &mut self,
        file: usize,
        attribute: &Attribute,
        target: Target,
        into: &mut ParsedAttributes,
    ) -> Option<()> {
        let arguments = attribute.arguments.as_deref();
        match attribute.name.text.as_str() {
            "since" => {
                into.attributes.since = Some(version(only_value(arguments)?)?);
                into.since = Some(attribute.span);
            }
            "deprecated" => into.attributes.deprecated = Some(deprecated(arguments)?),
            "selector" => {
                let value = only_value(arguments)?;
                let text = string(value)?;
                if is_wire_name(&text, target) {
                    into.selector = Some((text, value.span));
                } else {
                    let place = self.place(file, value.span);
                    self.report(
                        Diagnostic::error(
                            Code::BadAttribute,
                            format!("`{text}` cannot be a name on the wire"),
                            place,
                            "not a name",
                        )
                        .with_help(
                            "names on the wire consist of letters, digits, `_` and `-`, and \
                                begin with a letter or `_`; names of methods may contain dots",
                        ),
                    );
                }
            }
            "display" => {
                into.attributes.display = Some(string(only_value(arguments)?)?);
                into.display = only_value(arguments).map(|value| value.span);
            }
            "allow" => {
                let names: Option<Vec<String>> = arguments?.iter().map(rule_name).collect();
                into.attributes.allow.extend(names.filter(|names| !names.is_empty())?);
            }
            "rust" => self.rust(file, arguments?, target, into)?,
            "timeout" => into.attributes.timeout = self.duration(file, only_value(arguments)?),
            "idempotent" => {
                no_arguments(arguments)?;
                into.attributes.idempotent = true;
            }
            "detached" => {
                no_arguments(arguments)?;
                into.attributes.detached = true;
            }
            _ => {}
        }
        Some(())
    }

    fn rust(
        &mut self,
        file: usize,
        arguments: &[AttributeArgument],
        target: Target,
        into: &mut ParsedAttributes,
    ) -> Option<()> {
        if arguments.is_empty() {
            return None;
        }
        for argument in arguments {
            match argument {
                AttributeArgument::Group(name, derives) if name.text == "derive" && target.is_type() => {
                    let paths: Option<Vec<String>> = derives.iter().map(rust_path).collect();
                    into.attributes.rust_derives.extend(paths.filter(|paths| !paths.is_empty())?);
                }
                AttributeArgument::Pair(name, value)
                    if name.text == "options" && target == Target::Method =>
                {
                    let text = string(value).filter(|text| is_type_name(text))?;
                    if let Some(first) = into.options {
                        let first = self.place(file, first);
                        let place = self.place(file, value.span);
                        let message = "`options` is repeated";
                        self.report(
                            Diagnostic::error(Code::RepeatedAttribute, message, place, "the second")
                                .with_label(first, "the first"),
                        );
                    }
                    into.attributes.rust_options = Some(text);
                    into.options = Some(value.span);
                }
                _ => return None,
            }
        }
        Some(())
    }
}

/// Whether all arguments could be parsed. Errors in them were already reported.
fn is_readable(attribute: &Attribute) -> bool {
    fn readable(argument: &AttributeArgument) -> bool {
        match argument {
            AttributeArgument::Pair(_, value) | AttributeArgument::Value(value) => {
                !matches!(value.kind, ExpressionKind::Invalid)
            }
            AttributeArgument::Group(_, arguments) => arguments.iter().all(readable),
        }
    }
    attribute.arguments.iter().flatten().all(readable)
}

fn no_arguments(arguments: Option<&[AttributeArgument]>) -> Option<()> {
    arguments.is_none().then_some(())
}

fn only_value(arguments: Option<&[AttributeArgument]>) -> Option<&Expression> {
    match arguments? {
        [AttributeArgument::Value(value)] => Some(value),
        _ => None,
    }
}

fn version(value: &Expression) -> Option<u32> {
    match value.kind {
        ExpressionKind::Integer(version) => u32::try_from(version).ok().filter(|version| *version > 0),
        _ => None,
    }
}

fn string(value: &Expression) -> Option<String> {
    match &value.kind {
        ExpressionKind::String(text) => Some(text.clone()),
        _ => None,
    }
}

fn deprecated(arguments: Option<&[AttributeArgument]>) -> Option<Deprecated> {
    let mut deprecated = Deprecated::default();
    for argument in arguments.unwrap_or_default() {
        match argument {
            AttributeArgument::Pair(name, value) if name.text == "since" && deprecated.since.is_none() => {
                deprecated.since = Some(version(value)?);
            }
            AttributeArgument::Pair(name, value) if name.text == "note" && deprecated.note.is_none() => {
                deprecated.note = Some(string(value)?);
            }
            _ => return None,
        }
    }
    Some(deprecated)
}

/// The name of a lint or a compatibility rule.
fn rule_name(argument: &AttributeArgument) -> Option<String> {
    match argument {
        AttributeArgument::Value(Expression { kind: ExpressionKind::Path(path), .. }) => {
            (path.dotted.len() == 1 && path.rest.is_empty()).then(|| path.text())
        }
        _ => None,
    }
}

fn rust_path(argument: &AttributeArgument) -> Option<String> {
    match argument {
        AttributeArgument::Value(Expression { kind: ExpressionKind::Path(path), .. }) => {
            (path.dotted.len() == 1).then(|| path.text())
        }
        _ => None,
    }
}

fn is_wire_name(text: &str, target: Target) -> bool {
    // A dot groups methods, as in `device.changed`. In the names of types, dots separate packages.
    let part_of_name = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-');
    if target != Target::Method && text.contains('.') {
        return false;
    }
    text.split('.').all(|part| {
        part.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && part.chars().all(part_of_name)
    })
}

fn is_type_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_uppercase())
        && text != "Self"
        && text.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
}
