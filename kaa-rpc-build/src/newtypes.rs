//! Newtypes: a distinct type around another, with conversions in both directions.
//!
//! Invariants: `From` is generated only if it cannot conflict with an existing implementation.

use kaa_idl::schema::{Newtype, Type, TypeDefinition};
use proc_macro2::TokenStream;
use quote::quote;

use crate::generator::Generator;
use crate::module_context::ModuleContext;
use crate::names;
use crate::types::{serde_with, uses_serde};

impl Generator<'_> {
    /// All items of a newtype.
    pub(crate) fn newtype_items(
        &self,
        context: &ModuleContext<'_>,
        definition: &TypeDefinition,
        newtype: &Newtype,
    ) -> TokenStream {
        let name = names::identifier(&definition.name);
        let head = self.type_head(definition, &[]);
        let path = self.schema.qualified_name(definition);
        let inner = self.rust_type(context, &path, &newtype.inner);
        let attributes = self.settings.field_attributes(&format!("{path}.0"));
        let value = context.local("value");
        let serde = if uses_serde(self.derives.of(definition.id)) {
            serde_with(context, &newtype.inner)
        } else {
            TokenStream::new()
        };
        let mut items = quote!(#head pub struct #name(#serde #(#attributes)* pub #inner););
        if self.has_from(&newtype.inner) {
            items.extend(quote! {
                impl ::core::convert::From<#inner> for #name {
                    fn from(#value: #inner) -> Self { Self(#value) }
                }
                impl ::core::convert::From<#name> for #inner {
                    fn from(#value: #name) -> Self { #value.0 }
                }
            });
        }
        if matches!(newtype.inner, Type::String(_)) {
            items.extend(quote! {
                impl ::core::convert::From<&::core::primitive::str> for #name {
                    fn from(#value: &::core::primitive::str) -> Self {
                        Self(::std::string::String::from(#value))
                    }
                }
            });
        }
        if self.has_display(&newtype.inner) {
            let formatter = context.local("formatter");
            items.extend(quote! {
                impl ::core::fmt::Display for #name {
                    fn fmt(&self, #formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                        ::core::fmt::Display::fmt(&self.0, #formatter)
                    }
                }
            });
        }
        items.extend(self.newtype_wire(context, definition, &newtype.inner));
        items
    }

    /// Whether `From` in both directions cannot conflict with an existing implementation. `Option` has a
    /// blanket implementation, and the implementations of an external type are not known.
    fn has_from(&self, inner: &Type) -> bool {
        match inner {
            Type::Option(_) | Type::Named { boxed: true, .. } => false,
            Type::Named { id, .. } => self.definition(*id).is_some_and(|(_, external)| external.is_none()),
            _ => true,
        }
    }
}
