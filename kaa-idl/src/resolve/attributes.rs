//! Reads attributes: which there are, where each belongs, and what each takes.
//!
//! Invariants: an attribute that is unknown, misplaced, repeated or malformed is reported and has no effect.

use std::collections::HashMap;

use super::resolver::Resolver;
use super::suggest::nearest;
use crate::ast::{Attribute, AttributeArgument, Expression, ExpressionKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::location::Span;
use crate::schema::{Attributes, Deprecated};

/// What an attribute stands on.
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
    /// A field of a sealed struct or of a variant, or an element of a tuple: their list never grows.
    FixedField,
    Parameter,
    /// A parameter that is a stream: it cannot be appended, as nothing stands for one that was not sent.
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
            Self::StreamParameter => "a parameter that is a stream",
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

/// Attributes with the name on the wire, which is no attribute of the schema.
#[derive(Debug, Default)]
pub(super) struct Decorated {
    pub(super) attributes: Attributes,
    pub(super) selector: Option<(String, Span)>,
    /// Where `#[display]` was written, for the check that needs the variant's fields.
    pub(super) display: Option<Span>,
    pub(super) options: Option<Span>,
    pub(super) since: Option<Span>,
}

impl Decorated {
    /// The name on the wire, where it is another than that of the source.
    pub(super) fn schema_selector(&self) -> Option<Box<str>> {
        self.selector.as_ref().map(|(selector, _)| selector.as_str().into())
    }
}

/// One attribute's name, where it belongs, and how it is written.
struct Known {
    name: &'static str,
    belongs: &'static str,
    example: &'static str,
    allowed: fn(Target) -> bool,
}

const KNOWN: &[Known] = &[
    Known {
        name: "since",
        belongs: "types, aliases, constants, interfaces, services, methods, parameters that are no streams, flags, fields of extensible structs and variants of open enums",
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
    Known {
        name: "deprecated",
        belongs: "types, aliases, constants, services, methods, fields, variants and flags",
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
    Known {
        name: "idempotent",
        belongs: "methods",
        example: "`#[idempotent]`",
        allowed: |target| target == Target::Method,
    },
    Known {
        name: "detached",
        belongs: "methods",
        example: "`#[detached]`",
        allowed: |target| target == Target::Method,
    },
    Known {
        name: "timeout",
        belongs: "methods",
        example: "`#[timeout(\"5s\")]`",
        allowed: |target| target == Target::Method,
    },
    Known {
        name: "selector",
        belongs: "types, services, methods, fields, parameters and variants",
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
    Known {
        name: "display",
        belongs: "variants of an `error`",
        example: "`#[display(\"range of {hours} h exceeds {max} h\")]`",
        allowed: |target| target == Target::ErrorVariant,
    },
    Known { name: "allow", belongs: "anything", example: "`#[allow(STRING_BOUNDED)]`", allowed: |_| true },
    Known {
        name: "rust",
        belongs: "types and methods",
        example: "`#[rust(derive(some::Trait))]` on a type, `#[rust(options = \"Name\")]` on a method",
        allowed: |target| target.is_type() || target == Target::Method,
    },
];

impl Resolver<'_> {
    /// Reads the attributes of one construct.
    pub(super) fn attributes(&mut self, file: usize, attributes: &[Attribute], target: Target) -> Decorated {
        let mut decorated = Decorated::default();
        let mut seen: HashMap<&str, Span> = HashMap::new();
        for attribute in attributes {
            let name = attribute.name.text.as_str();
            let place = self.place(file, attribute.name.span);
            let Some(known) = KNOWN.iter().find(|known| known.name == name) else {
                self.unknown_attribute(file, attribute);
                continue;
            };
            if !(known.allowed)(target) {
                let message = format!("`#[{name}]` does not belong on {}", target.noun());
                self.report(
                    Diagnostic::error(Code::MisplacedAttribute, message, place, "misplaced")
                        .with_help(format!("`#[{name}]` belongs on {}", known.belongs))
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
                        format!("`#[{name}]` stands here twice"),
                        place,
                        "the second",
                    )
                    .with_label(first, "the first")
                    .with_suggestion(self.place(file, attribute.span), "", "remove it"),
                );
                continue;
            }
            if is_whole(attribute) && self.read(file, attribute, target, &mut decorated).is_none() {
                let place = self.place(file, attribute.span);
                self.report(
                    Diagnostic::error(
                        Code::BadAttribute,
                        format!("malformed `#[{name}]`"),
                        place,
                        "not what it takes",
                    )
                    .with_help(format!("write {}", known.example)),
                );
            }
        }
        decorated
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
            if self.may_suggest() { nearest(name, KNOWN.iter().map(|known| known.name)) } else { None };
        let diagnostic = match (name.as_str(), near) {
            ("derive", _) => {
                diagnostic.with_help("derives for Rust are written `#[rust(derive(some::Trait))]`")
            }
            ("error", _) => diagnostic.with_fix(place, "display", "what an error says is its `display`"),
            ("from" | "source" | "transparent", _) => diagnostic.with_help(
                "a variant holds another error by its type; conversions are written in the program",
            ),
            ("repr" | "non_exhaustive" | "must_use" | "default", _) => diagnostic
                .with_help("there is nothing to say here: what is sent and generated follows from the type"),
            ("doc", _) => diagnostic.with_help("documentation is written `/// …`"),
            ("rename" | "name" | "serde", _) => {
                diagnostic.with_help("a name on the wire is set with `#[selector(\"name\")]`")
            }
            (_, Some(near)) => diagnostic.with_suggestion(place, near, format!("did you mean `{near}`?")),
            _ => {
                let names: Vec<&str> = KNOWN.iter().map(|known| known.name).collect();
                diagnostic.with_help(format!("the attributes are {}", names.join(", ")))
            }
        };
        self.report(diagnostic);
    }

    /// Takes one attribute's arguments; `None` if they are malformed.
    fn read(
        &mut self,
        file: usize,
        attribute: &Attribute,
        target: Target,
        into: &mut Decorated,
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
                        Diagnostic::error(Code::BadAttribute, format!("`{text}` cannot be a name on the wire"), place, "not a name")
                            .with_help("names on the wire consist of letters, digits, `_` and `-`, and begin with a letter or `_`; those of methods may have dots between"),
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
                none(arguments)?;
                into.attributes.idempotent = true;
            }
            "detached" => {
                none(arguments)?;
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
        into: &mut Decorated,
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
                        let message = "`options` stands here twice";
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

/// Whether everything in it could be read; what could not was complained about.
fn is_whole(attribute: &Attribute) -> bool {
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

fn none(arguments: Option<&[AttributeArgument]>) -> Option<()> {
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
    // A dot groups methods, as in `device.changed`. Types' names have dots of their own, those of their packages.
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
