//! Which types contain one of the user's own types. Encoding such a type runs the user's code.
//!
//! Invariants: the set is the smallest that has the external types and every type that contains one of the
//! set.

use std::collections::BTreeSet;

use kaa_idl::schema::{Method, Schema, Type, TypeId};

use crate::settings::Settings;
use crate::traverse::{field_types, named_types};

/// The declared types that contain an external type.
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
        // Without external types the set stays empty, and the loop does not run.
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

    /// Whether a value of this declared type may contain an external type.
    pub(crate) fn is_declared_foreign(&self, id: TypeId) -> bool {
        self.types.contains(&id)
    }

    /// Whether a method's arguments may contain an external type.
    pub(crate) fn has_foreign_arguments(&self, method: &Method) -> bool {
        method.parameters.iter().any(|field| self.names_foreign(&field.ty))
    }

    fn names_foreign(&self, ty: &Type) -> bool {
        named_types(ty).iter().any(|id| self.types.contains(id))
    }
}
