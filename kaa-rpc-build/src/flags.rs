//! Flags: a newtype around an integer with a constant for each named bit.
//!
//! Invariants: bits without a name are kept, in memory and on the wire.

use kaa_idl::schema::{Flags, TypeDefinition};
use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

use crate::derives::Derive;
use crate::documentation;
use crate::generator::{Generator, scalar_name};
use crate::module_context::ModuleContext;
use crate::names;
use crate::types::deprecation;

/// Associated items of every flags type; a flag with one of these names gets a `_`.
const FUNCTIONS: &[&str] = &[
    "NAMED",
    "empty",
    "all",
    "from_bits_retain",
    "bits",
    "is_empty",
    "contains",
    "intersects",
    "union",
    "difference",
];

impl Generator<'_> {
    /// All items of a flags type.
    pub(crate) fn flags_items(
        &self,
        context: &ModuleContext<'_>,
        definition: &TypeDefinition,
        flags: &Flags,
    ) -> TokenStream {
        let head = self.type_head(definition, &[Derive::Debug]);
        let name = names::identifier(&definition.name);
        let integer = scalar_name(&flags.representation);
        let path = self.schema.qualified_name(definition);
        let constants = flags.flags.iter().map(|flag| {
            let docs = documentation::declared_or(&flag.docs, &format!("The flag `{}`.", flag.name));
            let deprecated = deprecation(&flag.attributes);
            let attributes = self.settings.field_attributes(&format!("{path}.{}", flag.name));
            let flag_name = constant_identifier(&flag.name);
            let value = Literal::u64_unsuffixed(flag.value);
            quote!(#docs #deprecated #(#attributes)* pub const #flag_name: Self = Self(#value);)
        });
        let names = flags.flags.iter().map(|flag| {
            let (text, constant) = (&flag.name, constant_identifier(&flag.name));
            quote!((#text, Self::#constant))
        });
        let count = Literal::usize_unsuffixed(flags.flags.len());
        let functions = functions(context, &integer, flags.flags.iter().map(|flag| flag.value));
        let operators = operators(context, &name);
        let debug = debug(context, &name, &definition.name);
        let wire = self.newtype_wire(context, definition, &flags.representation);
        quote! {
            #head
            pub struct #name(#integer);
            impl #name {
                #(#constants)*
                const NAMED: [(&'static ::core::primitive::str, Self); #count] = [#(#names),*];
                #functions
            }
            #operators
            #debug
            #wire
        }
    }
}

fn constant_identifier(name: &str) -> Ident {
    if FUNCTIONS.contains(&name) { names::identifier(&format!("{name}_")) } else { names::identifier(name) }
}

fn functions(context: &ModuleContext<'_>, integer: &Ident, values: impl Iterator<Item = u64>) -> TokenStream {
    let (bits, other) = (context.local("bits"), context.local("other"));
    let all = Literal::u64_unsuffixed(values.fold(0, |all, value| all | value));
    quote! {
        /// No flags.
        #[must_use]
        pub const fn empty() -> Self { Self(0) }
        /// All named flags.
        #[must_use]
        pub const fn all() -> Self { Self(#all) }
        /// Flags from their bits. Bits without a name are kept.
        #[must_use]
        pub const fn from_bits_retain(#bits: #integer) -> Self { Self(#bits) }
        /// All bits, including those without a name.
        #[must_use]
        pub const fn bits(self) -> #integer { self.0 }
        /// Whether no bit is set.
        #[must_use]
        pub const fn is_empty(self) -> bool { self.0 == 0 }
        /// Whether all flags of `other` are set.
        #[must_use]
        pub const fn contains(self, #other: Self) -> bool { self.0 & #other.0 == #other.0 }
        /// Whether any flag of `other` is set.
        #[must_use]
        pub const fn intersects(self, #other: Self) -> bool { self.0 & #other.0 != 0 }
        /// The flags of `self` and those of `other`.
        #[must_use]
        pub const fn union(self, #other: Self) -> Self { Self(self.0 | #other.0) }
        /// The flags of `self` without those of `other`.
        #[must_use]
        pub const fn difference(self, #other: Self) -> Self { Self(self.0 & !#other.0) }
    }
}

fn operators(context: &ModuleContext<'_>, name: &Ident) -> TokenStream {
    let other = context.local("other");
    quote! {
        impl ::core::ops::BitOr for #name {
            type Output = Self;
            fn bitor(self, #other: Self) -> Self { Self(self.0 | #other.0) }
        }
        impl ::core::ops::BitOrAssign for #name {
            fn bitor_assign(&mut self, #other: Self) { self.0 |= #other.0; }
        }
        impl ::core::ops::BitAnd for #name {
            type Output = Self;
            fn bitand(self, #other: Self) -> Self { Self(self.0 & #other.0) }
        }
        impl ::core::ops::Sub for #name {
            type Output = Self;
            fn sub(self, #other: Self) -> Self { Self(self.0 & !#other.0) }
        }
        impl ::core::ops::Not for #name {
            type Output = Self;
            fn not(self) -> Self { Self(!self.0 & Self::all().0) }
        }
    }
}

/// `Caps(HD | SUBTITLES | 0x80)`.
fn debug(context: &ModuleContext<'_>, name: &Ident, text: &str) -> TokenStream {
    let open = format!("{text}(");
    let (formatter, rest, separator) =
        (context.local("formatter"), context.local("rest"), context.local("separator"));
    let (flag, flag_name) = (context.local("flag"), context.local("name"));
    quote! {
        impl ::core::fmt::Debug for #name {
            fn fmt(&self, #formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                let mut #rest = *self;
                let mut #separator = "";
                #formatter.write_str(#open)?;
                for (#flag_name, #flag) in Self::NAMED {
                    if !#flag.is_empty() && #rest.contains(#flag) {
                        ::core::write!(#formatter, "{}{}", #separator, #flag_name)?;
                        #rest = #rest.difference(#flag);
                        #separator = " | ";
                    }
                }
                if !#rest.is_empty() || #separator.is_empty() {
                    ::core::write!(#formatter, "{}{:#x}", #separator, #rest.0)?;
                }
                #formatter.write_str(")")
            }
        }
    }
}
