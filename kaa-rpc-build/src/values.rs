//! Rust expressions for evaluated values: defaults and constants.
//!
//! Invariants: an expression has its type without help from inference; a constant is a `const` if Rust can
//! evaluate it at compile time, else a `static` that is initialized on first use.

use kaa_idl::schema::{Alias, Constant, Type, TypeKind, Value};
use proc_macro2::{Literal, TokenStream};
use quote::quote;

use crate::documentation;
use crate::generator::{Generator, scalar_name};
use crate::module_context::ModuleContext;
use crate::names;
use crate::types::deprecation;

impl Generator<'_> {
    /// `pub const …`.
    pub(crate) fn constant(&self, context: &ModuleContext<'_>, constant: &Constant) -> TokenStream {
        let docs = documentation::declared_or(&constant.docs, &format!("The constant `{}`.", constant.name));
        let deprecated = deprecation(&constant.attributes);
        let name = names::identifier(&constant.name);
        match self.constant_form(context, &constant.ty, &constant.value) {
            Some((ty, value)) => quote!(#docs #deprecated pub const #name: #ty = #value;),
            None => {
                let ty = self.rust_type(context, "", &constant.ty);
                let value = self.value(context, &constant.ty, &constant.value);
                quote! {
                    #docs
                    #deprecated
                    pub static #name: ::std::sync::LazyLock<#ty> = ::std::sync::LazyLock::new(|| #value);
                }
            }
        }
    }

    /// `pub type …`.
    pub(crate) fn alias(&self, context: &ModuleContext<'_>, alias: &Alias) -> TokenStream {
        let docs = documentation::declared_or(&alias.docs, &format!("The alias `{}`.", alias.name));
        let deprecated = deprecation(&alias.attributes);
        let name = names::identifier(&alias.name);
        let ty = self.rust_type(context, &context.qualified(&alias.name), &alias.ty);
        quote!(#docs #deprecated pub type #name = #ty;)
    }

    /// The expression for a value of a type.
    pub(crate) fn value(&self, context: &ModuleContext<'_>, ty: &Type, value: &Value) -> TokenStream {
        let codegen = self.codegen();
        match (ty, value) {
            (Type::Option(_), Value::None) => quote!(::core::option::Option::None),
            (Type::Option(inner), value) => {
                let inner = self.value(context, inner, value);
                quote!(::core::option::Option::Some(#inner))
            }
            (Type::Named { id, boxed: true }, value) => {
                let inner = self.value(context, &Type::Named { id: *id, boxed: false }, value);
                quote!(::std::boxed::Box::new(#inner))
            }
            (Type::Named { id, .. }, value) => self.named_value(context, *id, value),
            (_, Value::Bool(value)) => quote!(#value),
            (Type::F32 | Type::F64, value) => float(ty, value),
            (_, Value::Unsigned(value)) => {
                let literal = Literal::u128_unsuffixed(*value);
                quote!(#literal)
            }
            (_, Value::Negative(value)) => negative(*value),
            (Type::Char, Value::String(text)) => {
                let character = text.chars().next().unwrap_or_default();
                quote!(#character)
            }
            (Type::Bytes(_), Value::String(text)) => {
                let bytes = Literal::byte_string(text.as_bytes());
                quote!(#codegen::Bytes::from_static(#bytes))
            }
            (_, Value::String(text)) if text.is_empty() => quote!(::std::string::String::new()),
            (_, Value::String(text)) => quote!(::std::string::String::from(#text)),
            _ => quote!(::core::default::Default::default()),
        }
    }

    /// Whether a value equals the `Default` value of its type.
    pub(crate) fn is_type_default(&self, ty: &Type, value: &Value) -> bool {
        match (ty, value) {
            (Type::Option(_), value) => *value == Value::None,
            (Type::Named { id, .. }, value) => match self.definition(*id) {
                Some((definition, None)) => match (&definition.kind, value) {
                    (TypeKind::Newtype(newtype), value) => self.is_type_default(&newtype.inner, value),
                    (TypeKind::Flags(_), Value::Unsigned(0)) | (TypeKind::Struct(_), Value::EmptyMap) => true,
                    _ => false,
                },
                _ => false,
            },
            (_, Value::Bool(value)) => !value,
            (_, Value::Unsigned(value)) => *value == 0,
            (_, Value::Float(value)) => *value == 0.0 && value.is_sign_positive(),
            (_, Value::String(text)) => text.is_empty() && !matches!(ty, Type::Char),
            (_, Value::EmptyList | Value::EmptyMap) => true,
            _ => false,
        }
    }

    fn named_value(
        &self,
        context: &ModuleContext<'_>,
        id: kaa_idl::schema::TypeId,
        value: &Value,
    ) -> TokenStream {
        let path = self.path(context, id);
        let kind = self.schema.type_definition(id).map(|definition| &definition.kind);
        match (kind, value) {
            (Some(TypeKind::Enum(enumeration)), Value::Variant { index, .. }) => {
                match enumeration.variants.get(*index) {
                    Some(variant) => {
                        let name = names::identifier(&variant.name);
                        quote!(#path::#name)
                    }
                    None => quote!(::core::default::Default::default()),
                }
            }
            (Some(TypeKind::Newtype(newtype)), value) => {
                let inner = self.value(context, &newtype.inner, value);
                quote!(#path(#inner))
            }
            (Some(TypeKind::Flags(_)), Value::Unsigned(bits)) => {
                let bits = Literal::u128_unsuffixed(*bits);
                quote!(#path::from_bits_retain(#bits))
            }
            _ => quote!(<#path as ::core::default::Default>::default()),
        }
    }

    /// The type and value of a `const`, or `None` if the value cannot be evaluated at compile time.
    fn constant_form(
        &self,
        context: &ModuleContext<'_>,
        ty: &Type,
        value: &Value,
    ) -> Option<(TokenStream, TokenStream)> {
        let both = |ty: &Type| (self.rust_type(context, "", ty), self.value(context, ty, value));
        match (ty, value) {
            (Type::String(_), Value::String(text)) => {
                Some((quote!(&'static ::core::primitive::str), quote!(#text)))
            }
            (Type::Bytes(_), Value::String(text)) => {
                let bytes = Literal::byte_string(text.as_bytes());
                Some((quote!(&'static [u8]), quote!(#bytes)))
            }
            (Type::Option(inner), value) => {
                let (inner, value) = if *value == Value::None {
                    (self.rust_type(context, "", inner), quote!(::core::option::Option::None))
                } else {
                    let (inner, value) = self.constant_form(context, inner, value)?;
                    (inner, quote!(::core::option::Option::Some(#value)))
                };
                Some((quote!(::core::option::Option<#inner>), value))
            }
            (Type::Vec(..), Value::EmptyList) => {
                Some((self.rust_type(context, "", ty), quote!(::std::vec::Vec::new())))
            }
            (Type::Set(..) | Type::Map(..), _) if self.settings.hash_map("") => None,
            (Type::Set(..), Value::EmptyList) => {
                Some((self.rust_type(context, "", ty), quote!(::std::collections::BTreeSet::new())))
            }
            (Type::Map(..), Value::EmptyMap) => {
                Some((self.rust_type(context, "", ty), quote!(::std::collections::BTreeMap::new())))
            }
            (Type::Named { id, boxed: false }, value) => {
                let (definition, external) = self.definition(*id)?;
                match (&definition.kind, value) {
                    (TypeKind::Enum(_), Value::Variant { .. }) | (TypeKind::Flags(_), Value::Unsigned(_))
                        if external.is_none() =>
                    {
                        Some(both(ty))
                    }
                    (TypeKind::Newtype(newtype), value)
                        if external.is_none()
                            && !matches!(newtype.inner, Type::String(_) | Type::Bytes(_)) =>
                    {
                        self.constant_form(context, &newtype.inner, value)?;
                        Some(both(ty))
                    }
                    _ => None,
                }
            }
            (_, Value::Bool(_) | Value::Unsigned(_) | Value::Negative(_) | Value::Float(_)) => Some(both(ty)),
            (Type::Char, Value::String(_)) => Some(both(ty)),
            _ => None,
        }
    }
}

fn negative(value: i128) -> TokenStream {
    let literal = Literal::u128_unsuffixed(value.unsigned_abs());
    quote!(-#literal)
}

fn float(ty: &Type, value: &Value) -> TokenStream {
    let name = scalar_name(ty);
    match value {
        Value::Unsigned(value) => {
            let text = format!("{value}.0");
            text.parse().unwrap_or_else(|_| quote!(0.0))
        }
        Value::Negative(value) => {
            let text = format!("{}.0", value.unsigned_abs());
            let literal: TokenStream = text.parse().unwrap_or_else(|_| quote!(0.0));
            quote!(-#literal)
        }
        Value::Float(value) if value.is_nan() => quote!(::core::primitive::#name::NAN),
        Value::Float(value) if value.is_infinite() && value.is_sign_negative() => {
            quote!(::core::primitive::#name::NEG_INFINITY)
        }
        Value::Float(value) if value.is_infinite() => quote!(::core::primitive::#name::INFINITY),
        Value::Float(value) => {
            let literal = Literal::f64_unsuffixed(value.abs());
            if value.is_sign_negative() { quote!(-#literal) } else { quote!(#literal) }
        }
        _ => quote!(::core::default::Default::default()),
    }
}
