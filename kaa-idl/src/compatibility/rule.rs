//! The compatibility rules: name, category, reason, and how to avoid breaking each rule.
//!
//! Invariants: a published name never changes its meaning, because schemas allow rules by name. The table is
//! ordered by category.

use std::fmt;

use crate::diagnostic::RuleName;

/// What a rule protects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Category {
    /// The communication between programs with the old and the new schema.
    Wire,
    /// Rust code that uses the generated code.
    Source,
    /// Nothing: these rules report compatible additions. Off by default.
    Additions,
    /// Conventions of the owners of a schema.
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

    /// The category with a name, in upper or lower case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|category| category.name().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Category {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The result of connecting two peers whose schemas differ by an edit that breaks a rule, if a common service
/// uses the edited element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConnectOutcome {
    /// The peers refuse the connection.
    Refused,
    /// The peers connect. Single calls may fail.
    Accepted,
    /// It depends on the edit: a last field with a default can be missing, as if the peer were older, and a
    /// package matters only if a common service uses its types.
    Depends,
}

impl ConnectOutcome {
    /// The result in one word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Accepted => "accepted",
            Self::Depends => "depends",
        }
    }
}

macro_rules! rules {
    ($(
        $variant:ident, $name:literal, $category:ident, $connect:ident, $explanation:literal, $help:literal;
    )*) => {
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

            /// What it protects.
            #[must_use]
            pub fn category(self) -> Category {
                match self { $(Self::$variant => Category::$category),* }
            }

            /// The result of connecting two peers whose schemas differ by an edit that breaks it.
            #[must_use]
            pub fn connect_outcome(self) -> ConnectOutcome {
                match self { $(Self::$variant => ConnectOutcome::$connect),* }
            }

            /// What breaks, and why.
            #[must_use]
            pub fn explanation(self) -> &'static str {
                match self { $(Self::$variant => $explanation),* }
            }

            /// How to avoid breaking the rule.
            #[must_use]
            pub fn help(self) -> &'static str {
                match self { $(Self::$variant => $help),* }
            }
        }
    };
}

