//! Which types hold a type of the user's own: encoding those runs the user's code.
//!
//! Invariant: the least set that holds the external types and whatever contains one of the set.

use std::collections::BTreeSet;

use kaa_idl::schema::{Field, Method, Schema, Type, TypeId, TypeKind};

use crate::generator::payload_fields;
use crate::settings::Settings;

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
                if foreign.holds(&definition.kind) {
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
        self.any(&method.parameters)
    }

    fn holds(&self, kind: &TypeKind) -> bool {
        match kind {
            TypeKind::Struct(structure) => self.any(&structure.fields),
            TypeKind::Enum(enumeration) => {
                enumeration.variants.iter().any(|variant| self.any(payload_fields(&variant.payload)))
            }
            TypeKind::Flags(_) => false,
            TypeKind::Newtype(newtype) => self.is_foreign(&newtype.inner),
        }
    }

    fn any(&self, fields: &[Field]) -> bool {
        fields.iter().any(|field| self.is_foreign(&field.ty))
    }

    fn is_foreign(&self, ty: &Type) -> bool {
        match ty {
            Type::Option(inner) | Type::Vec(inner, _) | Type::Set(inner, _) | Type::Array(inner, _) => {
                self.is_foreign(inner)
            }
            Type::Map(key, value, _) => self.is_foreign(key) || self.is_foreign(value),
            Type::Named { id, .. } => self.types.contains(id),
            _ => false,
        }
    }
}
