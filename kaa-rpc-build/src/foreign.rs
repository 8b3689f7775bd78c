//! Which types hold a type of the user's own: encoding those runs the user's code.
//!
//! Invariant: the least set that holds the external types and whatever contains one of the set.

use std::collections::BTreeSet;

use kaa_idl::schema::{Method, Schema, Type, TypeId};

use crate::settings::Settings;
use crate::traverse::{field_types, named_types};

/// The declared types that hold an external one.
#[derive(Debug)]
pub(crate) struct Foreign {
    types: BTreeSet<TypeId>,
}

impl Foreign {
    pub(crate) fn new(schema: &Schema, settings: &Settings) -> Self {
        let external = schema
            .types
            .iter()
            .filter(|definition| settings.extern_type(&schema.qualified_name(definition)).is_some());
        let mut foreign = Self { types: external.map(|definition| definition.id).collect() };
        let mut before = 0;
        // Without an external type there is nothing to find.
        while foreign.types.len() > before {
            before = foreign.types.len();
            for definition in &schema.types {
                if field_types(&definition.kind).into_iter().any(|ty| foreign.names_foreign(ty)) {
                    foreign.types.insert(definition.id);
                }
            }
        }
        foreign
    }

    /// Whether a value of this declared type may hold an external one.
    pub(crate) fn is_declared_foreign(&self, id: TypeId) -> bool {
        self.types.contains(&id)
    }

    /// Whether a method's arguments may hold an external type.
    pub(crate) fn has_foreign_arguments(&self, method: &Method) -> bool {
        method.parameters.iter().any(|field| self.names_foreign(&field.ty))
    }

    fn names_foreign(&self, ty: &Type) -> bool {
        named_types(ty).iter().any(|id| self.types.contains(id))
    }
}
