//! Proxies: what a program uses to call the other side of a service.
//!
//! Invariants: a proxy is only a handle; its methods only create calls, which start when they are awaited.

use kaa_idl::schema::Returns;
use proc_macro2::TokenStream;
use quote::quote;

use crate::documentation;
use crate::generator::Generator;
use crate::methods::{Parameters, ProxyArguments, Side};
use crate::module_context::ModuleContext;
use crate::names;
use crate::types::deprecation;

impl Generator<'_> {
    /// The proxy that calls one side of a service.
    pub(crate) fn proxy(&self, context: &ModuleContext<'_>, side: Side<'_>) -> TokenStream {
        let codegen = self.codegen();
        let name = side.proxy_name();
        let sentence = format!("Calls a [`{}`] {}.", side.service.name, side.role_name());
        let docs = documentation::generated(&[&sentence]);
        let deprecated = deprecation(&side.service.attributes);
        let methods = side
            .methods()
            .iter()
            .map(|method| self.proxy_method(context, side, &Parameters::new(context, side, method)));
        let module = names::service_module(side.service);
        let marker = side.marker();
        let peer = context.local("peer");
        quote! {
            #docs
            #deprecated
            #[derive(::core::clone::Clone, ::core::fmt::Debug)]
            pub struct #name { peer: #codegen::Peer }
            impl #name { #(#methods)* }
            impl #codegen::Proxy for #name {
                type Role = #codegen::role::#marker;
                const SERVICE: &'static #codegen::ServiceDescriptor = &#module::SERVICE;
                fn from_peer(#peer: #codegen::Peer) -> Self { Self { peer: #peer } }
                fn peer(&self) -> &#codegen::Peer { &self.peer }
            }
        }
    }

    fn proxy_method(
        &self,
        context: &ModuleContext<'_>,
        side: Side<'_>,
        parameters: &Parameters<'_>,
    ) -> TokenStream {
        let codegen = self.codegen();
        let method = parameters.method;
        let name = names::member(&method.name);
        let docs = documentation::declared_or(&method.docs, &format!("Calls `{}`.", method.name));
        let docs = documentation::for_callers(method, docs);
        let deprecated = deprecation(&method.attributes);
        let ProxyArguments { declared, fields, stream } = self.proxy_arguments(context, parameters);
        let module = side.module();
        let call_name = side.call_name(method);
        let call = quote!(&self.peer, #module::#call_name { #(#fields),* });
        let (returns, constructed) = if let Returns::Stream(item) = &method.returns {
            let item = self.rust_type(context, &parameters.path, item);
            let error = method.throws.map(|id| self.path(context, id));
            let error = error.into_iter();
            let constructed = match &stream {
                None => quote!(call(#call)),
                Some(stream) => quote!(call_with_stream(#call, #stream)),
            };
            (quote!(#codegen::Incoming<#item #(, #error)*>), quote!(#codegen::Incoming::#constructed))
        } else if let Some(stream) = &stream {
            (quote!(#codegen::Call<#module::#call_name>), quote!(#codegen::Call::with_stream(#call, #stream)))
        } else {
            let kind =
                if method.oneway { names::identifier("OnewayCall") } else { names::identifier("Call") };
            (quote!(#codegen::#kind<#module::#call_name>), quote!(#codegen::#kind::new(#call)))
        };
        quote! {
            #docs
            #deprecated
            pub fn #name(&self, #(#declared),*) -> #returns {
                #constructed
            }
        }
    }
}
