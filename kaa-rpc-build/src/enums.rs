//! Enums and errors.
//!
//! Invariants: an open enum ends with the variant `Unknown`, which only decoding creates; an error has a
//! `Display` text for every variant and implements the runtime's marker for declared errors.

use kaa_idl::schema::{Enum, Field, Payload, Type, TypeDefinition, TypeKind, Variant};
use proc_macro2::TokenStream;
use quote::quote;

use crate::codec::{field_binding, variant_pattern};
use crate::derives::{Derive, DeriveSet};
use crate::documentation;
use crate::error::Result;
use crate::generator::Generator;
use crate::module_context::ModuleContext;
use crate::names;
use crate::traverse::payload_fields;
use crate::types::deprecation;

impl Generator<'_> {
    /// All items of an enum or error.
    pub(crate) fn enum_items(
        &self,
        context: &ModuleContext<'_>,
        definition: &TypeDefinition,
        enumeration: &Enum,
    ) -> Result<TokenStream> {
        let path = self.schema.qualified_name(definition);
        let name = names::identifier(&definition.name);
        let derives = self.derives.of(definition.id);
        let head = self.type_head(definition, &[]);
        let default = self.default_variant(&path, derives, enumeration);
        let variants = enumeration.variants.iter().map(|variant| {
            let is_default = default == Some(variant.name.as_str());
            self.variant(context, &path, derives, is_default, variant)
        });
        let unknown = (!enumeration.sealed).then(|| {
            let codegen = self.codegen();
            let docs = documentation::generated(&["A variant that is not in this version of the schema."]);
            quote!(#docs Unknown(#codegen::UnknownVariant),)
        });
        let wire = self.enum_wire(context, definition, enumeration)?;
        let error = enumeration.error.then(|| self.error_items(context, definition, enumeration));
        Ok(quote! {
            #head
            pub enum #name { #(#variants)* #unknown }
            #wire
            #error
        })
    }

    /// The variant to mark with `#[default]`, if `Default` is derived and no attribute marks a variant.
    fn default_variant<'e>(&self, path: &str, derives: DeriveSet, enumeration: &'e Enum) -> Option<&'e str> {
        let is_marked = |variant: &Variant| {
            let attributes = self.settings.field_attributes(&format!("{path}.{}", variant.name));
            attributes.iter().any(|attribute| attribute.path().is_ident("default"))
        };
        if !derives.contains(Derive::Default) || enumeration.variants.iter().any(is_marked) {
            return None;
        }
        let unit = enumeration.variants.iter().find(|variant| variant.payload == Payload::Unit);
        unit.map(|variant| variant.name.as_str())
    }

    fn variant(
        &self,
        context: &ModuleContext<'_>,
        enum_path: &str,
        derives: DeriveSet,
        is_default: bool,
        variant: &Variant,
    ) -> TokenStream {
        let path = format!("{enum_path}.{}", variant.name);
        let docs = documentation::declared_or(&variant.docs, &format!("The variant `{}`.", variant.name));
        let deprecated = deprecation(&variant.attributes);
        let attributes = self.settings.field_attributes(&path);
        let default = is_default.then(|| quote!(#[default]));
        let has_serde = derives.contains(Derive::Serialize) || derives.contains(Derive::Deserialize);
        let rename = (has_serde && variant.wire_name() != variant.name).then(|| {
            let name = variant.wire_name();
            quote!(#[serde(rename = #name)])
        });
        let name = names::identifier(&variant.name);
        let fields = payload_fields(&variant.payload).iter().filter(|field| !field.tombstone).map(|field| {
            let head = self.variant_field_head(context, &path, field, derives);
            let ty = self.rust_type(context, &format!("{path}.{}", field.name), &field.ty);
            (head, names::member(&field.name), ty)
        });
        let payload = match &variant.payload {
            Payload::Unit => TokenStream::new(),
            Payload::Tuple(_) => {
                let fields = fields.map(|(head, _, ty)| quote!(#head #ty));
                quote!((#(#fields),*))
            }
            Payload::Record(_) => {
                let fields = fields.map(|(head, name, ty)| quote!(#head #name: #ty));
                quote!({ #(#fields),* })
            }
        };
        quote!(#docs #deprecated #default #rename #(#attributes)* #name #payload,)
    }

    /// `Display`, `Error` and `DeclaredError`.
    fn error_items(
        &self,
        context: &ModuleContext<'_>,
        definition: &TypeDefinition,
        enumeration: &Enum,
    ) -> TokenStream {
        let codegen = self.codegen();
        let name = names::identifier(&definition.name);
        let (formatter, unknown) = (context.local("formatter"), context.local("unknown"));
        let arms = enumeration.variants.iter().map(|variant| self.display_arm(context, variant));
        let unknown_arm = (!enumeration.sealed).then(|| {
            quote! {
                Self::Unknown(#unknown) => {
                    ::core::write!(#formatter, "unknown error (tag {})", #unknown.tag())
                }
            }
        });
        let matched = if enumeration.variants.is_empty() && enumeration.sealed {
            quote!(match *self {})
        } else {
            quote!(match self { #(#arms)* #unknown_arm })
        };
        let source = self.source_method(context, enumeration);
        quote! {
            impl ::core::fmt::Display for #name {
                fn fmt(&self, #formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result { #matched }
            }
            impl ::std::error::Error for #name { #source }
            impl #codegen::DeclaredError for #name {}
        }
    }

    /// The `Display` arm of a variant.
    fn display_arm(&self, context: &ModuleContext<'_>, variant: &Variant) -> TokenStream {
        let name = names::identifier(&variant.name);
        let formatter = context.local("formatter");
        let fields = payload_fields(&variant.payload);
        let pattern = variant_pattern(context, variant);
        let (format, mentioned) = self.format(variant);
        if mentioned.is_empty() {
            let rest = match &variant.payload {
                Payload::Unit => TokenStream::new(),
                Payload::Tuple(_) => quote!((..)),
                Payload::Record(_) => quote!({ .. }),
            };
            let text = format.replace("{{", "{").replace("}}", "}");
            return quote!(Self::#name #rest => #formatter.write_str(#text),);
        }
        let values = mentioned.iter().map(|field| field_binding(context, fields, field));
        quote!(Self::#name #pattern => ::core::write!(#formatter, #format, #(#values),*),)
    }

    /// A format string with a placeholder for each of the returned fields.
    fn format<'v>(&self, variant: &'v Variant) -> (String, Vec<&'v Field>) {
        let fields = payload_fields(&variant.payload);
        let placeholder = |field: &Field| if self.has_display(&field.ty) { "{}" } else { "{:?}" };
        let mut format = String::new();
        let mut mentioned = Vec::new();
        let Some(display) = &variant.attributes.display else {
            format.push_str(&kaa_idl::casing::snake_case(&variant.name).replace('_', " "));
            let fields: Vec<&Field> = fields.iter().filter(|field| !field.tombstone).collect();
            let placeholders: Vec<String> = fields
                .iter()
                .map(|field| match variant.payload {
                    Payload::Record(_) => format!("{}: {}", field.name, placeholder(field)),
                    _ => placeholder(field).to_owned(),
                })
                .collect();
            match (placeholders.as_slice(), &variant.payload) {
                ([], _) => {}
                ([only], Payload::Tuple(_)) => format.push_str(&format!(": {only}")),
                (several, _) => format.push_str(&format!(" ({})", several.join(", "))),
            }
            return (format, fields);
        };
        for part in parts(display) {
            match part {
                Part::Text(text) => format.push_str(&text.replace('{', "{{").replace('}', "}}")),
                Part::Field(name) => match fields.iter().find(|field| field.name == name && !field.tombstone)
                {
                    Some(field) => {
                        format.push_str(placeholder(field));
                        mentioned.push(field);
                    }
                    None => format.push_str(&format!("{{{{{name}}}}}")),
                },
            }
        }
        (format, mentioned)
    }

    /// `Error::source`: the declared error in a payload, if the `Display` text does not contain it.
    fn source_method(&self, context: &ModuleContext<'_>, enumeration: &Enum) -> TokenStream {
        let mut arms = Vec::new();
        for variant in &enumeration.variants {
            let fields = payload_fields(&variant.payload);
            let (_, mentioned) = self.format(variant);
            let source = fields.iter().find(|field| {
                !field.tombstone
                    && self.is_error(&field.ty)
                    && !mentioned.iter().any(|other| other.name == field.name)
            });
            if let Some(source) = source {
                let name = names::identifier(&variant.name);
                let pattern = variant_pattern(context, variant);
                let binding = field_binding(context, fields, source);
                let boxed = matches!(source.ty, Type::Named { boxed: true, .. });
                let value = if boxed { quote!(&**#binding) } else { quote!(#binding) };
                arms.push(quote!(Self::#name #pattern => ::core::option::Option::Some(#value),));
            }
        }
        if arms.is_empty() {
            return TokenStream::new();
        }
        quote! {
            fn source(&self) -> ::core::option::Option<&(dyn ::std::error::Error + 'static)> {
                match self { #(#arms)* _ => ::core::option::Option::None }
            }
        }
    }

    fn is_error(&self, ty: &Type) -> bool {
        let Type::Named { id, .. } = ty else { return false };
        matches!(
            self.definition(*id),
            Some((definition, None)) if matches!(&definition.kind, TypeKind::Enum(inner) if inner.error)
        )
    }
}

/// A part of a `#[display]` text.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Field(String),
}

/// Splits a `#[display]` text: `{name}` is a field, `{{` and `}}` are braces.
fn parts(display: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut characters = display.chars().peekable();
    while let Some(character) = characters.next() {
        if matches!(character, '{' | '}') && characters.next_if_eq(&character).is_some() {
            text.push(character);
        } else if character == '{' {
            let name: String = characters.by_ref().take_while(|&inside| inside != '}').collect();
            parts.push(Part::Text(std::mem::take(&mut text)));
            parts.push(Part::Field(name.trim().to_owned()));
        } else {
            text.push(character);
        }
    }
    parts.push(Part::Text(text));
    parts
}

#[cfg(test)]
mod tests {
    use super::{Part, parts};

    #[test]
    fn display_texts_are_split() {
        let text = |text: &str| Part::Text(text.to_owned());
        let field = |name: &str| Part::Field(name.to_owned());
        assert_eq!(parts("plain"), [text("plain")]);
        assert_eq!(parts("a {b} c"), [text("a "), field("b"), text(" c")]);
        assert_eq!(parts("{{a}} {0}"), [text("{a} "), field("0"), text("")]);
        assert_eq!(parts("{open"), [text(""), field("open"), text("")]);
    }
}
