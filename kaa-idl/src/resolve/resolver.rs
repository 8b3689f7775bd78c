//! The resolver's state: the scope, the values and types found so far, and the diagnostics.
//!
//! Invariants: `types` is indexed by [`TypeId`]. If a constant or alias is missing from its table, an error
//! about it was reported.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::evaluated::Evaluated;
use super::packages::Input;
use super::scope::{MAX_ERRORS, Scope};
use crate::ast::{self, Expression};
use crate::diagnostic::{Diagnostic, Place};
use crate::location::Span;
use crate::schema::{Field, Type, TypeDefinition, TypeId, TypeKind, Value};

/// The state that all steps share.
#[derive(Debug)]
pub(super) struct Resolver<'a> {
    pub(super) scope: Scope<'a>,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// For each pair of packages, the first place where one uses the other.
    pub(super) edges: BTreeMap<(usize, usize), Place>,
    pub(super) aliases: HashMap<usize, Type>,
    pub(super) constants: HashMap<usize, EvaluatedConstant>,
    /// Values of flags by item; `None` for an invalid value, which was reported.
    pub(super) flag_values: HashMap<usize, Vec<Option<u64>>>,
    /// The integer types of flags by item.
    pub(super) representations: HashMap<usize, Type>,
    pub(super) types: Vec<TypeDefinition>,
    /// Types with parts that could not be parsed or resolved. No error is reported about what these types
    /// lack.
    pub(super) incomplete: HashSet<TypeId>,
    /// Where the types of fields are written, in the order of `types`.
    pub(super) written_types: Vec<WrittenType>,
    /// Keys and elements of collections, to be checked once all types are known.
    pub(super) containers: Vec<Container>,
    pub(super) pending_defaults: Vec<PendingDefault<'a>>,
    /// How many pairs of names were compared for suggestions.
    pub(super) comparisons: usize,
    /// Unknown names that were reported: by file, package and name, the index of the diagnostic.
    pub(super) reported_names: HashMap<(usize, usize, String), usize>,
    /// How many methods were copied by `include`, in all services and interfaces.
    pub(super) flattened: usize,
}

/// A constant: its type, and its value before and after conversion to the type.
#[derive(Debug, Clone)]
pub(super) struct EvaluatedConstant {
    pub(super) ty: Type,
    pub(super) evaluated: Evaluated,
    pub(super) value: Value,
}

/// A field whose type is written in the source, and the place of that type.
#[derive(Debug, Clone)]
pub(super) struct WrittenType {
    pub(super) address: Address,
    pub(super) place: Place,
}

/// Identifies a field of a type; for a newtype its inner type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) owner: TypeId,
    pub(super) variant: Option<usize>,
    pub(super) field: usize,
}

/// A type that is used as a key or an element.
#[derive(Debug, Clone)]
pub(super) struct Container {
    pub(super) role: Role,
    pub(super) ty: Type,
    pub(super) place: Place,
}

/// How a container uses a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A key of a `Map` or `Set`.
    Key,
    /// An element of a `Vec` or array.
    Element,
    /// An item of a stream.
    Item,
}

/// A default value, to be evaluated once all types are known.
#[derive(Debug, Clone, Copy)]
pub(super) struct PendingDefault<'a> {
    pub(super) address: Address,
    pub(super) file: usize,
    pub(super) value: &'a Expression,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(files: &'a [Input<'a>]) -> Self {
        let mut diagnostics = Vec::new();
        let scope = Scope::new(files, &mut diagnostics);
        Self {
            scope,
            diagnostics,
            edges: BTreeMap::new(),
            aliases: HashMap::new(),
            constants: HashMap::new(),
            flag_values: HashMap::new(),
            representations: HashMap::new(),
            types: Vec::new(),
            incomplete: HashSet::new(),
            written_types: Vec::new(),
            containers: Vec::new(),
            pending_defaults: Vec::new(),
            comparisons: 0,
            reported_names: HashMap::new(),
            flattened: 0,
        }
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        if self.diagnostics.len() >= MAX_ERRORS {
            return;
        }
        self.diagnostics.push(diagnostic);
    }

    pub(super) fn place(&self, file: usize, span: Span) -> Place {
        self.scope.place(file, span)
    }

    /// Records that a file's package uses another package.
    pub(super) fn add_edge(&mut self, file: usize, package: usize, span: Span) {
        let own = self.scope.package_of(file);
        if own != package {
            let place = self.scope.place(file, span);
            self.edges.entry((own, package)).or_insert(place);
        }
    }

    /// The item that a path names. Reports an error if there is none.
    pub(super) fn find<'p>(
        &mut self,
        file: usize,
        path: &'p ast::Path,
        noun: &str,
    ) -> Option<super::scope::Found<'p>> {
        match self.scope.find(file, path) {
            Ok(found) => {
                if let Some(entry) = self.scope.entry(found.item) {
                    self.add_edge(file, entry.package, path.span);
                }
                Some(found)
            }
            Err(missing) => {
                self.missing(file, path, missing, noun);
                None
            }
        }
    }

    pub(super) fn definition(&self, id: TypeId) -> Option<&TypeDefinition> {
        self.types.get(id.0)
    }

    pub(super) fn field_mut(&mut self, address: Address) -> Option<&mut Field> {
        let fields = match &mut self.types.get_mut(address.owner.0)?.kind {
            TypeKind::Struct(structure) => structure.fields.as_mut_slice(),
            TypeKind::Enum(enumeration) => {
                enumeration.variants.get_mut(address.variant?)?.payload.fields_mut()
            }
            TypeKind::Flags(_) | TypeKind::Newtype(_) => return None,
        };
        fields.get_mut(address.field)
    }

    pub(super) fn type_at_mut(&mut self, address: Address) -> Option<&mut Type> {
        if !matches!(self.definition(address.owner)?.kind, TypeKind::Newtype(_)) {
            return self.field_mut(address).map(|field| &mut field.ty);
        }
        match &mut self.types.get_mut(address.owner.0)?.kind {
            TypeKind::Newtype(newtype) => Some(&mut newtype.inner),
            _ => None,
        }
    }

    pub(super) fn type_at(&self, address: Address) -> Option<&Type> {
        let fields = match &self.definition(address.owner)?.kind {
            TypeKind::Struct(structure) => structure.fields.as_slice(),
            TypeKind::Newtype(newtype) => return Some(&newtype.inner),
            TypeKind::Enum(enumeration) => enumeration.variants.get(address.variant?)?.payload.fields(),
            TypeKind::Flags(_) => return None,
        };
        fields.get(address.field).map(|field| &field.ty)
    }
}
