//! The tables that two peers compare if their fingerprints differ.
//!
//! Invariants: methods are ordered by id, types by qualified wire name, variants and flags by tag.
//! `docs/idl.md`, "Canonical form", defines the hashes.

use std::sync::Arc;

/// What two peers compare if their fingerprints differ. Each element has its own hash, so that the first
/// difference can be named.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServiceTable {
    /// Every method of both sides, by ascending id.
    pub methods: Vec<MethodEntry>,
    /// Every named type that the methods use, by qualified wire name. Services that use the same type share
    /// its entry.
    pub types: Vec<Arc<TypeEntry>>,
}

/// A method in a [`ServiceTable`]. Its parameters are a chain, like the fields of a struct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MethodEntry {
    /// Its id.
    pub id: u32,
    /// Its wire name, for messages.
    pub name: String,
    /// Hash of role, oneway, streaming and return type.
    pub signature: u64,
    /// Hash of the error type's name; 0 if none is declared. Two different hashes are compatible only if one
    /// is 0.
    pub throws: u64,
    /// The chain of the parameters, in order.
    pub parameters: Vec<ElementEntry>,
}

/// A type in a [`ServiceTable`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeEntry {
    /// Qualified wire name.
    pub name: String,
    /// How its elements are compared.
    pub form: TypeForm,
    /// Fields (as a chain), variants, or flags (by tag).
    pub elements: Vec<ElementEntry>,
}

/// How the elements of a [`TypeEntry`] are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TypeForm {
    /// An extensible struct: the shorter chain must be a prefix of the longer one.
    Struct,
    /// A sealed struct or newtype: the chains must be equal.
    SealedStruct,
    /// An open enum or error: the hashes of tags that both peers know must be equal.
    Enum,
    /// A sealed enum: the sets must be equal.
    SealedEnum,
    /// Flags: like an open enum, with the integer type in every hash.
    Flags,
}

/// One field, parameter, variant or flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElementEntry {
    /// Its wire name.
    pub name: String,
    /// The variant's tag or the flag's value; the position in a chain.
    pub tag: u64,
    /// `h_k`: in a chain the hash of this element and all elements before it; for variants and flags of the
    /// element alone.
    pub hash: u64,
    /// Whether a peer can fill in the element if it was not sent (it has a default or is an `Option`).
    pub has_default: bool,
}
