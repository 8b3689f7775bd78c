//! Methods, for both sides of a service: parameters and call structs.
//!
//! Invariants: a method's options struct has exactly the parameters with a written default; the options
//! struct is always the last argument, and no parameter has its name; a stream is an argument, but not part
//! of a call struct.

use std::collections::BTreeSet;

use kaa_idl::schema::{Field, Method, Role, Service, StreamParameter};
use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

use crate::codec::Fields;
use crate::derives::Derive;
use crate::documentation;
use crate::error::Result;
use crate::generator::Generator;
use crate::module_context::ModuleContext;
use crate::names;
use crate::types::initialiser;

/// One side of a service.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Side<'a> {
    pub(crate) service: &'a Service,
    pub(crate) role: Role,
}

impl<'a> Side<'a> {
    pub(crate) fn both(service: &'a Service) -> [Self; 2] {
        [Self { service, role: Role::Server }, Self { service, role: Role::Client }]
    }

    /// The methods that this side serves.
    pub(crate) fn methods(self) -> &'a [Method] {
        match self.role {
            Role::Server => &self.service.server,
            Role::Client => &self.service.client,
        }
    }

    pub(crate) fn other(self) -> Self {
        match self.role {
            Role::Server => Self { role: Role::Client, ..self },
            Role::Client => Self { role: Role::Server, ..self },
        }
    }

    /// `server` or `client`.
    pub(crate) fn role_name(self) -> &'static str {
        match self.role {
            Role::Server => "server",
            Role::Client => "client",
        }
    }

    /// `Server` or `Client`.
    pub(crate) fn marker(self) -> Ident {
        match self.role {
            Role::Server => names::identifier("Server"),
            Role::Client => names::identifier("Client"),
        }
    }

    /// `EpgServer`.
    pub(crate) fn trait_name(self) -> Ident {
        names::identifier(&format!("{}{}", self.service.name, self.marker()))
    }

    /// `EpgServerProxy`.
    pub(crate) fn proxy_name(self) -> Ident {
        names::identifier(&format!("{}{}Proxy", self.service.name, self.marker()))
    }

    /// The path of this side's module from the package's.
    pub(crate) fn module(self) -> TokenStream {
        let (service, side) = (names::service_module(self.service), names::identifier(self.role_name()));
        quote!(#service::#side)
    }

    /// The name of a method's call struct, unique within the side.
    pub(crate) fn call_name(self, method: &Method) -> Ident {
        let mut taken = BTreeSet::new();
        for other in self.methods() {
            let mut name = kaa_idl::casing::pascal_case(&other.name);
            if name == "Self" {
                name.push('_');
            }
            let name = names::distinct(&name, &mut taken);
            if std::ptr::eq(other, method) {
                return names::identifier(&name);
            }
        }
        names::identifier(&kaa_idl::casing::pascal_case(&method.name))
    }
}

/// A method, with its parameters split by how callers pass them.
#[derive(Debug)]
pub(crate) struct Parameters<'a> {
    pub(crate) method: &'a Method,
    /// The qualified name of the method, as settings use it.
    pub(crate) path: String,
    /// The values that callers always pass, in order.
    pub(crate) positional: Vec<&'a Field>,
    /// The stream that callers pass, with its position among `positional`.
    pub(crate) stream: Option<(usize, &'a StreamParameter)>,
    /// Parameters with a written default, in order.
    pub(crate) optional: Vec<&'a Field>,
    /// Name and qualified name of the options struct, if there is one.
    pub(crate) options: Option<(String, String)>,
}

/// An argument that callers always pass.
#[derive(Debug, Clone, Copy)]
enum Argument<'a> {
    Value(&'a Field),
    Stream(&'a StreamParameter),
}

impl<'a> Argument<'a> {
    fn name(self) -> &'a str {
        match self {
            Self::Value(field) => &field.name,
            Self::Stream(stream) => &stream.name,
        }
    }
}

/// The parameters of a proxy's method, the initializers of the call struct's fields, and the stream.
#[derive(Debug)]
pub(crate) struct ProxyArguments {
    pub(crate) declared: Vec<TokenStream>,
    pub(crate) fields: Vec<TokenStream>,
    pub(crate) stream: Option<Ident>,
}