rules! {
    StructFieldNoDelete, "STRUCT_FIELD_NO_DELETE", Wire, Depends,
        "Fields have no numbers. Without the slot of the deleted field, all fields after it would be read \
            from the wrong bytes, and the next appended field from the bytes of the last one.",
        "leave a tombstone in its slot: `reserved name: Type`";
    StructFieldNoReorder, "STRUCT_FIELD_NO_REORDER", Wire, Refused,
        "The order of fields is their order on the wire.",
        "restore the order of the fields";
    StructFieldNoInsert, "STRUCT_FIELD_NO_INSERT", Wire, Refused,
        "An inserted field shifts all fields after it.",
        "append the field after all others";
    StructFieldSameType, "STRUCT_FIELD_SAME_TYPE", Wire, Refused,
        "The type determines the bytes of a field. The peer would misread them.",
        "keep the field as a tombstone and append a field of the new type";
    StructFieldSameOptionality, "STRUCT_FIELD_SAME_OPTIONALITY", Wire, Refused,
        "An `Option` has an extra byte before its value.",
        "keep the field as a tombstone and append a new field";
    StructFieldAddedHasDefault, "STRUCT_FIELD_ADDED_HAS_DEFAULT", Wire, Refused,
        "Older peers do not send an appended field, so the reader needs a default value.",
        "make it an `Option`, or add a default: `= value`";
    StructFieldSameDefault, "STRUCT_FIELD_SAME_DEFAULT", Wire, Refused,
        "A default replaces a field that an older peer did not send. If it changed, two programs would read \
            the same bytes as different values.",
        "keep the default; append a new field if you need a different one";
    StructSameSealed, "STRUCT_SAME_SEALED", Wire, Refused,
        "An extensible struct begins with its length, a sealed one does not.",
        "keep the struct unchanged and declare a new one";
    SealedStructFrozen, "SEALED_STRUCT_FROZEN", Wire, Refused,
        "A sealed struct has no length and cannot grow, so its fields never change.",
        "declare a new struct for the new layout";
    EnumSameSealed, "ENUM_SAME_SEALED", Wire, Refused,
        "Open enums and sealed enums have different bytes.",
        "keep the enum unchanged and declare a new one";
    SealedEnumNoAdd, "SEALED_ENUM_NO_ADD", Wire, Refused,
        "A peer that does not know a variant of a sealed enum cannot read a message that contains it.",
        "declare a new enum, and leave it open if it may grow";
    SealedEnumNoDelete, "SEALED_ENUM_NO_DELETE", Wire, Refused,
        "Older peers still send the variant, and a message that contains it could not be read.",
        "keep the variant with `#[deprecated]`";
    VariantSameTag, "VARIANT_SAME_TAG", Wire, Refused,
        "Only the tag identifies a variant on the wire. A variant without an explicit tag has the previous \
            tag plus one, so adding or deleting a variant changes the tags after it.",
        "write the previous tags explicitly, and `reserved` for deleted variants";
    VariantSamePayload, "VARIANT_SAME_PAYLOAD", Wire, Refused,
        "The payload is part of the variant's hash and must not change.",
        "add a new variant; use a struct for a payload that may grow";
    VariantNoDeleteUnlessReserved, "VARIANT_NO_DELETE_UNLESS_RESERVED", Wire, Accepted,
        "If the tag of a deleted variant is used again, older peers read the new variant as the old one.",
        "reserve the tag and the name: `reserved 3 \"Name\"`";
    ReservedNoDelete, "RESERVED_NO_DELETE", Wire, Accepted,
        "A reserved tag or name had a meaning that older peers still know. A tombstone that becomes a field \
            again would read the zeros that newer peers sent in its place.",
        "keep the reservation, and use a different tag or name";
    FlagsSameRepr, "FLAGS_SAME_REPR", Wire, Refused,
        "The integer type limits the values of flags, and is part of every flag's hash.",
        "keep the integer type and declare additional flags";
    FlagSameValue, "FLAG_SAME_VALUE", Wire, Refused,
        "On the wire a flag is its value.",
        "keep the value; a flag with a different value needs a new name";
    FlagSameName, "FLAG_SAME_NAME", Wire, Refused,
        "The name of a flag is hashed with its value, so that a value cannot silently change its meaning.",
        "keep the name; add a new flag with a new value";
    NewtypeSameInner, "NEWTYPE_SAME_INNER", Wire, Refused,
        "A newtype has the bytes of its inner type.",
        "declare a new newtype";
    ArraySameLen, "ARRAY_SAME_LEN", Wire, Refused,
        "An array has no length on the wire, so both peers must know it.",
        "append a field with the new length, or use a `Vec` from the start";
    MapSameKey, "MAP_SAME_KEY", Wire, Refused,
        "The type of the keys determines their bytes.",
        "append a new map";
    BoundNoNarrow, "BOUND_NO_NARROW", Wire, Accepted,
        "The peer with the narrower bound rejects values that used to be valid, and the call fails. A wider \
            bound is a warning: older peers reject values that exceed the old bound.",
        "keep the bound";
    TypeSameKind, "TYPE_SAME_KIND", Wire, Refused,
        "A struct, an enum, flags and a newtype have different bytes.",
        "declare the new kind under a new name";
    TypeSameName, "TYPE_SAME_NAME", Wire, Refused,
        "Types are compared by their names on the wire.",
        "keep the name on the wire with `#[selector(\"…\")]`";
    FieldSameName, "FIELD_SAME_NAME", Wire, Refused,
        "The name is part of the field's hash, so that a field cannot silently change its meaning.",
        "keep the name on the wire with `#[selector(\"…\")]`";
    VariantSameName, "VARIANT_SAME_NAME", Wire, Refused,
        "The name is part of the variant's hash, so that a tag cannot silently change its meaning.",
        "keep the name on the wire with `#[selector(\"…\")]`; a variant with a different meaning needs a \
            new tag";
    PackageSame, "PACKAGE_SAME", Wire, Depends,
        "The package is part of the wire name of all its items.",
        "keep the package";
    ServiceNoDelete, "SERVICE_NO_DELETE", Wire, Accepted,
        "Older peers still call the service.",
        "keep the service with `#[deprecated]` until no peer calls it";
    ServiceSameName, "SERVICE_SAME_NAME", Wire, Accepted,
        "The name of a service is part of the id of each of its methods.",
        "keep the name on the wire with `#[selector(\"…\")]`";
    IncludeNoDelete, "INCLUDE_NO_DELETE", Wire, Accepted,
        "Older peers still call the methods of the interface.",
        "keep the `include`";
    MethodNoDeleteUnlessReserved, "METHOD_NO_DELETE_UNLESS_RESERVED", Wire, Accepted,
        "Older peers still call the method, so its name must not be used for a different one.",
        "reserve the name: `reserved fn \"name\";`";
    MethodSameId, "METHOD_SAME_ID", Wire, Accepted,
        "A method's id is a hash of its name on the wire. Older peers cannot call it under a new name.",
        "keep the name on the wire with `#[selector(\"…\")]`";
    MethodSameRole, "METHOD_SAME_ROLE", Wire, Accepted,
        "The side that serves a method is part of its id.",
        "keep the method on its side, and add a new one on the other side";
    MethodSameOneway, "METHOD_SAME_ONEWAY", Wire, Refused,
        "Both peers must agree whether the method has a reply.",
        "add a new method";
    MethodSameStreaming, "METHOD_SAME_STREAMING", Wire, Refused,
        "A stream has its own frames, which a peer without the stream does not expect.",
        "add a new method";
    MethodSameReturn, "METHOD_SAME_RETURN", Wire, Refused,
        "The caller would misread the result.",
        "add a new method; use a struct for a result that may grow";
    MethodSameError, "METHOD_SAME_ERROR", Wire, Refused,
        "The caller would misread the error.",
        "add variants to the existing error";
    ParamNoDelete, "PARAM_NO_DELETE", Wire, Depends,
        "Parameters have no numbers. Without the slot of the deleted parameter, all parameters after it \
            would be read from the wrong bytes, and the next appended parameter from the bytes of the last \
            one.",
        "leave a tombstone in its slot: `reserved name: Type`";
    ParamNoReorder, "PARAM_NO_REORDER", Wire, Refused,
        "The order of parameters is their order on the wire.",
        "restore the order of the parameters";
    ParamNoInsert, "PARAM_NO_INSERT", Wire, Refused,
        "An inserted parameter shifts all parameters after it.",
        "append the parameter after all others";
    ParamSameType, "PARAM_SAME_TYPE", Wire, Refused,
        "The handler would misread the argument.",
        "keep the parameter as a tombstone and append one of the new type, or add a new method";
    ParamSameOptionality, "PARAM_SAME_OPTIONALITY", Wire, Refused,
        "An `Option` has an extra byte before its value.",
        "keep the parameter as a tombstone and append a new one";
    ParamAddedHasDefault, "PARAM_ADDED_HAS_DEFAULT", Wire, Refused,
        "Older callers do not send an appended parameter, so the handler needs a default value.",
        "make it an `Option`, or add a default: `= value`";
    ParamSameDefault, "PARAM_SAME_DEFAULT", Wire, Refused,
        "A default replaces an argument that an older caller did not send. If it changed, two programs \
            would read the same call as different calls.",
        "keep the default; append a new parameter if you need a different one";
    ParamSameName, "PARAM_SAME_NAME", Wire, Refused,
        "The name is part of the parameter's hash, so that a parameter cannot silently change its meaning.",
        "keep the name on the wire with `#[selector(\"…\")]`";

    TypeNoDelete, "TYPE_NO_DELETE", Source, Accepted,
        "Rust code that uses the type no longer compiles.",
        "keep the type with `#[deprecated]` until no code uses it";
    EnumSameError, "ENUM_SAME_ERROR", Source, Accepted,
        "An `error` can be thrown and implements `std::error::Error`; an `enum` cannot and does not. Their \
            bytes are the same.",
        "keep the keyword, and declare the new kind under a new name";
    FlagNoDelete, "FLAG_NO_DELETE", Source, Accepted,
        "Rust code that uses the flag no longer compiles, and its bit could get a different meaning.",
        "keep the flag with `#[deprecated]`";
    ConstNoDelete, "CONST_NO_DELETE", Source, Accepted,
        "Rust code that uses the constant no longer compiles.",
        "keep the constant";
    ConstSameValue, "CONST_SAME_VALUE", Source, Accepted,
        "Existing programs have the old value compiled in.",
        "add a new constant, or allow the rule if programs may differ";
    MethodSameThrows, "METHOD_SAME_THROWS", Source, Accepted,
        "A method that gains or loses its declared error has a different result type in Rust. On the wire, \
            a reply tells whether it is a result or an error.",
        "add a new method, or allow the rule if its callers are rebuilt";
    MethodGainsOptions, "METHOD_GAINS_OPTIONS", Source, Accepted,
        "The first parameter with a default adds the options struct, which is an additional argument for \
            every caller and handler.",
        "write a trailing `..` in methods that may get options later; here, allow the rule or add a new \
            method";
    MethodSameArguments, "METHOD_SAME_ARGUMENTS", Source, Accepted,
        "A parameter without a written default is a separate argument in Rust, so every caller and handler \
            must change.",
        "add a default, `= value`, so that the parameter goes into the options struct";
    DerivesNoShrink, "DERIVES_NO_SHRINK", Source, Accepted,
        "Rust code that uses a derive of the type no longer compiles. The rule checks the derives in \
            `#[rust(derive(…))]`, and `Eq`, `Ord` and `Hash`, which a floating-point number removes.",
        "keep the derive; move floating-point numbers into a separate type";

    FieldAdded, "FIELD_ADDED", Additions, Accepted,
        "Rust code with a struct literal without `..` must add the new field.",
        "no change is needed if the addition is intended";
    VariantAdded, "VARIANT_ADDED", Additions, Accepted,
        "Rust code that matches the enum exhaustively, including `Unknown`, must add the new variant.",
        "no change is needed if the addition is intended";
    MethodAdded, "METHOD_ADDED", Additions, Accepted,
        "Rust code that implements the service's trait without stubs must implement the new method.",
        "no change is needed if the addition is intended";

    SinceMonotonic, "SINCE_MONOTONIC", Policy, Accepted,
        "The `#[since]` of an addition is not lower than the highest `#[since]` of its siblings in the old \
            schema, because it was added later.",
        "raise its `#[since]`";
    SinceSame, "SINCE_SAME", Policy, Accepted,
        "The version that introduced an element does not change.",
        "restore the old `#[since]`";
    DeprecatedBeforeDelete, "DEPRECATED_BEFORE_DELETE", Policy, Accepted,
        "An element that becomes a tombstone or `reserved` must be `#[deprecated]` in the old schema, so \
            that its users are warned first.",
        "restore it with `#[deprecated]`, and delete it in a later version";
    FrozenMatchesSource, "FROZEN_MATCHES_SOURCE", Policy, Accepted,
        "The newest frozen schema is the last one that was published. If the sources have a different \
            fingerprint, no frozen schema describes the build.",
        "freeze the schema with `kaa freeze`";
}

impl Rule {
    /// The rule with a name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
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
