//! The syntax tree of one `.kaa` file, as written, with spans and without name resolution.
//!
//! Invariants: all spans are byte offsets into the file's text; the tree is no deeper than the bracket limit
//! of the parser; constructs that do not parse are absent, but the names that they may declare are in
//! [`File::recovered_names`], or `incomplete` is set, so that references to them are not reported as errors.

use std::ops::Deref;
use std::sync::Arc;

use crate::location::Span;

/// One file.
#[derive(Debug, Clone, PartialEq)]
pub struct File {
    /// The path as the file source names it.
    pub path: Arc<str>,
    /// The `//!` lines.
    pub docs: Vec<String>,
    /// The `package` line.
    pub package: Option<PackageLine>,
    /// The `use` lines.
    pub uses: Vec<Use>,
    /// The items in source order.
    pub items: Vec<Item>,
    /// Names that items with syntax errors probably declare.
    pub recovered_names: Vec<String>,
    /// Whether a part of the file could not be parsed and may declare any name.
    pub incomplete: bool,
    /// Whether the file has a `package` line that could not be parsed.
    pub package_invalid: bool,
}

/// A name with its span.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Name {
    /// The text.
    pub text: String,
    /// The span of the name.
    pub span: Span,
}

/// `package tv.epg;`
#[derive(Debug, Clone, PartialEq)]
pub struct PackageLine {
    /// The segments.
    pub segments: Vec<Name>,
    /// The span of the dotted name.
    pub span: Span,
}

/// One imported name or package; a `use` with a list becomes several.
#[derive(Debug, Clone, PartialEq)]
pub struct Use {
    /// The package's segments.
    pub package: Vec<Name>,
    /// The item; `None` imports the package itself.
    pub item: Option<Name>,
    /// The name after `as`.
    pub alias: Option<Name>,
    /// The span of the package's name.
    pub package_span: Span,
    /// The span of this entry.
    pub span: Span,
}

/// An item.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// `///` lines.
    pub docs: Vec<String>,
    /// Attributes.
    pub attributes: Vec<Attribute>,
    /// The name.
    pub name: Name,
    /// The kind of item.
    pub kind: ItemKind,
    /// The whole item.
    pub span: Span,
    /// Whether some of its members could not be parsed.
    pub incomplete: bool,
}

/// The kinds of items.
#[derive(Debug, Clone, PartialEq)]
pub enum ItemKind {
    /// `const NAME: type = value;`
    Constant {
        /// The declared type.
        ty: Type,
        /// The value.
        value: Expression,
    },
    /// `newtype Name(type);`
    Newtype(Type),
    /// `type Name = type;`
    Alias(Type),
    /// `struct` and `sealed struct`.
    Struct {
        /// Whether `sealed` was written.
        sealed: bool,
        /// Fields and tombstones.
        fields: Vec<Field>,
    },
    /// `enum`, `sealed enum` and `error`.
    Enum {
        /// Whether `sealed` was written.
        sealed: bool,
        /// Whether it is an `error`.
        error: bool,
        /// The variants.
        variants: Vec<Variant>,
        /// `reserved` entries.
        reserved: Vec<Reserved>,
    },
    /// `flags Name: type { … }`
    Flags {
        /// The integer type.
        representation: Type,
        /// The flags.
        flags: Vec<Flag>,
    },
    /// `interface Name { … }`
    Interface(Vec<Member>),
    /// `service Name { … }`
    Service(Vec<Member>),
}

/// A field, a parameter, or an element of a tuple variant.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// `///` lines.
    pub docs: Vec<String>,
    /// Attributes.
    pub attributes: Vec<Attribute>,
    /// The name; the position for an element of a tuple.
    pub name: Name,
    /// The type.
    pub ty: Type,
    /// The value after `=`.
    pub default: Option<Box<Expression>>,
    /// Whether it is a tombstone.
    pub tombstone: bool,
    /// The whole field.
    pub span: Span,
}

/// A variant.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    /// `///` lines.
    pub docs: Vec<String>,
    /// Attributes.
    pub attributes: Vec<Attribute>,
    /// The name.
    pub name: Name,
    /// The payload.
    pub payload: Payload,
    /// The value after `=`.
    pub tag: Option<Box<Expression>>,
    /// The whole variant.
    pub span: Span,
}

/// The payload of a variant.
#[derive(Debug, Clone, PartialEq)]
pub enum Payload {
    /// Nothing.
    Unit,
    /// Types in parentheses.
    Tuple(Vec<Field>),
    /// Fields in braces.
    Record(Vec<Field>),
}

/// `reserved 4 "Tape"`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserved {
    /// The tag.
    pub tag: Option<u128>,
    /// The name.
    pub name: Option<String>,
    /// The whole entry.
    pub span: Span,
}

/// A flag.
#[derive(Debug, Clone, PartialEq)]
pub struct Flag {
    /// `///` lines.
    pub docs: Vec<String>,
    /// Attributes.
    pub attributes: Vec<Attribute>,
    /// The name.
    pub name: Name,
    /// The value.
    pub value: Expression,
    /// The whole flag.
    pub span: Span,
}

/// A member of a service, an interface or a `client` block.
#[derive(Debug, Clone, PartialEq)]
pub enum Member {
    /// `include path;`
    Include(Include),
    /// `fn`
    Function(Box<Function>),
    /// `reserved fn "name";`
    ReservedFunction(Name),
    /// `client { … }`
    Client {
        /// The span of the keyword `client`.
        span: Span,
        /// The members.
        members: Vec<Member>,
    },
}