impl<'a> Parameters<'a> {
    pub(crate) fn new(context: &ModuleContext<'_>, side: Side<'a>, method: &'a Method) -> Self {
        let live = || method.parameters.iter().filter(|field| !field.tombstone);
        let is_positional = |field: &&Field| !field.tombstone && !field.default_is_written;
        let stream = method.stream.as_deref().map(|stream| {
            // `parameters` does not contain the stream, so its position is the number of parameters before
            // it.
            let before = method.parameters.iter().take(stream.position).filter(is_positional).count();
            (before, stream)
        });
        let optional: Vec<&Field> = live().filter(|field| field.default_is_written).collect();
        let options = (!optional.is_empty() || method.options_requested).then(|| {
            let name = names::options_name(method);
            let path = context.qualified(&name);
            (name, path)
        });
        Self {
            method,
            path: context.qualified(&format!("{}.{}.{}", side.service.name, side.role_name(), method.name)),
            positional: live().filter(|field| !field.default_is_written).collect(),
            stream,
            optional,
            options,
        }
    }

    /// The arguments that callers always pass, in order, with the stream.
    fn arguments(&self) -> Vec<Argument<'a>> {
        let mut arguments: Vec<Argument<'a>> =
            self.positional.iter().map(|field| Argument::Value(field)).collect();
        if let Some((position, stream)) = self.stream {
            arguments.insert(position.min(arguments.len()), Argument::Stream(stream));
        }
        arguments
    }

    /// The qualified name of the stream, as settings use it.
    fn stream_path(&self, stream: &StreamParameter) -> String {
        format!("{}.{}", self.path, stream.name)
    }

    /// All parameters, for the codec.
    pub(crate) fn fields(&self) -> Fields<'_> {
        let options = self.options.as_ref().map(|(_, path)| path.as_str());
        Fields {
            path: &self.path,
            fields: &self.method.parameters,
            sealed: false,
            options,
            default_functions: false,
        }
    }

    /// The path to the options struct from a module.
    pub(crate) fn options_path(&self, context: &ModuleContext<'_>) -> Option<TokenStream> {
        self.options.as_ref().map(|(name, _)| {
            let name = names::identifier(name);
            context.own(&quote!(#name))
        })
    }

    /// The field of the call struct that holds the options.
    fn options_field(&self) -> Ident {
        let mut taken =
            self.positional.iter().map(|field| kaa_idl::casing::member_case(&field.name)).collect();
        names::identifier(&names::distinct("options", &mut taken))
    }

    /// Variables for the arguments, options last, and for `reserved` names, which are changed if an argument
    /// has them.
    pub(crate) fn bindings(
        &self,
        context: &ModuleContext<'_>,
        reserved: &[&str],
    ) -> (Vec<Ident>, Vec<Ident>) {
        let mut extra: Vec<&str> = Vec::new();
        if self.options.is_some() {
            extra.push("options");
        }
        extra.extend(reserved);
        let (mut arguments, mut extra) =
            context.bindings(self.arguments().into_iter().map(Argument::name), &extra);
        if self.options.is_some() {
            arguments.push(extra.remove(0));
        }
        (arguments, extra)
    }
}

impl Generator<'_> {
    /// The types of a handler's arguments, options last.
    pub(crate) fn handler_types(
        &self,
        context: &ModuleContext<'_>,
        parameters: &Parameters<'_>,
    ) -> Vec<TokenStream> {
        let codegen = self.codegen();
        let types = parameters.arguments().into_iter().map(|argument| match argument {
            Argument::Value(field) => self.value_type(context, parameters, field),
            Argument::Stream(stream) => {
                let item = self.rust_type(context, &parameters.stream_path(stream), &stream.item);
                quote!(#codegen::Incoming<#item>)
            }
        });
        types.chain(parameters.options_path(context)).collect()
    }

    fn value_type(
        &self,
        context: &ModuleContext<'_>,
        parameters: &Parameters<'_>,
        field: &Field,
    ) -> TokenStream {
        self.rust_type(context, &format!("{}.{}", parameters.path, field.name), &field.ty)
    }

    /// The parameters of a proxy's method, and how it passes them on.
    pub(crate) fn proxy_arguments(
        &self,
        context: &ModuleContext<'_>,
        parameters: &Parameters<'_>,
    ) -> ProxyArguments {
        let codegen = self.codegen();
        let (bindings, _) = parameters.bindings(context, &[]);
        let mut proxy = ProxyArguments { declared: Vec::new(), fields: Vec::new(), stream: None };
        for (binding, argument) in bindings.iter().zip(parameters.arguments()) {
            match argument {
                Argument::Value(field) => {
                    let ty = self.value_type(context, parameters, field);
                    let (ty, value) = self.argument(&field.ty, &ty, binding);
                    proxy.declared.push(quote!(#binding: #ty));
                    proxy.fields.push(initialiser(&names::member(&field.name), &value));
                }
                Argument::Stream(stream) => {
                    let item = self.rust_type(context, &parameters.stream_path(stream), &stream.item);
                    proxy.declared.push(quote!(#binding: impl #codegen::IntoOutgoing<#item>));
                    proxy.stream = Some(binding.clone());
                }
            }
        }
        if let (Some(ty), Some(binding)) = (parameters.options_path(context), bindings.last()) {
            proxy.declared.push(quote!(#binding: #ty));
            proxy.fields.push(initialiser(&parameters.options_field(), &quote!(#binding)));
        }
        proxy
    }

    /// The shape of an item of a method's stream parameter.
    pub(crate) fn stream_shape(
        &self,
        context: &ModuleContext<'_>,
        parameters: &Parameters<'_>,
    ) -> Option<TokenStream> {
        let (_, stream) = parameters.stream?;
        Some(self.shape(context, &parameters.stream_path(stream), &stream.item))
    }

    /// A method's call struct and its `Method` implementation.
    pub(crate) fn call_struct(
        &self,
        context: &ModuleContext<'_>,
        side: Side<'_>,
        method: &Method,
    ) -> Result<TokenStream> {
        let codegen = self.codegen();
        let parameters = Parameters::new(context, side, method);
        let name = side.call_name(method);
        let service = names::identifier(&side.service.name);
        let docs = format!(
            "A call of `{}` on a [`{service}`](super::super::{service}) {}.",
            method.name,
            side.role_name()
        );
        let docs = documentation::generated(&[&docs]);
        let live: Vec<&Field> = parameters.positional.iter().chain(&parameters.optional).copied().collect();
        let derives = self.derives_of(&parameters.path, &live).without(&[
            Derive::Copy,
            Derive::Default,
            Derive::PartialOrd,
            Derive::Ord,
            Derive::Serialize,
            Derive::Deserialize,
        ]);
        let derive_attribute = self.derive_attribute(derives, &[]);
        let options_field = parameters.options_field();
        let fields = parameters.positional.iter().map(|field| {
            let docs = documentation::declared_or(&field.docs, &format!("The argument `{}`.", field.name));
            let ty = self.rust_type(context, &format!("{}.{}", parameters.path, field.name), &field.ty);
            let field = names::member(&field.name);
            quote!(#docs pub #field: #ty,)
        });
        let options = parameters.options_path(context).map(|path| {
            let docs = documentation::generated(&["The arguments with default values."]);
            quote!(#docs pub #options_field: #path,)
        });
        let encoder = context.local("encoder");
        let encode = self.encode_fields(context, parameters.fields(), &encoder, |field| {
            let member = names::member(&field.name);
            if field.default_is_written {
                quote!(&self.#options_field.#member)
            } else {
                quote!(&self.#member)
            }
        })?;
        let (returns, throws) = self.outcome_shapes(context, &parameters);
        let descriptor = self.method_descriptor(side, method, context);
        let foreign = crate::codec::foreign_constant(self.foreign.has_foreign_arguments(method));
        let stream = self
            .stream_shape(context, &parameters)
            .map(|item| quote!(impl #codegen::StreamMethod for #name { type Item = #item; }));
        Ok(quote! {
            #docs
            #derive_attribute
            pub struct #name { #(#fields)* #options }
            impl #codegen::Method for #name {
                type Returns = #returns;
                type Throws = #throws;
                const DESCRIPTOR: &'static #codegen::MethodDescriptor = #descriptor;
                #foreign
                fn encode_arguments(
                    &self,
                    #encoder: &mut #codegen::Encoder<'_>,
                ) -> ::core::result::Result<(), #codegen::EncodeError> {
                    #encode
                    ::core::result::Result::Ok(())
                }
            }
            #stream
        })
    }

    /// The shapes of a method's result, or of an item of its result stream, and of its declared error.
    pub(crate) fn outcome_shapes(
        &self,
        context: &ModuleContext<'_>,
        parameters: &Parameters<'_>,
    ) -> (TokenStream, TokenStream) {
        let returns = match parameters.method.returns.ty() {
            Some(ty) => self.shape(context, &parameters.path, ty),
            None => quote!(()),
        };
        let throws = match parameters.method.throws {
            Some(id) => {
                self.shape(context, &parameters.path, &kaa_idl::schema::Type::Named { id, boxed: false })
            }
            None => quote!(::core::convert::Infallible),
        };
        (returns, throws)
    }
}

/// A number as a hexadecimal literal.
pub(crate) fn hexadecimal(value: u64, digits: usize) -> TokenStream {
    let text = format!("{value:#0width$x}", width = digits + 2);
    text.parse().unwrap_or_else(|_| {
        let literal = Literal::u64_unsuffixed(value);
        quote!(#literal)
    })
}
