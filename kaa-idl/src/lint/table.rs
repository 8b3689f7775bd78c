//! The table of lints, each with its name, group and explanation, and selections of lints.
//!
//! Invariants: a published name keeps its meaning, because schemas allow lints by name; the table is ordered
//! by group.

use std::collections::BTreeSet;
use std::fmt;

use crate::diagnostic::RuleName;

/// The subject of a lint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Group {
    /// The case of names.
    Names,
    /// Lengths without a limit.
    Bounds,
    /// Declarations that make a schema hard to change later.
    Evolution,
    /// Declarations without effect.
    Unused,
    /// Matters of taste; off by default.
    Taste,
    /// Missing documentation; off by default.
    Docs,
}

impl Group {
    /// Every group.
    pub const ALL: &'static [Self] =
        &[Self::Names, Self::Bounds, Self::Evolution, Self::Unused, Self::Taste, Self::Docs];

    /// The name of the group.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Names => "NAMES",
            Self::Bounds => "BOUNDS",
            Self::Evolution => "EVOLUTION",
            Self::Unused => "UNUSED",
            Self::Taste => "TASTE",
            Self::Docs => "DOCS",
        }
    }

    /// The group with a name, ignoring case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|group| group.name().eq_ignore_ascii_case(name))
    }

    /// Whether its lints run by default.
    #[must_use]
    pub fn is_on(self) -> bool {
        !matches!(self, Self::Taste | Self::Docs)
    }
}

macro_rules! lints {
    ($($variant:ident, $name:literal, $group:ident, $fix:literal, $explanation:literal;)*) => {
        /// A lint.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Lint {
            $(#[doc = $explanation] $variant,)*
        }

        impl Lint {
            /// Every lint, ordered by group.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name of the lint, for `#[allow(…)]`.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// The group that the lint belongs to.
            #[must_use]
            pub fn group(self) -> Group {
                match self { $(Self::$variant => Group::$group),* }
            }

            /// What the lint reports, and why.
            #[must_use]
            pub fn explanation(self) -> &'static str {
                match self { $(Self::$variant => $explanation),* }
            }

            /// What [`fix`](super::fix) does about a finding; empty if there is no certain fix.
            #[must_use]
            pub fn fix_description(self) -> &'static str {
                match self { $(Self::$variant => $fix),* }
            }
        }
    };
}

