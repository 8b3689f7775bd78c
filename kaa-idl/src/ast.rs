//! The syntax tree of one `.kaa` file: what was written, with spans, nothing looked up.
//!
//! Invariants: all spans are byte offsets into the file's text; the tree is no deeper than the bracket limit of the
//! parser; what could not be parsed is absent, and the names it may have declared are in [`File::recovered_names`] or
//! marked with `incomplete`, so that nobody complains about what refers to them.

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
    /// Names of items that could not be parsed, as far as they could be told.
    pub recovered_names: Vec<String>,
    /// Whether something could not be parsed and may have declared any name.
    pub incomplete: bool,
    /// Whether there is a `package` line that could not be parsed.
    pub package_invalid: bool,
}

/// A name with its place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Name {
    /// The text.
    pub text: String,
    /// The place.
    pub span: Span,
}

/// `package tv.epg;`
#[derive(Debug, Clone, PartialEq)]
pub struct PackageLine {
    /// The segments.
    pub segments: Vec<Name>,
    /// The dotted name's place.
    pub span: Span,
}

/// One imported name or package; a `use` with a list makes several.
#[derive(Debug, Clone, PartialEq)]
pub struct Use {
    /// The package's segments.
    pub package: Vec<Name>,
    /// The item; `None` imports the package itself.
    pub item: Option<Name>,
    /// The name after `as`.
    pub alias: Option<Name>,
    /// The place of the package's name.
    pub package_span: Span,
    /// The place of this entry.
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
    /// What it is.
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
    /// What it carries.
    pub payload: Payload,
    /// The value after `=`.
    pub tag: Option<Box<Expression>>,
    /// The whole variant.
    pub span: Span,
}

/// What a variant carries.
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
        /// The place of the word `client`.
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
    /// The place of `oneway`, if it was written.
    pub oneway: Option<Span>,
    /// The name.
    pub name: Name,
    /// The parameters.
    pub parameters: Vec<Field>,
    /// The place of a trailing `..`.
    pub rest: Option<Span>,
    /// The type after `->`, with the span from the arrow on.
    pub returns: Option<(Type, Span)>,
    /// The type after `throws`, with the span from `throws` on.
    pub throws: Option<(Path, Span)>,
    /// The whole method.
    pub span: Span,
}

/// A type as written.
#[derive(Debug, Clone, PartialEq)]
pub struct Type {
    /// What it is.
    pub kind: TypeKind,
    /// Its place.
    pub span: Span,
}

/// The kinds of type expressions.
#[derive(Debug, Clone, PartialEq)]
pub enum TypeKind {
    /// A name, with what stands in `<…>`.
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
    /// Something that was already complained about.
    Invalid,
}

/// What may stand in `<…>`.
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

/// Some names, nearly always one, which then takes no memory elsewhere.
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
    /// What it is.
    pub kind: ExpressionKind,
    /// Its place.
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
    /// Operands joined by operators, not yet grouped by precedence: `first`, then pairs.
    Operation {
        /// The first operand.
        first: Box<Expression>,
        /// Each operator with the operand after it.
        rest: Vec<(Operator, Expression)>,
    },
    /// Something that was already complained about.
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
    /// What stands in parentheses; `None` where there are none.
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
