//! Declared types: structs, and the parts that all types share.
//!
//! Invariants: every type has the derives that its fields allow, including serde's unless a setting removes
//! them; the code of a field's default is generated once, and `Default`, `new`, decoding and serde use it.

use kaa_idl::schema::{Attributes, Field, Struct, Type, TypeDefinition, TypeKind};
use proc_macro2::{Ident, TokenStream};
use quote::quote;

use crate::derives::{Derive, DeriveSet, is_long_array};
use crate::documentation;
use crate::error::Result;
use crate::generator::Generator;
use crate::module_context::ModuleContext;
use crate::names;
use crate::traverse::field_types;

/// The module of [`Generator::serde_array`], without its prefix.
const SERDE_ARRAY: &str = "serde_array";

impl Generator<'_> {
    /// All items of a declared type; nothing for an external type.
    pub(crate) fn type_items(
        &self,
        context: &ModuleContext<'_>,
        definition: &TypeDefinition,
    ) -> Result<TokenStream> {
        if self.settings.extern_type(&self.schema.qualified_name(definition)).is_some() {
            return Ok(TokenStream::new());
        }
        match &definition.kind {
            TypeKind::Struct(structure) => self.struct_items(context, definition, structure),
            TypeKind::Enum(enumeration) => self.enum_items(context, definition, enumeration),
            TypeKind::Flags(flags) => Ok(self.flags_items(context, definition, flags)),
            TypeKind::Newtype(newtype) => Ok(self.newtype_items(context, definition, newtype)),
        }
    }

    /// Documentation, deprecation, derives and attributes of a type, without the derives in `implemented`,
    /// for which the caller generates an implementation.
    pub(crate) fn type_head(&self, definition: &TypeDefinition, implemented: &[Derive]) -> TokenStream {
        let path = self.schema.qualified_name(definition);
        let kind = match &definition.kind {
            TypeKind::Struct(_) => "struct",
            TypeKind::Enum(enumeration) if enumeration.error => "error",
            TypeKind::Enum(_) => "enum",
            TypeKind::Flags(_) => "flags",
            TypeKind::Newtype(_) => "newtype",
        };
        let docs = documentation::declared_or(&definition.docs, &format!("The {kind} `{path}`."));
        let deprecated = deprecation(&definition.attributes);
        let extras = self.derives.extras(definition.id);
        let derive_attribute =
            self.derive_attribute(self.derives.of(definition.id).without(implemented), extras);
        let attributes = self.settings.type_attributes(&path);
        quote!(#docs #deprecated #derive_attribute #attributes)
    }

    /// `#[derive(…)]`, and the path to serde if it is derived.
    pub(crate) fn derive_attribute(&self, derives: DeriveSet, extras: &[syn::Path]) -> TokenStream {
        let paths = derives.paths(&self.codegen());
        let derive = if paths.is_empty() && extras.is_empty() {
            TokenStream::new()
        } else {
            quote!(#[derive(#(#paths,)* #(#extras,)*)])
        };
        if uses_serde(derives) {
            let serde = format!("{}::serde", self.codegen_text());
            quote!(#derive #[serde(crate = #serde)])
        } else {
            derive
        }
    }

    /// Documentation and attributes of a field.
    pub(crate) fn field_head(
        &self,
        context: &ModuleContext<'_>,
        path: &str,
        field: &Field,
        derives: DeriveSet,
    ) -> TokenStream {
        let is_named = !field.name.starts_with(|first: char| first.is_ascii_digit());
        let docs = if is_named {
            documentation::declared_or(&field.docs, &format!("The field `{}`.", field.name))
        } else {
            documentation::declared(&field.docs)
        };
        let deprecated = deprecation(&field.attributes);
        let path = format!("{path}.{}", field.name);
        let attributes = self.settings.field_attributes(&path);
        let mut serde = TokenStream::new();
        if uses_serde(derives) {
            if field.wire_name() != kaa_idl::casing::member_case(&field.name)
                && !field.wire_name().starts_with(char::is_numeric)
            {
                let name = field.wire_name();
                serde.extend(quote!(#[serde(rename = #name)]));
            }
            serde.extend(serde_with(context, &field.ty));
        }
        quote!(#docs #deprecated #serde #(#attributes)*)
    }

    /// The attribute for the value that serde uses if the field is missing.
    fn serde_default(&self, owner: Option<&Ident>, field: &Field, derives: DeriveSet) -> TokenStream {
        let Some(default) = &field.default else { return TokenStream::new() };
        if !derives.contains(Derive::Deserialize) {
            return TokenStream::new();
        }
        if self.is_type_default(&field.ty, default) {
            return quote!(#[serde(default)]);
        }
        owner.map_or_else(TokenStream::new, |owner| {
            let function = format!("{owner}::{}", default_name(field));
            quote!(#[serde(default = #function)])
        })
    }

    /// [`Self::field_head`] with [`Self::serde_default`], for a field of a variant.
    pub(crate) fn variant_field_head(
        &self,
        context: &ModuleContext<'_>,
        path: &str,
        field: &Field,
        derives: DeriveSet,
    ) -> TokenStream {
        let head = self.field_head(context, path, field, derives);
        let default = self.serde_default(None, field, derives);
        quote!(#head #default)
    }

    /// The module that serializes long arrays, if the package has a field of such a type.
    pub(crate) fn serde_array(&self, context: &ModuleContext<'_>) -> TokenStream {
        let package = context.package;
        let types = package.types.iter().filter_map(|id| self.schema.type_definition(*id));
        let methods =
            package.services.iter().flat_map(|service| service.server.iter().chain(&service.client));
        let mut fields =
            types.flat_map(|definition| field_types(&definition.kind)).chain(methods.flat_map(|method| {
                method.parameters.iter().filter(|field| field.default_is_written).map(|field| &field.ty)
            }));
        if !fields.any(is_long_array) {
            return TokenStream::new();
        }
        let module = context.local(SERDE_ARRAY);
        let codegen = self.codegen();
        let docs = documentation::generated(&[
            "serde functions for arrays of any length; serde itself supports at most 32 elements.",
        ]);
        quote! {
            #docs
            mod #module {
                pub(super) fn serialize<
                    S: #codegen::serde::Serializer,
                    T: #codegen::serde::Serialize,
                    const N: usize,
                >(
                    array: &[T; N],
                    serializer: S,
                ) -> ::core::result::Result<S::Ok, S::Error> {
                    #codegen::serde::Serializer::collect_seq(serializer, array)
                }
                pub(super) fn deserialize<
                    'de,
                    D: #codegen::serde::Deserializer<'de>,
                    T: #codegen::serde::Deserialize<'de>,
                    const N: usize,
                >(
                    deserializer: D,
                ) -> ::core::result::Result<[T; N], D::Error> {
                    let elements: ::std::vec::Vec<T> = #codegen::serde::Deserialize::deserialize(deserializer)?;
                    ::core::convert::TryFrom::try_from(elements).map_err(|elements: ::std::vec::Vec<T>| {
                        #codegen::serde::de::Error::invalid_length(
                            elements.len(), &"an array of another length"
                        )
                    })
                }
            }
        }
    }

    fn struct_items(
        &self,
        context: &ModuleContext<'_>,
        definition: &TypeDefinition,
        structure: &Struct,
    ) -> Result<TokenStream> {
        let path = self.schema.qualified_name(definition);
        let name = names::identifier(&definition.name);
        let derives = self.derives.of(definition.id);
        let fields: Vec<&Field> = structure.fields.iter().filter(|field| !field.tombstone).collect();
        let manual_default =
            derives.contains(Derive::Default) && fields.iter().any(|field| self.has_own_default(field));
        let head = self.type_head(definition, if manual_default { &[Derive::Default] } else { &[] });
        let declared = fields.iter().map(|field| {
            let head = self.field_head(context, &path, field, derives);
            let default = self.serde_default(Some(&name), field, derives);
            let ty = self.rust_type(context, &format!("{path}.{}", field.name), &field.ty);
            let field = names::member(&field.name);
            quote!(#head #default pub #field: #ty,)
        });
        let structure_item = quote!(#head pub struct #name { #(#declared)* });
        let constructor = self.constructor(context, &path, &fields);
        let defaults = self.default_functions(context, &path, &fields);
        let default =
            if manual_default { self.default_implementation(&name, &fields) } else { TokenStream::new() };
        let wire = self.struct_wire(context, definition, structure)?;
        Ok(quote! {
            #structure_item
            impl #name { #constructor #defaults }
            #default
            #wire
        })
    }

    /// `T::new(…)` with the fields without a default as parameters.
    fn constructor(&self, context: &ModuleContext<'_>, path: &str, fields: &[&Field]) -> TokenStream {
        let (bindings, _) = context.bindings(fields.iter().map(|field| field.name.as_str()), &[]);
        let mut parameters = Vec::new();
        let mut values = Vec::new();
        for (field, binding) in fields.iter().zip(&bindings) {
            let name = names::member(&field.name);
            if let Some(default) = &field.default {
                let value = if self.has_own_default(field) {
                    let function = default_identifier(field);
                    quote!(Self::#function())
                } else {
                    self.value(context, &field.ty, default)
                };
                values.push(quote!(#name: #value));
                continue;
            }
            let ty = self.rust_type(context, &format!("{path}.{}", field.name), &field.ty);
            let (ty, value) = self.argument(&field.ty, &ty, binding);
            parameters.push(quote!(#binding: #ty));
            values.push(initialiser(&name, &value));
        }
        let sentence = if parameters.len() == fields.len() {
            "Creates a value from its fields."
        } else {
            "Creates a value from these fields. All other fields have their default value."
        };
        let docs = documentation::generated(&[sentence]);
        quote!(#docs #[must_use] pub fn new(#(#parameters),*) -> Self { Self { #(#values),* } })
    }

    /// A function for each default that differs from the default of the field's type.
    fn default_functions(&self, context: &ModuleContext<'_>, path: &str, fields: &[&Field]) -> TokenStream {
        let mut functions = TokenStream::new();
        for field in fields.iter().filter(|field| self.has_own_default(field)) {
            let Some(default) = &field.default else { continue };
            let function = default_identifier(field);
            let ty = self.rust_type(context, &format!("{path}.{}", field.name), &field.ty);
            let value = self.value(context, &field.ty, default);
            functions.extend(quote!(fn #function() -> #ty { #value }));
        }
        functions
    }

    fn default_implementation(&self, name: &Ident, fields: &[&Field]) -> TokenStream {
        let values = fields.iter().map(|field| {
            let name = names::member(&field.name);
            if self.has_own_default(field) {
                let function = default_identifier(field);
                quote!(#name: Self::#function())
            } else {
                quote!(#name: ::core::default::Default::default())
            }
        });
        quote! {
            impl ::core::default::Default for #name {
                fn default() -> Self { Self { #(#values),* } }
            }
        }
    }

    /// Whether a field has a default that differs from the default of its type.
    pub(crate) fn has_own_default(&self, field: &Field) -> bool {
        field.default.as_ref().is_some_and(|default| !self.is_type_default(&field.ty, default))
    }

    /// The type of a parameter, and the expression that converts it to the field's type. Text, bytes and
    /// newtypes of them accept anything that converts into them. Numbers do not, because the type of a
    /// literal would be ambiguous.
    pub(crate) fn argument(
        &self,
        ty: &Type,
        rust_type: &TokenStream,
        binding: &Ident,
    ) -> (TokenStream, TokenStream) {
        let is_text = |ty: &Type| matches!(ty, Type::String(_) | Type::Bytes(_));
        let converts = match ty {
            Type::Named { id, boxed: false } => matches!(
                self.definition(*id),
                Some((definition, None))
                    if matches!(&definition.kind, TypeKind::Newtype(newtype) if is_text(&newtype.inner))
            ),
            _ => is_text(ty),
        };
        if converts {
            (quote!(impl ::core::convert::Into<#rust_type>), quote!(::core::convert::Into::into(#binding)))
        } else {
            (rust_type.clone(), quote!(#binding))
        }
    }

    /// Whether this type implements `Display`.
    pub(crate) fn has_display(&self, ty: &Type) -> bool {
        match ty {
            Type::Option(_) | Type::Vec(..) | Type::Set(..) | Type::Map(..) | Type::Array(..) => false,
            Type::Bytes(_) | Type::Duration => false,
            Type::Named { id, .. } => match self.definition(*id) {
                Some((definition, None)) => match &definition.kind {
                    TypeKind::Enum(enumeration) => enumeration.error,
                    TypeKind::Newtype(newtype) => self.has_display(&newtype.inner),
                    _ => false,
                },
                _ => false,
            },
            _ => true,
        }
    }
}

/// The `#[deprecated(…)]` attribute.
pub(crate) fn deprecation(attributes: &Attributes) -> TokenStream {
    let Some(deprecated) = &attributes.deprecated else { return TokenStream::new() };
    let since = deprecated.since.map(|since| since.to_string());
    match (since, &deprecated.note) {
        (Some(since), Some(note)) => quote!(#[deprecated(since = #since, note = #note)]),
        (Some(since), None) => quote!(#[deprecated(since = #since)]),
        (None, Some(note)) => quote!(#[deprecated(note = #note)]),
        (None, None) => quote!(#[deprecated]),
    }
}

/// `name: value`, or `name` alone if `value` is a variable of that name.
pub(crate) fn initialiser(name: &Ident, value: &TokenStream) -> TokenStream {
    if *name == value.to_string() { quote!(#name) } else { quote!(#name: #value) }
}

/// Whether a type with these derives has serde attributes.
pub(crate) fn uses_serde(derives: DeriveSet) -> bool {
    derives.contains(Derive::Serialize) || derives.contains(Derive::Deserialize)
}

fn default_name(field: &Field) -> String {
    format!("kaa_default_{}", kaa_idl::casing::member_case(&field.name))
}

/// The `serde(with)` attribute for a type that serde does not support.
pub(crate) fn serde_with(context: &ModuleContext<'_>, ty: &Type) -> TokenStream {
    if !is_long_array(ty) {
        return TokenStream::new();
    }
    let module = context.local(SERDE_ARRAY).to_string();
    quote!(#[serde(with = #module)])
}

/// The name of the function that returns a field's default.
pub(crate) fn default_identifier(field: &Field) -> Ident {
    names::identifier(&default_name(field))
}
