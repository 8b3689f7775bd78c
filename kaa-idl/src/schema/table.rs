//! What two peers compare where their fingerprints differ.
//!
//! Invariants: methods are ordered by id, types by qualified wire name, variants and flags by tag; hashes are those of
//! `docs/idl.md`, "Canonical form".

use std::sync::Arc;

/// What two peers compare when their fingerprints differ: everything hashed so that the first difference has a name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServiceTable {
    /// Every method of both sides, by ascending id.
    pub methods: Vec<MethodEntry>,
    /// Every named type that the methods reach, by qualified wire name; services that reach the same one share it.
    pub types: Vec<Arc<TypeEntry>>,
}

/// A method in a [`ServiceTable`]: its parameters and results are chains like those of types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MethodEntry {
    /// Its id.
    pub id: u32,
    /// Its wire name, for messages.
    pub name: String,
    /// Hash of role, oneway, streaming and return type.
    pub signature: u64,
    /// Hash of the error type's name; 0 where none is declared. Two that differ fit only if one of them is 0.
    pub throws: u64,
    /// Chain over the parameters, in order.
    pub parameters: Vec<ElementEntry>,
}

/// A type in a [`ServiceTable`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeEntry {
    /// Qualified wire name.
    pub name: String,
    /// How its elements are compared.
    pub form: TypeForm,
    /// Fields (as a chain), or variants or flags (by tag).
    pub elements: Vec<ElementEntry>,
}

/// How the elements of a [`TypeEntry`] are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TypeForm {
    /// An extensible struct: the shorter chain must be a prefix of the longer.
    Struct,
    /// A sealed struct or newtype: the chains must be equal.
    SealedStruct,
    /// An open enum or error: the hashes of tags that both know must be equal.
    Enum,
    /// A sealed enum: the sets must be equal.
    SealedEnum,
    /// Flags: like an open enum, with the representation in every hash.
    Flags,
}

/// One field, parameter, variant or flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElementEntry {
    /// Its wire name.
    pub name: String,
    /// The variant's tag or the flag's value; the position in a chain.
    pub tag: u64,
    /// `h_k`: for chains the hash of this element and all before it; for variants and flags of this one alone.
    pub hash: u64,
    /// Whether a peer that lacks the element can fill it in (it has a default, or is an `Option`).
    pub has_default: bool,
}