lints! {
    TypePascal, "TYPE_PASCAL", Names, "",
        "Types, aliases, interfaces and services are written `LikeThis`, as in the generated Rust.";
    VariantPascal, "VARIANT_PASCAL", Names, "",
        "Variants are written `LikeThis`.";
    FieldSnake, "FIELD_SNAKE", Names, "renames it and keeps its name on the wire",
        "Fields are written `like_this`, as in the generated Rust.";
    MethodSnake, "METHOD_SNAKE", Names, "renames it and keeps its name on the wire",
        "Methods are written `like_this`, as in the generated Rust.";
    ParamSnake, "PARAM_SNAKE", Names, "renames it and keeps its name on the wire",
        "Parameters are written `like_this`, as in the generated Rust.";
    ConstUpper, "CONST_UPPER", Names, "",
        "Constants and flags are written `LIKE_THIS`.";
    PackageLower, "PACKAGE_LOWER", Names, "",
        "Packages are written in lower case, because they become folders and Rust modules.";
    ErrorSuffix, "ERROR_SUFFIX", Names, "",
        "The name of an `error` ends in `Error`, so that `throws` is easy to read and Rust users recognize \
        the type.";
    ClientOnewayStartsWithOn, "CLIENT_ONEWAY_STARTS_WITH_ON", Names, "",
        "A oneway method that a server calls on its clients is an event: `oneway fn on_changed(…)`.";
    StringBounded, "STRING_BOUNDED", Bounds, "",
        "A `String` without a bound can be as long as a message. A bound such as `String<..=256>` documents \
        what to expect, and both peers check it.";
    BytesBounded, "BYTES_BOUNDED", Bounds, "",
        "`Bytes` without a bound can be as long as a message. A bound such as `Bytes<..=1 << 20>` documents \
        what to expect, and both peers check it.";
    VecBounded, "VEC_BOUNDED", Bounds, "",
        "A `Vec` without a bound can fill a message. A bound such as `Vec<T, ..=1000>` documents what to \
        expect, and both peers check it. For any number of items use `stream T`.";
    SetBounded, "SET_BOUNDED", Bounds, "",
        "A `Set` without a bound can fill a message. A bound such as `Set<T, ..=1000>` documents what to \
        expect, and both peers check it.";
    MapBounded, "MAP_BOUNDED", Bounds, "",
        "A `Map` without a bound can fill a message. A bound such as `Map<K, V, ..=1000>` documents what to \
        expect, and both peers check it.";
    EnumExplicitTags, "ENUM_EXPLICIT_TAGS", Evolution, "writes the current tags of the variants",
        "An implicit tag depends on the variants before it, so inserting or deleting a variant changes all \
        later tags. Sealed enums never change and need no explicit tags.";
    ImportUsed, "IMPORT_USED", Unused, "removes it",
        "An import that is not used in its file can be removed.";
    AllowKnown, "ALLOW_KNOWN", Unused, "corrects the case of a name",
        "`#[allow(…)]` takes the names of lints and compatibility rules; any other name has no effect.";
    BoolParamSmell, "BOOL_PARAM_SMELL", Taste, "",
        "`set(id, true)` does not show what is true. An enum with two variants does, and can get a third.";
    SealedJustified, "SEALED_JUSTIFIED", Taste, "",
        "A sealed type can never change, so its documentation explains why it never has to.";
    DocsPackage, "DOCS_PACKAGE", Docs, "",
        "One file of each package documents the package with `//!`.";
    DocsType, "DOCS_TYPE", Docs, "",
        "Structs, enums, errors, flags, newtypes and aliases are documented.";
    DocsField, "DOCS_FIELD", Docs, "",
        "Fields of structs and of variants are documented.";
    DocsVariant, "DOCS_VARIANT", Docs, "",
        "Variants and flags are documented; for a variant of an error `#[display]` is enough.";
    DocsConst, "DOCS_CONST", Docs, "",
        "Constants are documented.";
    DocsService, "DOCS_SERVICE", Docs, "",
        "Services and interfaces are documented.";
    DocsMethod, "DOCS_METHOD", Docs, "",
        "Methods are documented.";
}

impl Lint {
    /// The lint with a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|lint| lint.name() == name)
    }
}

impl From<Lint> for RuleName {
    fn from(lint: Lint) -> Self {
        Self::new(lint.name())
    }
}

impl fmt::Display for Lint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A selection of lints to run; by default those of the groups that are on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    lints: BTreeSet<Lint>,
}

impl Default for Selection {
    fn default() -> Self {
        Lint::ALL.iter().copied().filter(|lint| lint.group().is_on()).collect()
    }
}

impl FromIterator<Lint> for Selection {
    fn from_iter<L: IntoIterator<Item = Lint>>(lints: L) -> Self {
        Self { lints: lints.into_iter().collect() }
    }
}

impl Selection {
    /// Selects every lint.
    #[must_use]
    pub fn all() -> Self {
        Lint::ALL.iter().copied().collect()
    }

    /// Adds a lint.
    #[must_use]
    pub fn with(mut self, lint: Lint) -> Self {
        self.lints.insert(lint);
        self
    }

    /// Removes a lint.
    #[must_use]
    pub fn without(mut self, lint: Lint) -> Self {
        self.lints.remove(&lint);
        self
    }

    /// Whether a lint is selected.
    #[must_use]
    pub fn contains(&self, lint: Lint) -> bool {
        self.lints.contains(&lint)
    }
}
