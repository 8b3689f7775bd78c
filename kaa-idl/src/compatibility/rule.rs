//! The rules of compatibility, each with its name, its category, why it is there and what to do instead.
//!
//! Invariants: a name that was published keeps its meaning, because schemas allow rules by name; the table is ordered
//! by category.

use std::fmt;

use crate::diagnostic::RuleName;

/// Whom a rule protects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Category {
    /// Programs of both generations that talk to each other.
    Wire,
    /// Rust that uses the generated code.
    Source,
    /// Who wants to hear even of what is compatible; off unless asked for.
    Additions,
    /// What the owners of a schema have agreed on.
    Policy,
}

impl Category {
    /// Every category.
    pub const ALL: &'static [Self] = &[Self::Wire, Self::Source, Self::Additions, Self::Policy];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Wire => "WIRE",
            Self::Source => "SOURCE",
            Self::Additions => "ADDITIONS",
            Self::Policy => "POLICY",
        }
    }

    /// The category of a name, in whatever case it is written.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|category| category.name().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Category {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// What two peers do that connect across an edit that breaks a rule, as far as a service of both reaches it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AtConnect {
    /// They refuse each other.
    Refused,
    /// They talk: single calls may fail, or nothing does.
    Passes,
    /// It depends on the edit: a last field with a default can be missing, as if the other side were older; a package
    /// counts where a service of both reaches into it.
    Either,
}

impl AtConnect {
    /// In a word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Passes => "passes",
            Self::Either => "either",
        }
    }
}

macro_rules! rules {
    ($($variant:ident, $name:literal, $category:ident, $connect:ident, $explanation:literal, $instead:literal;)*) => {
        /// A rule that an edit of a schema can break.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Rule {
            $(#[doc = $explanation] $variant,)*
        }

        impl Rule {
            /// Every rule, ordered by category.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its name, as `#[allow(…)]` takes it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// Whom it protects.
            #[must_use]
            pub fn category(self) -> Category {
                match self { $(Self::$variant => Category::$category),* }
            }

            /// What peers across an edit that breaks it do when they connect.
            #[must_use]
            pub fn at_connect(self) -> AtConnect {
                match self { $(Self::$variant => AtConnect::$connect),* }
            }

            /// What breaks, and why.
            #[must_use]
            pub fn explanation(self) -> &'static str {
                match self { $(Self::$variant => $explanation),* }
            }

            /// What to do instead.
            #[must_use]
            pub fn instead(self) -> &'static str {
                match self { $(Self::$variant => $instead),* }
            }
        }
    };
}

