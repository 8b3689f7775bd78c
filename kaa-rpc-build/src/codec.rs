//! Encoding and decoding of generated types: `Wire` implementations, and code for the fields of arguments.
//!
//! Invariants: fields are encoded and decoded in the order of the schema; a tombstone keeps its slot; unless
//! the owner is sealed, fields with a default may be missing at the end.

use kaa_idl::schema::{Enum, Field, Payload, Struct, Type, TypeDefinition, Value, Variant};
use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};

use crate::error::{Error, Result};
use crate::generator::Generator;
use crate::module_context::ModuleContext;
use crate::names;
use crate::traverse::payload_fields;
use crate::types::default_identifier;

/// The fields of a struct or variant, or the parameters of a method.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'a> {
    /// The qualified name of the owner, as settings and errors use it.
    pub(crate) path: &'a str,
    pub(crate) fields: &'a [Field],
    pub(crate) sealed: bool,
    /// The qualified name of the options struct that holds the fields with a written default, if there is
    /// one.
    pub(crate) options: Option<&'a str>,
    /// Whether `Self` has a function for every default that differs from the default of the field's type.
    pub(crate) default_functions: bool,
}

impl Fields<'_> {
    /// The qualified name of a field, as settings and errors use it.
    fn path_of(&self, field: &Field) -> String {
        let owner = self.options.filter(|_| field.default_is_written).unwrap_or(self.path);
        format!("{owner}.{}", field.name)
    }

    /// Whether the decoded values are used in another order than the schema's: options come last.
    fn is_rearranged(&self) -> bool {
        let mut kinds = self.fields.iter().map(|field| field.default_is_written);
        self.options.is_some() && !kinds.by_ref().skip_while(|optional| !optional).all(|optional| optional)
    }
}

/// The code that decodes fields.
pub(crate) struct Decoding {
    /// Statements to run first. Empty if the values are used in the order of the schema.
    pub(crate) statements: TokenStream,
    /// One expression per field, in order, without tombstones.
    pub(crate) values: Vec<TokenStream>,
}

