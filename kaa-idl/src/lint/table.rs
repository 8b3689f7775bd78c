//! The lints, each with its name, its group and why it is there.
//!
//! Invariants: a name that was published keeps its meaning, because schemas allow lints by name; the table is ordered
//! by group.

use std::fmt;

use crate::diagnostic::RuleName;

/// What a lint is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Group {
    /// How names are written.
    Names,
    /// Lengths that nothing limits.
    Bounds,
    /// What makes it hard to change a schema later.
    Evolution,
    /// What can go.
    Unused,
    /// What is a matter of taste; off unless asked for.
    Taste,
    /// Documentation that is missing; off unless asked for.
    Docs,
}

impl Group {
    /// Every group.
    pub const ALL: &'static [Self] =
        &[Self::Names, Self::Bounds, Self::Evolution, Self::Unused, Self::Taste, Self::Docs];

    /// Its name.
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

    /// The group of a name, in whatever case it is written.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|group| group.name().eq_ignore_ascii_case(name))
    }

    /// Whether its lints run without having been asked for.
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

            /// Its name, as `#[allow(…)]` takes it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// What it is about.
            #[must_use]
            pub fn group(self) -> Group {
                match self { $(Self::$variant => Group::$group),* }
            }

            /// What it says, and why.
            #[must_use]
            pub fn explanation(self) -> &'static str {
                match self { $(Self::$variant => $explanation),* }
            }

            /// What [`fix`](super::fix) does about it; empty where that is for somebody to decide.
            #[must_use]
            pub fn fix_description(self) -> &'static str {
                match self { $(Self::$variant => $fix),* }
            }
        }
    };
}

lints! {
    TypePascal, "TYPE_PASCAL", Names, "",
        "Types, aliases, interfaces and services are written `LikeThis`, as in the Rust they become.";
    VariantPascal, "VARIANT_PASCAL", Names, "",
        "Variants are written `LikeThis`.";
    FieldSnake, "FIELD_SNAKE", Names, "renames it and keeps its name on the wire",
        "Fields are written `like_this`, which is what they become in Rust.";
    MethodSnake, "METHOD_SNAKE", Names, "renames it and keeps its name on the wire",
        "Methods are written `like_this`, which is what they become in Rust.";
    ParamSnake, "PARAM_SNAKE", Names, "renames it and keeps its name on the wire",
        "Parameters are written `like_this`, which is what they become in Rust.";
    ConstUpper, "CONST_UPPER", Names, "",
        "Constants and flags are written `LIKE_THIS`.";
    PackageLower, "PACKAGE_LOWER", Names, "",
        "Packages are written in small letters, since they are folders and Rust modules.";
    ErrorSuffix, "ERROR_SUFFIX", Names, "",
        "The name of an `error` ends in `Error`, so that `throws` reads as what it is and Rust users recognise it.";
    ClientOnewayStartsWithOn, "CLIENT_ONEWAY_STARTS_WITH_ON", Names, "",
        "What a server tells its clients without waiting is an event: `oneway fn on_changed(…)`.";
    StringBounded, "STRING_BOUNDED", Bounds, "",
        "A `String` without a bound may be as long as a message. `String<..=256>` says what to expect, and both sides check it.";
    BytesBounded, "BYTES_BOUNDED", Bounds, "",
        "`Bytes` without a bound may be as long as a message. `Bytes<..=1 << 20>` says what to expect, and both sides check it.";
    VecBounded, "VEC_BOUNDED", Bounds, "",
        "A `Vec` without a bound may fill a message. `Vec<T, ..=1000>` says what to expect, and both sides check it; for any number of elements there is `stream T`.";
    SetBounded, "SET_BOUNDED", Bounds, "",
        "A `Set` without a bound may fill a message. `Set<T, ..=1000>` says what to expect, and both sides check it.";
    MapBounded, "MAP_BOUNDED", Bounds, "",
        "A `Map` without a bound may fill a message. `Map<K, V, ..=1000>` says what to expect, and both sides check it.";
    EnumExplicitTags, "ENUM_EXPLICIT_TAGS", Evolution, "writes the tags that the variants have",
        "A tag that is not written follows from the variants before it, so that one inserted or deleted changes those behind it. Sealed enums never change and need none.";
    ImportUsed, "IMPORT_USED", Unused, "removes it",
        "An import that nothing in its file uses can go.";
    AllowKnown, "ALLOW_KNOWN", Unused, "mends the case of a name",
        "`#[allow(…)]` takes names of lints and of compatibility rules; any other does nothing.";
    BoolParamSmell, "BOOL_PARAM_SMELL", Taste, "",
        "`set(id, true)` does not say what is true. An enum of two variants does, and can get a third.";
    SealedJustified, "SEALED_JUSTIFIED", Taste, "",
        "A sealed type can never change, so its documentation says why it will not have to.";
    DocsPackage, "DOCS_PACKAGE", Docs, "",
        "One file of a package says with `//!` what the package is for.";
    DocsType, "DOCS_TYPE", Docs, "",
        "Structs, enums, errors, flags, newtypes and aliases are documented.";
    DocsField, "DOCS_FIELD", Docs, "",
        "Fields of structs and of variants are documented.";
    DocsVariant, "DOCS_VARIANT", Docs, "",
        "Variants and flags are documented; what a variant of an error says with `#[display]` counts.";
    DocsConst, "DOCS_CONST", Docs, "",
        "Constants are documented.";
    DocsService, "DOCS_SERVICE", Docs, "",
        "Services and interfaces are documented.";
    DocsMethod, "DOCS_METHOD", Docs, "",
        "Methods are documented.";
}

impl Lint {
    /// The lint of a name.
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
