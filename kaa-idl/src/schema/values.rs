//! Type expressions and evaluated values.
//!
//! Invariants: aliases are resolved. A value has the form of its type.

/// Index of a named type in [`Schema::types`](super::Schema::types).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeId(pub usize);

/// A type expression with aliases resolved.
#[derive(Debug, Clone, PartialEq)]
pub enum Type {
    /// `bool`.
    Bool,
    /// `u8`.
    U8,
    /// `u16`.
    U16,
    /// `u32`.
    U32,
    /// `u64`.
    U64,
    /// `u128`.
    U128,
    /// `i8`.
    I8,
    /// `i16`.
    I16,
    /// `i32`.
    I32,
    /// `i64`.
    I64,
    /// `i128`.
    I128,
    /// `f32`.
    F32,
    /// `f64`.
    F64,
    /// `char`.
    Char,
    /// `Duration`.
    Duration,
    /// `Timestamp`.
    Timestamp,
    /// `Uuid`.
    Uuid,
    /// `String`, its bound in bytes of UTF-8.
    String(Bound),
    /// `Bytes`, its bound in bytes.
    Bytes(Bound),
    /// `Option<T>`.
    Option(Box<Type>),
    /// `Vec<T>`, its bound in elements.
    Vec(Box<Type>, Bound),
    /// `Set<T>`, its bound in elements.
    Set(Box<Type>, Bound),
    /// `Map<K, V>`, its bound in entries.
    Map(Box<Type>, Box<Type>, Bound),
    /// `[T; N]`.
    Array(Box<Type>, u32),
    /// A named type.
    Named {
        /// The type.
        id: TypeId,
        /// Whether this reference closes a cycle without a collection in between, so that Rust needs a `Box`
        /// here.
        boxed: bool,
    },
}

/// An upper bound on a length, if one is written.
pub type Bound = Option<u64>;

/// An evaluated constant or default.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A boolean.
    Bool(bool),
    /// An integer of zero or more.
    Unsigned(u128),
    /// A negative integer.
    Negative(i128),
    /// A floating-point number.
    Float(f64),
    /// A string, or a `char` as a string of one character.
    String(String),
    /// A unit variant of an enum.
    Variant {
        /// The enum.
        id: TypeId,
        /// Index into its variants.
        index: usize,
    },
    /// `[]`: an empty `Vec`, `Set`, or `Bytes`.
    EmptyList,
    /// `{}`: an empty `Map`, or a struct with the defaults of all its fields.
    EmptyMap,
    /// An absent `Option`. A present one is represented by its inner value.
    None,
}

impl Type {
    /// Calls a function for every named type in the type expression.
    pub(crate) fn each_named(&self, found: &mut dyn FnMut(TypeId)) {
        match self {
            Self::Named { id, .. } => found(*id),
            Self::Option(inner) | Self::Vec(inner, _) | Self::Set(inner, _) | Self::Array(inner, _) => {
                inner.each_named(found);
            }
            Self::Map(key, value, _) => {
                key.each_named(found);
                value.each_named(found);
            }
            _ => {}
        }
    }

    /// Whether a floating-point number occurs in the type expression, not counting the contents of named types.
    pub(crate) fn contains_float(&self) -> bool {
        match self {
            Self::F32 | Self::F64 => true,
            Self::Option(inner) | Self::Vec(inner, _) | Self::Set(inner, _) | Self::Array(inner, _) => {
                inner.contains_float()
            }
            Self::Map(key, value, _) => key.contains_float() || value.contains_float(),
            _ => false,
        }
    }
}