rules! {
    StructFieldNoDelete, "STRUCT_FIELD_NO_DELETE", Wire, Either,
        "Fields have no numbers: without its slot, every field behind a deleted one would be read from the wrong bytes, and the next one to be appended from those of the last.",
        "leave a tombstone in its slot: `reserved name: Type`";
    StructFieldNoReorder, "STRUCT_FIELD_NO_REORDER", Wire, Refused,
        "The order of fields is their order on the wire.",
        "put the fields back in their order";
    StructFieldNoInsert, "STRUCT_FIELD_NO_INSERT", Wire, Refused,
        "A field between others, or in front of them, shifts all that follow.",
        "append the field behind all others";
    StructFieldSameType, "STRUCT_FIELD_SAME_TYPE", Wire, Refused,
        "The type says which bytes a field has; the other side would read them as what they are not.",
        "keep the field as a tombstone and append one of the new type";
    StructFieldSameOptionality, "STRUCT_FIELD_SAME_OPTIONALITY", Wire, Refused,
        "An `Option` has a byte of its own in front of its value.",
        "keep the field as a tombstone and append another";
    StructFieldAddedHasDefault, "STRUCT_FIELD_ADDED_HAS_DEFAULT", Wire, Refused,
        "Older peers do not send an appended field, so its reader needs a value to take instead.",
        "make it an `Option`, or give it a default with `= value`";
    StructFieldSameDefault, "STRUCT_FIELD_SAME_DEFAULT", Wire, Refused,
        "A default stands for what an older peer did not send. If it changed, two programs would take the same bytes for different values.",
        "keep the default; append another field if the new one is needed";
    StructSameSealed, "STRUCT_SAME_SEALED", Wire, Refused,
        "An extensible struct has its length in front, a sealed one has not.",
        "keep the struct as it is and declare another";
    SealedStructFrozen, "SEALED_STRUCT_FROZEN", Wire, Refused,
        "A sealed struct has neither a length nor room to grow: its fields stay what they are, for ever.",
        "declare another struct for the new layout";
    EnumSameSealed, "ENUM_SAME_SEALED", Wire, Refused,
        "Open enums and sealed ones have different bytes.",
        "keep the enum as it is and declare another";
    SealedEnumNoAdd, "SEALED_ENUM_NO_ADD", Wire, Refused,
        "Who does not know a variant of a sealed enum cannot read the message that holds it.",
        "declare another enum, an open one if it is to grow";
    SealedEnumNoDelete, "SEALED_ENUM_NO_DELETE", Wire, Refused,
        "Older peers still send the variant, and without it the message that holds it cannot be read.",
        "keep the variant, with `#[deprecated]`";
    VariantSameTag, "VARIANT_SAME_TAG", Wire, Refused,
        "The tag is all that stands for a variant on the wire. Variants without a written tag count on from the one before, so that one more or one less changes the tags behind it.",
        "write the tags that the variants had, and `reserved` for those that are gone";
    VariantSamePayload, "VARIANT_SAME_PAYLOAD", Wire, Refused,
        "What a variant carries is hashed with it and stays as it is.",
        "add another variant; a payload that is to grow is a struct";
    VariantNoDeleteUnlessReserved, "VARIANT_NO_DELETE_UNLESS_RESERVED", Wire, Passes,
        "If the tag of a deleted variant is used again, older peers take the new one for the old.",
        "reserve the tag and the name: `reserved 3 \"Name\"`";
    ReservedNoDelete, "RESERVED_NO_DELETE", Wire, Passes,
        "What was reserved had a meaning once, and peers that know it are still about. A tombstone that becomes a field again would read the zeros that were sent in between.",
        "keep what is reserved, and use another tag or name";
    FlagsSameRepr, "FLAGS_SAME_REPR", Wire, Refused,
        "The integer that carries flags limits which there can be, and is part of every flag's hash.",
        "keep the integer and declare other flags beside these";
    FlagSameValue, "FLAG_SAME_VALUE", Wire, Refused,
        "A flag is its value on the wire.",
        "keep the value; a flag with another value needs another name";
    FlagSameName, "FLAG_SAME_NAME", Wire, Refused,
        "The name of a flag is hashed with its value, so that a value cannot quietly come to mean something else.",
        "keep the name; add a flag with a value of its own";
    NewtypeSameInner, "NEWTYPE_SAME_INNER", Wire, Refused,
        "A newtype has its inner type's bytes.",
        "declare another newtype";
    ArraySameLen, "ARRAY_SAME_LEN", Wire, Refused,
        "An array has no length on the wire, so both sides must agree on it beforehand.",
        "append a field with the new length, or use a `Vec` from the beginning";
    MapSameKey, "MAP_SAME_KEY", Wire, Refused,
        "Keys have the bytes of their type.",
        "append another map";
    BoundNoNarrow, "BOUND_NO_NARROW", Wire, Passes,
        "Values that were allowed are refused by the side with the narrower bound, and the call that carries one fails. Of a wider bound there is a warning: older peers refuse what only it allows.",
        "keep the bound";
    TypeSameKind, "TYPE_SAME_KIND", Wire, Refused,
        "A struct, an enum, flags and a newtype have different bytes.",
        "declare the other kind under another name";
    TypeSameName, "TYPE_SAME_NAME", Wire, Refused,
        "Types are compared by their names on the wire.",
        "keep the name on the wire with `#[selector(\"…\")]`";
    FieldSameName, "FIELD_SAME_NAME", Wire, Refused,
        "The name of a field is hashed with it, so that a field cannot quietly come to mean something else.",
        "keep the name on the wire with `#[selector(\"…\")]`";
    VariantSameName, "VARIANT_SAME_NAME", Wire, Refused,
        "The name of a variant is hashed with it, so that a tag cannot quietly come to mean something else.",
        "keep the name on the wire with `#[selector(\"…\")]`; a variant that means something else needs a tag of its own";
    PackageSame, "PACKAGE_SAME", Wire, Either,
        "The package is part of the name on the wire of all that it holds.",
        "keep the package";
    ServiceNoDelete, "SERVICE_NO_DELETE", Wire, Passes,
        "Older peers still call the service.",
        "keep the service, with `#[deprecated]`, until nobody calls it";
    ServiceSameName, "SERVICE_SAME_NAME", Wire, Passes,
        "A service's name is part of the id of each of its methods.",
        "keep the name on the wire with `#[selector(\"…\")]`";
    IncludeNoDelete, "INCLUDE_NO_DELETE", Wire, Passes,
        "Older peers still call the methods that came from the interface.",
        "keep the `include`";
    MethodNoDeleteUnlessReserved, "METHOD_NO_DELETE_UNLESS_RESERVED", Wire, Passes,
        "Older peers still call the method, and nobody may take its name for another.",
        "reserve the name: `reserved fn \"name\";`";
    MethodSameId, "METHOD_SAME_ID", Wire, Passes,
        "A method's id is a hash of its name on the wire; under another name older peers do not reach it.",
        "keep the name on the wire with `#[selector(\"…\")]`";
    MethodSameRole, "METHOD_SAME_ROLE", Wire, Passes,
        "The side that serves a method is part of its id.",
        "keep the method on its side, and add one on the other";
    MethodSameOneway, "METHOD_SAME_ONEWAY", Wire, Refused,
        "Either a reply is waited for or there is none; both sides must agree.",
        "add another method";
    MethodSameStreaming, "METHOD_SAME_STREAMING", Wire, Refused,
        "A stream takes frames of its own, which a peer that knows none does not expect.",
        "add another method";
    MethodSameReturn, "METHOD_SAME_RETURN", Wire, Refused,
        "The caller would read the result as what it is not.",
        "add another method; a result that is to grow is a struct";
    MethodSameError, "METHOD_SAME_ERROR", Wire, Refused,
        "The caller would read the error as what it is not.",
        "add variants to the error that the method has";
    ParamNoDelete, "PARAM_NO_DELETE", Wire, Either,
        "Parameters have no numbers: without its slot, every parameter behind a deleted one would be read from the wrong bytes, and the next one to be appended from those of the last.",
        "leave a tombstone in its slot: `reserved name: Type`";
    ParamNoReorder, "PARAM_NO_REORDER", Wire, Refused,
        "The order of parameters is their order on the wire.",
        "put the parameters back in their order";
    ParamNoInsert, "PARAM_NO_INSERT", Wire, Refused,
        "A parameter between others, or in front of them, shifts all that follow.",
        "append the parameter behind all others";
    ParamSameType, "PARAM_SAME_TYPE", Wire, Refused,
        "The handler would read the argument as what it is not.",
        "keep the parameter as a tombstone and append one of the new type, or add another method";
    ParamSameOptionality, "PARAM_SAME_OPTIONALITY", Wire, Refused,
        "An `Option` has a byte of its own in front of its value.",
        "keep the parameter as a tombstone and append another";
    ParamAddedHasDefault, "PARAM_ADDED_HAS_DEFAULT", Wire, Refused,
        "Older callers do not send an appended parameter, so the handler needs a value to take instead.",
        "make it an `Option`, or give it a default with `= value`";
    ParamSameDefault, "PARAM_SAME_DEFAULT", Wire, Refused,
        "A default stands for what an older caller did not send. If it changed, two programs would take the same call for different ones.",
        "keep the default; append another parameter if the new one is needed";
    ParamSameName, "PARAM_SAME_NAME", Wire, Refused,
        "The name of a parameter is hashed with it, so that a parameter cannot quietly come to mean something else.",
        "keep the name on the wire with `#[selector(\"…\")]`";

    TypeNoDelete, "TYPE_NO_DELETE", Source, Passes,
        "Rust that names the type no longer compiles.",
        "keep the type, with `#[deprecated]`, until nobody names it";
    EnumSameError, "ENUM_SAME_ERROR", Source, Passes,
        "An `error` can be thrown and implements `std::error::Error`, an `enum` does neither. Their bytes are the same.",
        "keep the word, and declare the other kind under another name";
    FlagNoDelete, "FLAG_NO_DELETE", Source, Passes,
        "Rust that names the flag no longer compiles, and its bit could come to mean something else.",
        "keep the flag, with `#[deprecated]`";
    ConstNoDelete, "CONST_NO_DELETE", Source, Passes,
        "Rust that names the constant no longer compiles.",
        "keep the constant";
    ConstSameValue, "CONST_SAME_VALUE", Source, Passes,
        "Programs that were built before have the old value compiled in, and rely on it.",
        "add another constant; or allow the rule where programs may differ";
    MethodSameThrows, "METHOD_SAME_THROWS", Source, Passes,
        "A method that comes to declare an error, or ceases to, has another result in Rust. On the wire a reply says itself what it is.",
        "add another method; or allow the rule if its callers are rebuilt";
    MethodGainsOptions, "METHOD_GAINS_OPTIONS", Source, Passes,
        "The first parameter with a default brings the options struct, which is one more argument for every caller and handler.",
        "write a trailing `..` for methods that may get options later; here, allow the rule or add another method";
    MethodSameArguments, "METHOD_SAME_ARGUMENTS", Source, Passes,
        "A parameter without a written default is an argument of its own in Rust: every caller and handler must be changed for one more.",
        "give an appended parameter a default with `= value`, so that it goes into the options struct";
    DerivesNoShrink, "DERIVES_NO_SHRINK", Source, Passes,
        "Rust that relies on a derive of the type no longer compiles. Looked at are the derives that `#[rust(derive(…))]` asks for, and `Eq`, `Ord` and `Hash`, which go as soon as a floating-point number comes.",
        "keep the derive; put floating-point numbers into a type of their own";

    FieldAdded, "FIELD_ADDED", Additions, Passes,
        "Rust that writes the struct as a literal, without `..`, has to name the new field.",
        "nothing, if that is as it should be";
    VariantAdded, "VARIANT_ADDED", Additions, Passes,
        "Rust that matches the enum exhaustively, `Unknown` included, has to name the new variant.",
        "nothing, if that is as it should be";
    MethodAdded, "METHOD_ADDED", Additions, Passes,
        "Rust that implements the service's trait, without stubs, has to implement the new method.",
        "nothing, if that is as it should be";

    SinceMonotonic, "SINCE_MONOTONIC", Policy, Passes,
        "What is added says a version no lower than the highest `#[since]` beside it in the old schema, since it came later.",
        "raise its `#[since]`";
    SinceSame, "SINCE_SAME", Policy, Passes,
        "The version that brought something does not change.",
        "put `#[since]` back as it was";
    DeprecatedBeforeDelete, "DEPRECATED_BEFORE_DELETE", Policy, Passes,
        "What becomes a tombstone, or gives its tag or name to `reserved`, was `#[deprecated]` in the old schema, so that who uses it has been told.",
        "bring it back with `#[deprecated]`, and delete it one version later";
    FrozenMatchesSource, "FROZEN_MATCHES_SOURCE", Policy, Passes,
        "The newest frozen schema is what was given out last. If the sources have another fingerprint, what is built is nowhere written down.",
        "freeze the schema with `kaa freeze`";
}

impl Rule {
    /// The rule of a name; `None` if there is none.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.name() == name)
    }
}

impl From<Rule> for RuleName {
    fn from(rule: Rule) -> Self {
        Self::new(rule.name())
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