/// `include path;`
#[derive(Debug, Clone, PartialEq)]
pub struct Include {
    /// Attributes.
    pub attributes: Vec<Attribute>,
    /// The interface.
    pub path: Path,
}

/// A method.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    /// `///` lines.
    pub docs: Vec<String>,
    /// Attributes.
    pub attributes: Vec<Attribute>,
    /// The span of `oneway`, if it was written.
    pub oneway: Option<Span>,
    /// The name.
    pub name: Name,
    /// The parameters.
    pub parameters: Vec<Field>,
    /// The span of a trailing `..`.
    pub rest: Option<Span>,
    /// The type after `->`, with the span of the arrow and the type.
    pub returns: Option<(Type, Span)>,
    /// The type after `throws`, with the span of `throws` and the type.
    pub throws: Option<(Path, Span)>,
    /// The whole method.
    pub span: Span,
}

/// A type as written.
#[derive(Debug, Clone, PartialEq)]
pub struct Type {
    /// The kind of type.
    pub kind: TypeKind,
    /// The whole type.
    pub span: Span,
}

/// The kinds of type expressions.
#[derive(Debug, Clone, PartialEq)]
pub enum TypeKind {
    /// A name, with the arguments in `<…>`.
    Path {
        /// The name.
        path: Path,
        /// The arguments.
        arguments: Vec<TypeArgument>,
    },
    /// `[type; length]`
    Array {
        /// The element.
        element: Box<Type>,
        /// The length.
        length: Box<Expression>,
    },
    /// `()`
    Unit,
    /// `stream type`
    Stream(Box<Type>),
    /// A construct whose error is already reported.
    Invalid,
}

/// An argument in `<…>`.
#[derive(Debug, Clone, PartialEq)]
pub enum TypeArgument {
    /// A type.
    Type(Type),
    /// `..=N`
    Bound(Box<Expression>, Span),
}

/// A possibly qualified name: `Name`, `alias::Name`, `tv.common::Name`, `Order::Start`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// The names joined by dots; never empty.
    pub dotted: Names,
    /// The names after each `::`.
    pub rest: Vec<Name>,
    /// The whole path.
    pub span: Span,
}

/// A list of names. It nearly always has one name, which is then stored without an allocation for the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Names {
    /// One.
    One(Name),
    /// Any number.
    Many(Vec<Name>),
}

impl Names {
    /// The names.
    #[must_use]
    pub fn as_slice(&self) -> &[Name] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Many(names) => names,
        }
    }
}

impl Deref for Names {
    type Target = [Name];

    fn deref(&self) -> &[Name] {
        self.as_slice()
    }
}

impl FromIterator<Name> for Names {
    fn from_iter<I: IntoIterator<Item = Name>>(names: I) -> Self {
        let mut names = names.into_iter();
        match (names.next(), names.next()) {
            (Some(name), None) => Self::One(name),
            (first, second) => Self::Many(first.into_iter().chain(second).chain(names).collect()),
        }
    }
}

/// A constant expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    /// The kind of expression.
    pub kind: ExpressionKind,
    /// The whole expression.
    pub span: Span,
}

/// The kinds of expressions.
#[derive(Debug, Clone, PartialEq)]
pub enum ExpressionKind {
    /// An integer.
    Integer(u128),
    /// A floating-point number.
    Float(f64),
    /// A string.
    String(String),
    /// A character.
    Character(char),
    /// `true` or `false`.
    Boolean(bool),
    /// `[]`
    EmptyList,
    /// `{}`
    EmptyMap,
    /// A constant or a variant.
    Path(Path),
    /// `-operand`
    Negation(Box<Expression>),
    /// Operands joined by operators, not yet grouped by precedence.
    Operation {
        /// The first operand.
        first: Box<Expression>,
        /// Each operator with the operand after it.
        rest: Vec<(Operator, Expression)>,
    },
    /// A construct whose error is already reported.
    Invalid,
}

/// The binary operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `|`
    Or,
    /// `<<`
    ShiftLeft,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
}

/// `#[name(…)]`
#[derive(Debug, Clone, PartialEq)]
pub struct Attribute {
    /// The name.
    pub name: Name,
    /// The arguments in parentheses; `None` without parentheses.
    pub arguments: Option<Vec<AttributeArgument>>,
    /// The whole attribute.
    pub span: Span,
}

/// An argument of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum AttributeArgument {
    /// `name = value`
    Pair(Name, Expression),
    /// `name(…)`
    Group(Name, Vec<AttributeArgument>),
    /// `value`
    Value(Expression),
}

impl AttributeArgument {
    /// The whole argument.
    #[must_use]
    pub fn span(&self) -> Span {
        match self {
            Self::Pair(name, value) => name.span.to(value.span),
            Self::Group(name, arguments) => {
                arguments.last().map_or(name.span, |last| name.span.to(last.span()))
            }
            Self::Value(value) => value.span,
        }
    }
}

impl Path {
    /// The path as text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = dotted(&self.dotted);
        for name in &self.rest {
            text.push_str("::");
            text.push_str(&name.text);
        }
        text
    }

    /// The last name.
    #[must_use]
    pub fn last(&self) -> Option<&Name> {
        self.rest.last().or(self.dotted.last())
    }
}

/// Names joined by dots.
#[must_use]
pub fn dotted(names: &[Name]) -> String {
    names.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join(".")
}
