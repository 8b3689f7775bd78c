//! The traits to implement, the dispatch of inbound calls to them, and the type that represents the service.
//!
//! Invariants: dispatch decodes arguments in the order of the schema, and its variables cannot have the name
//! of a parameter; both sides of a service have a trait even without methods, so that adding the first method
//! changes no signature.

use kaa_idl::schema::{Returns, Role, Service};
use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

use crate::documentation;
use crate::generator::Generator;
use crate::methods::{Parameters, Side, hexadecimal};
use crate::module_context::ModuleContext;
use crate::names;
use crate::types::deprecation;

impl Generator<'_> {
    /// The trait of one side. `()` implements it if it has no methods.
    pub(crate) fn service_trait(&self, context: &ModuleContext<'_>, side: Side<'_>) -> TokenStream {
        let name = side.trait_name();
        let sentence = match side.role {
            Role::Server => format!("Implement this to serve [`{}`].", side.service.name),
            Role::Client => format!("Implement this to be a client of [`{}`].", side.service.name),
        };
        let docs = documentation::generated(&[&sentence]);
        let methods = side
            .methods()
            .iter()
            .map(|method| self.trait_method(context, side, &Parameters::new(context, side, method)));
        let nothing = side.methods().is_empty().then(|| quote!(impl #name for () {}));
        quote! {
            #docs
            pub trait #name: ::core::marker::Send + ::core::marker::Sync + 'static { #(#methods)* }
            #nothing
        }
    }

    fn trait_method(
        &self,
        context: &ModuleContext<'_>,
        side: Side<'_>,
        parameters: &Parameters<'_>,
    ) -> TokenStream {
        let codegen = self.codegen();
        let method = parameters.method;
        let name = names::member(&method.name);
        let docs = documentation::declared_or(&method.docs, &format!("Handles calls of `{}`.", method.name));
        let docs = documentation::for_handlers(method, docs);
        let (bindings, handler_context) = parameters.bindings(context, &["cx"]);
        let types = self.handler_types(context, parameters);
        let peer = side.other().proxy_name();
        let failure = match method.throws {
            Some(id) => {
                let error = self.path(context, id);
                quote!(#codegen::Failure<#error>)
            }
            None => quote!(#codegen::Fault),
        };
        let value = match method.returns.ty() {
            Some(ty) => self.rust_type(context, &parameters.path, ty),
            None => quote!(()),
        };
        let unimplemented = quote!(::core::convert::From::from(#codegen::unimplemented_method()));
        let (returns, stub) = if method.returns.is_stream() {
            let item = quote!(::core::result::Result<#value, #failure>);
            // The stub never returns a stream, but `Result` needs a stream type.
            let stub = quote!(::core::result::Result::<#codegen::Never<#item>, _>::Err(#unimplemented));
            (quote!(impl #codegen::Stream<Item = #item> + ::core::marker::Send), stub)
        } else {
            (value, quote!(::core::result::Result::Err(#unimplemented)))
        };
        let body =
            if self.settings.default_stubs { quote!({ ::core::future::ready(#stub) }) } else { quote!(;) };
        quote! {
            #docs
            fn #name(
                &self,
                #(#handler_context: #codegen::Context<#peer>,)*
                #(#bindings: #types),*
            ) -> impl ::core::future::Future<Output = ::core::result::Result<#returns, #failure>>
                + ::core::marker::Send
            #body
        }
    }

    /// The function that dispatches calls of one side to handlers.
    pub(crate) fn dispatch(&self, context: &ModuleContext<'_>, side: Side<'_>) -> TokenStream {
        let codegen = self.codegen();
        let (service, call, answer) =
            (context.local("service"), context.local("call"), context.local("answer"));
        let implementation = names::identifier("KaaService");
        let trait_name = side.trait_name();
        let trait_path = context.own(&quote!(#trait_name));
        let arms = side.methods().iter().map(|method| {
            let id = hexadecimal(u64::from(method.id), 8);
            let body =
                self.dispatch_method(context, side, &Parameters::new(context, side, method), &implementation);
            // Each method gets its own function, because rustc's time grows faster than the length of a
            // function.
            quote! {
                #id => {
                    fn #answer<#implementation: #trait_path>(
                        #service: &::std::sync::Arc<#implementation>,
                        #call: #codegen::InboundCall,
                    ) -> #codegen::Handling {
                        #body
                    }
                    #answer(#service, #call)
                }
            }
        });
        let body = if side.methods().is_empty() {
            quote!(#call.unknown_method())
        } else {
            quote!(match #call.method_id() { #(#arms)* _ => #call.unknown_method(), })
        };
        quote! {
            pub(in super::super) fn dispatch<#implementation: #trait_path>(
                #service: &::std::sync::Arc<#implementation>,
                #call: #codegen::InboundCall,
            ) -> #codegen::Handling {
                #body
            }
        }
    }

    fn dispatch_method(
        &self,
        context: &ModuleContext<'_>,
        side: Side<'_>,
        parameters: &Parameters<'_>,
        implementation: &Ident,
    ) -> TokenStream {
        let (service, call, handler_context) =
            (context.local("service"), context.local("call"), context.local("context"));
        let decoder = context.local("decoder");
        let method = parameters.method;
        let name = names::member(&method.name);
        let trait_name = side.trait_name();
        let trait_path = context.own(&quote!(#trait_name));
        let peer_name = side.other().proxy_name();
        let peer = context.own(&quote!(#peer_name));
        let decoding = self.decode_fields(context, parameters.fields(), &decoder);
        let live = parameters.method.parameters.iter().filter(|field| !field.tombstone);
        let mut positional = Vec::new();
        let mut optional = Vec::new();
        for (field, value) in live.zip(&decoding.values) {
            if field.default_is_written {
                let member = names::member(&field.name);
                optional.push(quote!(#member: #value));
            } else {
                positional.push(value.clone());
            }
        }
        let options = parameters.options_path(context).map(|path| quote!(#path { #(#optional),* }));
        let values: Vec<TokenStream> = positional.into_iter().chain(options).collect();
        let decoded: Vec<Ident> =
            (0..values.len()).map(|position| context.local(&format!("argument{position}"))).collect();
        let mut arguments = decoded.clone();
        let stream = self.stream_shape(context, parameters).map(|item| {
            let incoming = context.local("incoming");
            let taken = quote!(let #incoming = #call.incoming::<#item>(););
            let place = parameters.stream.map_or(0, |(place, _)| place);
            arguments.insert(place.min(arguments.len()), incoming);
            taken
        });
        let statements = decoding.statements;
        let (returns, throws) = self.outcome_shapes(context, parameters);
        let (function, generics) = match (&method.returns, method.throws) {
            _ if method.oneway => ("oneway", quote!(#peer, _, _)),
            (Returns::Stream(_), Some(_)) => ("stream_throws", quote!(#peer, #returns, #throws, _, _)),
            (Returns::Stream(_), None) => ("stream", quote!(#peer, #returns, _, _)),
            (_, Some(_)) => ("unary_throws", quote!(#peer, #returns, #throws, _, _)),
            (_, None) => ("unary", quote!(#peer, #returns, _, _)),
        };
        let function = names::identifier(function);
        let tuple = quote!(::core::result::Result::Ok((#(#values,)*)));
        let decode = if statements.is_empty() { tuple } else { quote!({ #statements #tuple }) };
        let handled = quote! {
            <#implementation as #trait_path>::#name(&#service, #handler_context, #(#arguments),*)
        };
        let sink = context.local("sink");
        let (sinks, run) = if method.returns.is_stream() {
            (quote!(, #sink), quote!(#sink.run(#handled)))
        } else {
            (TokenStream::new(), handled)
        };
        quote! {
            #stream
            let #service = ::std::sync::Arc::clone(#service);
            #call.#function::<#generics>(
                |#decoder| #decode,
                move |#handler_context, (#(#decoded,)*) #sinks| async move { #run.await },
            )
        }
    }

    /// `Epg`: creates services from implementations, and has the service's name and fingerprint.
    pub(crate) fn service_type(&self, context: &ModuleContext<'_>, service: &Service) -> TokenStream {
        let name = names::identifier(&service.name);
        let docs = documentation::declared_or(
            &service.docs,
            &format!("The service `{}`.", context.qualified(&service.name)),
        );
        let deprecated = deprecation(&service.attributes);
        let qualified = context.qualified(service.wire_name());
        let fingerprint = Literal::byte_string(&service.fingerprint);
        let constructors = Side::both(service)
            .into_iter()
            .filter(|side| self.settings.implements(side.role))
            .map(|side| self.service_constructors(context, side));
        quote! {
            #docs
            #deprecated
            #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
            pub enum #name {}
            impl #name {
                /// The service's qualified name on the wire.
                pub const NAME: &'static ::core::primitive::str = #qualified;
                /// The fingerprint of the service and of all types that it uses.
                pub const FINGERPRINT: [u8; 32] = *#fingerprint;
                #(#constructors)*
            }
        }
    }

    fn service_constructors(&self, context: &ModuleContext<'_>, side: Side<'_>) -> TokenStream {
        let codegen = self.codegen();
        let (trait_name, peer, module) = (side.trait_name(), side.other().proxy_name(), side.module());
        let service_module = names::service_module(side.service);
        let marker = side.marker();
        let shared = names::identifier(side.role_name());
        let per_connection = names::identifier(&format!("{}_with", side.role_name()));
        let shared_docs = documentation::generated(&[&format!(
            "A service whose connections share one implementation of [`{trait_name}`]."
        )]);
        let per_connection_docs = documentation::generated(&[
            &format!("A service with a separate implementation of [`{trait_name}`] for each connection."),
            "",
            "`factory` creates the implementation for the given peer.",
        ]);
        let (service, factory) = (context.local("service"), context.local("factory"));
        let implementation = names::identifier("KaaService");
        quote! {
            #shared_docs
            #[must_use]
            pub fn #shared(#service: impl #trait_name) -> #codegen::Service<#codegen::role::#marker> {
                #codegen::Service::shared(&#service_module::SERVICE, #service, #module::dispatch)
            }
            #per_connection_docs
            #[must_use]
            pub fn #per_connection<#implementation: #trait_name>(
                #factory: impl ::core::ops::Fn(#peer) -> #implementation
                    + ::core::marker::Send + ::core::marker::Sync + 'static,
            ) -> #codegen::Service<#codegen::role::#marker> {
                #codegen::Service::per_connection(&#service_module::SERVICE, #factory, #module::dispatch)
            }
        }
    }
}
