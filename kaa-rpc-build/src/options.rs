//! Options structs: the parameters of a method that have a written default.
//!
//! Invariants: each package has one options struct for all methods that come from the same interface method;
//! a setter never has the name of a trait method that the struct uses.

use std::collections::BTreeSet;

use kaa_idl::schema::Field;
use proc_macro2::TokenStream;
use quote::quote;

use crate::derives::Derive;
use crate::documentation;
use crate::generator::Generator;
use crate::methods::{Parameters, Side};
use crate::module_context::ModuleContext;
use crate::names;

impl Generator<'_> {
    /// The options structs of all methods of the package; methods from the same interface method share one.
    pub(crate) fn options_structs(&self, context: &ModuleContext<'_>) -> TokenStream {
        let mut done = BTreeSet::new();
        let mut items = TokenStream::new();
        for side in context.package.services.iter().flat_map(Side::both) {
            for method in side.methods() {
                let parameters = Parameters::new(context, side, method);
                if let Some((name, path)) = &parameters.options
                    && done.insert(name.clone())
                {
                    items.extend(self.options_struct(context, side, &parameters, name, path));
                }
            }
        }
        items
    }

    fn options_struct(
        &self,
        context: &ModuleContext<'_>,
        side: Side<'_>,
        parameters: &Parameters<'_>,
        name: &str,
        path: &str,
    ) -> TokenStream {
        let fields = &parameters.optional;
        let manual_default = fields.iter().any(|field| self.has_own_default(field));
        let removed: &[Derive] = if manual_default { &[Derive::Default] } else { &[] };
        let derives = self.derives_of(path, fields);
        let derive_attribute = self.derive_attribute(derives.without(removed), &[]);
        let sentence = format!(
            "The arguments of [`{}`]'s `{}` with default values.",
            side.service.name, parameters.method.name
        );
        let docs = documentation::generated(&[&sentence]);
        let attributes = self.settings.type_attributes(path);
        let serde = derives.contains(Derive::Deserialize).then(|| quote!(#[serde(default)]));
        let name = names::identifier(name);
        let mut declared = Vec::new();
        let mut values = Vec::new();
        let mut setters = TokenStream::new();
        for field in fields {
            let head = self.field_head(context, path, field, derives);
            let member = names::member(&field.name);
            let ty = self.rust_type(context, &format!("{path}.{}", field.name), &field.ty);
            declared.push(quote!(#head pub #member: #ty,));
            if let Some(default) = &field.default {
                let value = self.value(context, &field.ty, default);
                values.push(quote!(#member: #value));
            }
            setters.extend(self.setter(context, field, &ty));
        }
        let default = manual_default.then(|| {
            quote! {
                impl ::core::default::Default for #name {
                    fn default() -> Self { Self { #(#values),* } }
                }
            }
        });
        quote! {
            #docs
            #derive_attribute
            #serde
            #attributes
            #[non_exhaustive]
            pub struct #name { #(#declared)* }
            impl #name { #setters }
            #default
        }
    }

    fn setter(&self, context: &ModuleContext<'_>, field: &Field, ty: &TokenStream) -> TokenStream {
        let member = names::member(&field.name);
        // A setter named `clone` or `default` would shadow `options.clone()` or `Options::default()`.
        let mut taken = BTreeSet::from(["clone".to_owned(), "default".to_owned()]);
        let setter =
            names::identifier(&names::distinct(&kaa_idl::casing::member_case(&field.name), &mut taken));
        let (bindings, _) = context.bindings([field.name.as_str()], &[]);
        let docs = documentation::declared_or(&field.docs, &format!("Sets `{}`.", field.name));
        bindings
            .iter()
            .map(|binding| {
                let (ty, value) = self.argument(&field.ty, ty, binding);
                quote! {
                    #docs
                    #[must_use]
                    pub fn #setter(mut self, #binding: #ty) -> Self {
                        self.#member = #value;
                        self
                    }
                }
            })
            .collect()
    }
}
