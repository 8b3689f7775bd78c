//! The module of a service: its descriptor with the table that peers compare, and a module for each side.
//!
//! Invariants: tables are constants, one line per element, in the order of the schema's table.

use kaa_idl::schema::{ElementEntry, Method, Service, TypeForm};
use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

use crate::documentation;
use crate::error::Result;
use crate::generator::Generator;
use crate::methods::{Side, hexadecimal};
use crate::module_context::ModuleContext;
use crate::names;

impl Generator<'_> {
    /// `pub mod epg { … }`.
    pub(crate) fn service_module(
        &self,
        context: &ModuleContext<'_>,
        service: &Service,
    ) -> Result<TokenStream> {
        let name = names::service_module(service);
        let docs = documentation::generated(&[&format!("The call structs of [`{}`].", service.name)]);
        let descriptor = self.descriptor(context, service);
        let inner = context.service_side();
        let mut sides = TokenStream::new();
        for side in Side::both(service) {
            let module = names::identifier(side.role_name());
            let docs = documentation::generated(&[&format!(
                "Calls to a [`{}`](super::{}) {}.",
                service.name,
                service.name,
                side.role_name()
            )]);
            let mut items = TokenStream::new();
            if self.settings.calls(side.role) {
                for method in side.methods() {
                    items.extend(self.call_struct(&inner, side, method)?);
                }
            }
            if self.settings.implements(side.role) {
                items.extend(self.dispatch(&inner, side));
            }
            sides.extend(quote!(#docs pub mod #module { #items }));
        }
        Ok(quote!(#docs pub mod #name { #descriptor #sides }))
    }

    fn descriptor(&self, context: &ModuleContext<'_>, service: &Service) -> TokenStream {
        let codegen = self.codegen();
        let service_name = names::identifier(&service.name);
        let methods = service.table.methods.iter().map(|method| {
            let id = hexadecimal(u64::from(method.id), 8);
            let signature = hexadecimal(method.signature, 16);
            let throws = hexadecimal(method.throws, 16);
            let name = &method.name;
            let parameters = elements(&method.parameters);
            quote! {
                #codegen::MethodEntry {
                    id: #id, name: #name, signature: #signature, throws: #throws, parameters: #parameters
                }
            }
        });
        let types = service.table.types.iter().map(|entry| {
            let form = form(entry.form);
            let name = &entry.name;
            let elements = elements(&entry.elements);
            quote! {
                #codegen::TypeEntry { name: #name, form: #codegen::TypeForm::#form, elements: #elements }
            }
        });
        let sides = Side::both(service).map(|side| {
            let field = format_ident!("{}_methods", side.role_name());
            let descriptors =
                side.methods().iter().map(|method| self.method_descriptor_of(context, side, method));
            quote!(#field: &[#(#descriptors),*],)
        });
        quote! {
            pub(super) static SERVICE: #codegen::ServiceDescriptor = #codegen::ServiceDescriptor {
                name: super::#service_name::NAME,
                fingerprint: super::#service_name::FINGERPRINT,
                table: #codegen::ServiceTable { methods: &[#(#methods),*], types: &[#(#types),*] },
                #(#sides)*
            };
            const fn element(
                name: &'static ::core::primitive::str,
                tag: u64,
                hash: u64,
                has_default: bool,
            ) -> #codegen::ElementEntry {
                #codegen::ElementEntry { name, tag, hash, has_default }
            }
        }
    }

    /// A method's descriptor in the service's list: that of the call struct, if it is generated.
    fn method_descriptor_of(
        &self,
        context: &ModuleContext<'_>,
        side: Side<'_>,
        method: &Method,
    ) -> TokenStream {
        if self.settings.calls(side.role) {
            let codegen = self.codegen();
            let (module, call) = (names::identifier(side.role_name()), side.call_name(method));
            quote!(<#module::#call as #codegen::Method>::DESCRIPTOR)
        } else {
            self.method_descriptor(side, method, &context.service_module())
        }
    }

    /// The expression for a method's descriptor.
    pub(crate) fn method_descriptor(
        &self,
        side: Side<'_>,
        method: &Method,
        context: &ModuleContext<'_>,
    ) -> TokenStream {
        let codegen = self.codegen();
        let service = names::identifier(&side.service.name);
        let service = context.own(&quote!(#service));
        let id = hexadecimal(u64::from(method.id), 8);
        let name = method.wire_name();
        let attributes = &method.attributes;
        let (arguments, returns) = (method.stream.is_some(), method.returns.is_stream());
        let set = [
            method.oneway.then(|| quote!(oneway: true,)),
            attributes.idempotent.then(|| quote!(idempotent: true,)),
            attributes.detached.then(|| quote!(detached: true,)),
            attributes.timeout.map(|timeout| {
                let seconds = Literal::u64_unsuffixed(timeout.as_secs());
                let nanoseconds = Literal::u32_unsuffixed(timeout.subsec_nanos());
                let duration = quote!(::core::time::Duration::new(#seconds, #nanoseconds));
                quote!(timeout: ::core::option::Option::Some(#duration),)
            }),
            (arguments || returns)
                .then(|| quote!(streams: #codegen::Streams { arguments: #arguments, returns: #returns },)),
        ];
        let plain = quote!(#codegen::MethodDescriptor::new(#id, #service::NAME, #name));
        if set.iter().all(Option::is_none) {
            return quote!(&#plain);
        }
        quote!(&#codegen::MethodDescriptor { #(#set)* ..#plain })
    }
}

fn elements(elements: &[ElementEntry]) -> TokenStream {
    let entries = elements.iter().map(|element| {
        let (name, has_default) = (&element.name, element.has_default);
        let tag = Literal::u64_unsuffixed(element.tag);
        let hash = hexadecimal(element.hash, 16);
        quote!(element(#name, #tag, #hash, #has_default))
    });
    quote!(&[#(#entries),*])
}

fn form(form: TypeForm) -> proc_macro2::Ident {
    format_ident!(
        "{}",
        match form {
            TypeForm::Struct => "Struct",
            TypeForm::SealedStruct => "SealedStruct",
            TypeForm::Enum => "Enum",
            TypeForm::SealedEnum => "SealedEnum",
            TypeForm::Flags => "Flags",
        }
    )
}
