//! The state of resolving: the scope, what has been evaluated so far, and the diagnostics.
//!
//! Invariants: `types` is indexed by [`TypeId`]; a constant or alias that is absent from its table was complained
//! about.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::evaluated::Evaluated;
use super::packages::Input;
use super::scope::{MAX_ERRORS, Scope};
use crate::ast::{self, Expression};
use crate::diagnostic::{Diagnostic, Place};
use crate::location::Span;
use crate::schema::{Field, Payload, Type, TypeDefinition, TypeId, TypeKind, Value};

/// Everything that resolving works with.
#[derive(Debug)]
pub(super) struct Resolver<'a> {
    pub(super) scope: Scope<'a>,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Where one package first reaches for another.
    pub(super) edges: BTreeMap<(usize, usize), Place>,
    pub(super) aliases: HashMap<usize, Type>,
    pub(super) constants: HashMap<usize, EvaluatedConstant>,
    /// Values of flags by item; `None` for one that was complained about.
    pub(super) flag_values: HashMap<usize, Vec<Option<u64>>>,
    /// The integer types of flags by item.
    pub(super) representations: HashMap<usize, Type>,
    pub(super) types: Vec<TypeDefinition>,
    /// Types of which a part was lost to an error, so that nothing may follow from what they lack.
    pub(super) damaged: HashSet<TypeId>,
    /// Where the types of fields were written, in the order of `types`.
    pub(super) sites: Vec<Site>,
    /// Written map and set keys, and element types, to be checked when all types are known.
    pub(super) containers: Vec<Container>,
    pub(super) pending_defaults: Vec<PendingDefault<'a>>,
    /// Pairs of names that were compared for suggestions.
    pub(super) comparisons: usize,
    /// What was said about missing names, by file, package and name.
    pub(super) missed: HashMap<(usize, usize, String), usize>,
    /// Methods made by flattening includes, over all services.
    pub(super) flattened: usize,
}

/// A constant: its type, and its value before and after it was fitted to the type.
#[derive(Debug, Clone)]
pub(super) struct EvaluatedConstant {
    pub(super) ty: Type,
    pub(super) evaluated: Evaluated,
    pub(super) value: Value,
}

/// The type of a field: which one, and where it was written.
#[derive(Debug, Clone)]
pub(super) struct Site {
    pub(super) address: Address,
    pub(super) place: Place,
}

/// A field of a type; for a newtype its inner type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) owner: TypeId,
    pub(super) variant: Option<usize>,
    pub(super) field: usize,
}

/// A type that stands as a key or an element.
#[derive(Debug, Clone)]
pub(super) struct Container {
    pub(super) role: Role,
    pub(super) ty: Type,
    pub(super) place: Place,
}

/// What a type argument is to its container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A key of a `Map` or `Set`.
    Key,
    /// An element of a `Vec` or array.
    Element,
    /// An item of a stream.
    Item,
}

/// A default to be evaluated when all types are known.
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
            damaged: HashSet::new(),
            sites: Vec::new(),
            containers: Vec::new(),
            pending_defaults: Vec::new(),
            comparisons: 0,
            missed: HashMap::new(),
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

    /// Remembers that a file's package needs another.
    pub(super) fn note_edge(&mut self, file: usize, package: usize, span: Span) {
        let own = self.scope.package_of(file);
        if own != package {
            let place = self.scope.place(file, span);
            self.edges.entry((own, package)).or_insert(place);
        }
    }

    /// The item behind a path, reported if there is none.
    pub(super) fn find<'p>(
        &mut self,
        file: usize,
        path: &'p ast::Path,
        noun: &str,
    ) -> Option<super::scope::Found<'p>> {
        match self.scope.find(file, path) {
            Ok(found) => {
                if let Some(entry) = self.scope.entry(found.item) {
                    self.note_edge(file, entry.package, path.span);
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
            TypeKind::Struct(structure) => &mut structure.fields,
            TypeKind::Enum(enumeration) => match &mut enumeration.variants.get_mut(address.variant?)?.payload
            {
                Payload::Unit => return None,
                Payload::Tuple(fields) | Payload::Record(fields) => fields,
            },
            TypeKind::Flags(_) | TypeKind::Newtype(_) => return None,
        };
        fields.get_mut(address.field)
    }

    pub(super) fn site_type_mut(&mut self, address: Address) -> Option<&mut Type> {
        let is_newtype = matches!(self.definition(address.owner)?.kind, TypeKind::Newtype(_));
        if !is_newtype {
            return self.field_mut(address).map(|field| &mut field.ty);
        }
        match &mut self.types.get_mut(address.owner.0)?.kind {
            TypeKind::Newtype(newtype) => Some(&mut newtype.inner),
            _ => None,
        }
    }

    pub(super) fn site_type(&self, address: Address) -> Option<&Type> {
        let fields = match &self.definition(address.owner)?.kind {
            TypeKind::Struct(structure) => &structure.fields,
            TypeKind::Newtype(newtype) => return Some(&newtype.inner),
            TypeKind::Enum(enumeration) => match &enumeration.variants.get(address.variant?)?.payload {
                Payload::Unit => return None,
                Payload::Tuple(fields) | Payload::Record(fields) => fields,
            },
            TypeKind::Flags(_) => return None,
        };
        fields.get(address.field).map(|field| &field.ty)
    }
}