impl Generator<'_> {
    /// `impl Wire` of a struct.
    pub(crate) fn struct_wire(
        &self,
        context: &ModuleContext<'_>,
        definition: &TypeDefinition,
        structure: &Struct,
    ) -> Result<TokenStream> {
        let path = self.schema.qualified_name(definition);
        let fields = Fields {
            path: &path,
            fields: &structure.fields,
            sealed: structure.sealed,
            options: None,
            default_functions: true,
        };
        let (encoder, decoder, value) =
            (context.local("encoder"), context.local("decoder"), context.local("value"));
        let encode = self.encode_fields(context, fields, &encoder, |field| {
            let field = names::member(&field.name);
            quote!(&#value.#field)
        })?;
        let decoding = self.decode_fields(context, fields, &decoder);
        let names =
            structure.fields.iter().filter(|field| !field.tombstone).map(|field| names::member(&field.name));
        let (statements, values) = (decoding.statements, decoding.values);
        let body = quote!(#statements ::core::result::Result::Ok(Self { #(#names: #values,)* }));
        let (minimum, encode, decode) = if structure.sealed {
            (
                self.sealed_minimum(context, fields),
                quote!(#encode ::core::result::Result::Ok(())),
                quote!(#decoder.sealed(#path, |#decoder| { #body })),
            )
        } else {
            (
                quote!(1),
                quote!(#encoder.structure(|#encoder| { #encode ::core::result::Result::Ok(()) })),
                quote!(#decoder.structure(#path, |#decoder| { #body })),
            )
        };
        Ok(self.wire(context, definition, &minimum, &encode, &decode))
    }

    /// `impl Wire` of a newtype or flags.
    pub(crate) fn newtype_wire(
        &self,
        context: &ModuleContext<'_>,
        definition: &TypeDefinition,
        inner: &Type,
    ) -> TokenStream {
        let codegen = self.codegen();
        let shape = self.shape(context, &self.schema.qualified_name(definition), inner);
        let (encoder, decoder, value) =
            (context.local("encoder"), context.local("decoder"), context.local("value"));
        let inner = quote!(<#shape as #codegen::Wire>);
        self.wire(
            context,
            definition,
            &quote!(#inner::MIN_SIZE; const NESTS: bool = #inner::NESTS),
            &quote!(#inner::encode(&#value.0, #encoder)),
            &quote!(::core::result::Result::Ok(Self(#inner::decode(#decoder)?))),
        )
    }

    /// `impl Wire` of an enum.
    pub(crate) fn enum_wire(
        &self,
        context: &ModuleContext<'_>,
        definition: &TypeDefinition,
        enumeration: &Enum,
    ) -> Result<TokenStream> {
        let path = self.schema.qualified_name(definition);
        let codegen = self.codegen();
        let (encoder, decoder, value) =
            (context.local("encoder"), context.local("decoder"), context.local("value"));
        let tag = context.local("tag");
        let mut encode_arms = Vec::new();
        let mut decode_arms = Vec::new();
        for variant in &enumeration.variants {
            encode_arms.push(self.encode_variant(context, &path, enumeration.sealed, variant)?);
            decode_arms.push(self.decode_variant(context, &path, enumeration.sealed, variant));
        }
        let (encode, decode) = if enumeration.sealed {
            let encode = if encode_arms.is_empty() {
                quote!(match *#value {})
            } else {
                quote!(match #value { #(#encode_arms)* })
            };
            let decode = quote! {
                #decoder.sealed(#path, |#decoder| match #decoder.sealed_tag()? {
                    #(#decode_arms)*
                    #tag => ::core::result::Result::Err(#codegen::DecodeError::unknown_tag(#path, #tag)),
                })
            };
            (encode, decode)
        } else {
            let unknown = context.local("unknown");
            let encode = quote! {
                match #value { #(#encode_arms)* Self::Unknown(#unknown) => #encoder.unknown_variant(#unknown), }
            };
            let decode = quote! {
                #decoder.variant(#path, |#tag, #decoder| match #tag {
                    #(#decode_arms)*
                    _ => ::core::result::Result::Ok(Self::Unknown(#decoder.unknown_variant(#tag))),
                })
            };
            (encode, decode)
        };
        Ok(self.wire(context, definition, &quote!(1), &encode, &decode))
    }

    /// Statements that encode fields; `access` gives a reference to a field's value.
    pub(crate) fn encode_fields(
        &self,
        context: &ModuleContext<'_>,
        fields: Fields<'_>,
        encoder: &Ident,
        access: impl Fn(&Field) -> TokenStream,
    ) -> Result<TokenStream> {
        let mut statements = TokenStream::new();
        for field in fields.fields {
            let path = fields.path_of(field);
            if field.tombstone {
                let zero = self.zeros.of(&field.ty).ok_or_else(|| Error::Unsupported {
                    path,
                    problem: "is reserved, but its type has no zero value to send in its place".to_owned(),
                })?;
                let zero = Literal::byte_string(&zero);
                statements.extend(quote!(#encoder.tombstone(#zero)?;));
            } else {
                let shape = self.shape(context, &path, &field.ty);
                let (name, value) = (field.wire_name(), access(field));
                statements.extend(quote!(#encoder.field::<#shape>(#name, #value)?;));
            }
        }
        Ok(statements)
    }

    /// Code that decodes fields. The expressions must be evaluated in order.
    pub(crate) fn decode_fields(
        &self,
        context: &ModuleContext<'_>,
        fields: Fields<'_>,
        decoder: &Ident,
    ) -> Decoding {
        let mut statements = TokenStream::new();
        let mut values = Vec::new();
        // A tombstone is skipped by a statement; the other fields must be statements too, or the order
        // changes.
        let in_statements = fields.is_rearranged() || fields.fields.iter().any(|field| field.tombstone);
        for field in fields.fields {
            let path = fields.path_of(field);
            let shape = self.shape(context, &path, &field.ty);
            let name = field.wire_name();
            if field.tombstone {
                statements.extend(quote!(#decoder.tombstone::<#shape>(#name)?;));
                continue;
            }
            let value = match &field.default {
                _ if fields.sealed => quote!(#decoder.sealed_field::<#shape>(#name)?),
                Some(default) => {
                    let default = self.default_function(context, fields, field, default);
                    quote!(#decoder.field_or::<#shape>(#name, #default)?)
                }
                None => quote!(#decoder.field::<#shape>(#name)?),
            };
            if in_statements {
                let local = context.local(&values.len().to_string());
                statements.extend(quote!(let #local = #value;));
                values.push(quote!(#local));
            } else {
                values.push(value);
            }
        }
        Decoding { statements, values }
    }

    /// An expression for a function that returns a field's default.
    fn default_function(
        &self,
        context: &ModuleContext<'_>,
        fields: Fields<'_>,
        field: &Field,
        default: &Value,
    ) -> TokenStream {
        if self.is_type_default(&field.ty, default) {
            quote!(::core::default::Default::default)
        } else if fields.default_functions {
            let function = default_identifier(field);
            quote!(Self::#function)
        } else {
            let value = self.value(context, &field.ty, default);
            quote!(|| #value)
        }
    }

    fn encode_variant(
        &self,
        context: &ModuleContext<'_>,
        enum_path: &str,
        sealed: bool,
        variant: &Variant,
    ) -> Result<TokenStream> {
        let name = names::identifier(&variant.name);
        let tag = Literal::u32_unsuffixed(variant.tag);
        let encoder = context.local("encoder");
        let path = format!("{enum_path}.{}", variant.name);
        let fields = Fields {
            path: &path,
            fields: payload_fields(&variant.payload),
            sealed,
            options: None,
            default_functions: false,
        };
        let pattern = variant_pattern(context, variant);
        let body = self.encode_fields(context, fields, &encoder, |field| {
            let binding = field_binding(context, fields.fields, field);
            quote!(#binding)
        })?;
        Ok(match (&variant.payload, sealed) {
            (Payload::Unit, false) => quote!(Self::#name => #encoder.unit_variant(#tag),),
            (Payload::Unit, true) => quote!(Self::#name => #encoder.sealed_tag(#tag),),
            (_, false) => quote! {
                Self::#name #pattern => #encoder.variant(#tag, |#encoder| {
                    #body
                    ::core::result::Result::Ok(())
                }),
            },
            (_, true) => quote! {
                Self::#name #pattern => { #encoder.sealed_tag(#tag)?; #body ::core::result::Result::Ok(()) }
            },
        })
    }

    fn decode_variant(
        &self,
        context: &ModuleContext<'_>,
        enum_path: &str,
        sealed: bool,
        variant: &Variant,
    ) -> TokenStream {
        let name = names::identifier(&variant.name);
        let tag = Literal::u32_unsuffixed(variant.tag);
        let path = format!("{enum_path}.{}", variant.name);
        let fields = Fields {
            path: &path,
            fields: payload_fields(&variant.payload),
            sealed,
            options: None,
            default_functions: false,
        };
        let Decoding { statements, values } = self.decode_fields(context, fields, &context.local("decoder"));
        let value = match &variant.payload {
            Payload::Unit => quote!(Self::#name),
            Payload::Tuple(_) => quote!(Self::#name(#(#values),*)),
            Payload::Record(fields) => {
                let names =
                    fields.iter().filter(|field| !field.tombstone).map(|field| names::member(&field.name));
                quote!(Self::#name { #(#names: #values,)* })
            }
        };
        if statements.is_empty() {
            quote!(#tag => ::core::result::Result::Ok(#value),)
        } else {
            quote!(#tag => { #statements ::core::result::Result::Ok(#value) })
        }
    }

    /// The smallest encoded size of a sealed struct, in bytes.
    fn sealed_minimum(&self, context: &ModuleContext<'_>, fields: Fields<'_>) -> TokenStream {
        let codegen = self.codegen();
        let sizes = fields.fields.iter().map(|field| {
            let shape = self.shape(context, &fields.path_of(field), &field.ty);
            quote!(<#shape as #codegen::Wire>::MIN_SIZE)
        });
        let sizes: Vec<TokenStream> = sizes.collect();
        if sizes.is_empty() { quote!(0) } else { quote!(#(#sizes)+*) }
    }

    fn wire(
        &self,
        context: &ModuleContext<'_>,
        definition: &TypeDefinition,
        minimum: &TokenStream,
        encode: &TokenStream,
        decode: &TokenStream,
    ) -> TokenStream {
        let codegen = self.codegen();
        let name = names::identifier(&definition.name);
        let (encoder, decoder, value) =
            (context.local("encoder"), context.local("decoder"), context.local("value"));
        let foreign = foreign_constant(self.foreign.is_declared_foreign(definition.id));
        quote! {
            impl #codegen::Wire for #name {
                type Value = Self;
                const MIN_SIZE: ::core::primitive::usize = #minimum;
                #foreign
                fn encode(
                    #value: &Self,
                    #encoder: &mut #codegen::Encoder<'_>,
                ) -> ::core::result::Result<(), #codegen::EncodeError> {
                    #encode
                }
                fn decode(
                    #decoder: &mut #codegen::Decoder<'_>,
                ) -> ::core::result::Result<Self, #codegen::DecodeError> {
                    #decode
                }
            }
        }
    }
}

/// A pattern that binds the fields of a variant's payload.
pub(crate) fn variant_pattern(context: &ModuleContext<'_>, variant: &Variant) -> TokenStream {
    let fields: Vec<&Field> =
        payload_fields(&variant.payload).iter().filter(|field| !field.tombstone).collect();
    let bindings = fields.iter().map(|field| field_binding(context, payload_fields(&variant.payload), field));
    match &variant.payload {
        Payload::Unit => TokenStream::new(),
        Payload::Tuple(_) => quote!((#(#bindings),*)),
        Payload::Record(_) => {
            let names = fields.iter().map(|field| names::member(&field.name));
            quote!({ #(#names: #bindings),* })
        }
    }
}

/// The variable that [`variant_pattern`] binds a field to.
pub(crate) fn field_binding(context: &ModuleContext<'_>, fields: &[Field], field: &Field) -> Ident {
    let position = fields.iter().position(|other| other.name == field.name).unwrap_or_default();
    format_ident!("{}", context.local(&position.to_string()))
}

/// The constant that marks a type whose encoding runs the user's code.
pub(crate) fn foreign_constant(is_foreign: bool) -> TokenStream {
    if is_foreign {
        quote!(
            const FOREIGN: ::core::primitive::bool = true;
        )
    } else {
        quote!()
    }
}
