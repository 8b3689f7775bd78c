//! Names of the language as Rust identifiers.
//!
//! Invariants: [`identifier`] never panics and never yields a bare keyword; the same name always becomes the same
//! identifier.

use std::collections::BTreeSet;

use kaa_idl::casing::{member_case, pascal_case, snake_case};
use kaa_idl::schema::{Method, Service};
use proc_macro2::{Ident, Span, TokenStream, TokenTree};

/// Every word that any edition reserves; `r#` makes them usable.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro",
    "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "static", "struct", "trait",
    "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Words that not even `r#` makes usable.
const NON_RAW_KEYWORDS: &[&str] = &["self", "Self", "super", "crate", "_"];

/// Types that Rust finds last, so that a module or a type of that name would hide them.
const PRIMITIVES: &[&str] = &[
    "bool", "char", "str", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128",
    "isize", "f16", "f32", "f64", "f128",
];

/// A name as an identifier: raw if it is a keyword, with `_` behind it if even that is not allowed.
pub(crate) fn identifier(name: &str) -> Ident {
    if NON_RAW_KEYWORDS.contains(&name) {
        return Ident::new(&format!("{name}_"), Span::call_site());
    }
    if KEYWORDS.contains(&name) {
        return Ident::new_raw(name, Span::call_site());
    }
    lexed(name).unwrap_or_else(|| Ident::new(&mangled(name), Span::call_site()))
}

/// A name as a module's identifier: one that would hide a primitive type from the module around it gets a `_`.
pub(crate) fn module_identifier(name: &str) -> Ident {
    if PRIMITIVES.contains(&name) { identifier(&format!("{name}_")) } else { identifier(name) }
}

/// Whether a type of this name would hide a primitive that derives spell without a path.
pub(crate) fn hides_primitive(name: &str) -> bool {
    PRIMITIVES.contains(&name)
}

/// The identifier of a field, parameter or method.
pub(crate) fn member(name: &str) -> Ident {
    identifier(&member_case(name))
}

/// The module that holds what belongs to a service.
pub(crate) fn service_module(service: &Service) -> Ident {
    module_identifier(&snake_case(&service.name))
}

/// The name of a method's options struct, whether or not it has one.
pub(crate) fn options_name(method: &Method) -> String {
    match &method.attributes.rust_options {
        Some(name) => name.clone(),
        None => format!("{}Options", pascal_case(&method.name)),
    }
}

/// `wanted`, with as many `_` behind it as it takes to differ from all that is taken; taken from then on.
pub(crate) fn distinct(wanted: &str, taken: &mut BTreeSet<String>) -> String {
    let mut name = wanted.to_owned();
    while !taken.insert(name.clone()) {
        name.push('_');
    }
    name
}

/// The text as Rust's lexer reads it, if that is one identifier.
fn lexed(name: &str) -> Option<Ident> {
    let mut tokens = name.parse::<TokenStream>().ok()?.into_iter();
    match (tokens.next(), tokens.next()) {
        (Some(TokenTree::Ident(identifier)), None) => Some(identifier),
        _ => None,
    }
}

/// What is left of a name that Rust's lexer does not read: only a schema built by hand can hold one.
fn mangled(name: &str) -> String {
    let mut text = String::from("_");
    text.extend(
        name.chars().map(|character| if character.is_ascii_alphanumeric() { character } else { '_' }),
    );
    text.push('_');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_snake_case() {
        for (name, expected) in
            [("fooBar", "foo_bar"), ("type", "r#type"), ("type_", "type_"), ("Type", "r#type"), ("_x", "_x")]
        {
            assert_eq!(member(name).to_string(), expected, "{name}");
        }
    }

    #[test]
    fn identifiers_are_always_identifiers() {
        let cases = [
            ("title", "title"),
            ("type", "r#type"),
            ("gen", "r#gen"),
            ("Self", "Self_"),
            ("crate", "crate_"),
            ("", "__"),
            ("a-b", "_a_b_"),
            ("1", "_1_"),
            ("é", "é"),
        ];
        for (name, expected) in cases {
            assert_eq!(identifier(name).to_string(), expected, "{name}");
        }
        assert_eq!(module_identifier("u64").to_string(), "u64_");
        assert_eq!(module_identifier("type").to_string(), "r#type");
    }

    #[test]
    fn distinct_names_stay_distinct() {
        let mut taken = BTreeSet::from(["cx".to_owned(), "cx_".to_owned()]);
        assert_eq!(distinct("cx", &mut taken), "cx__");
        assert_eq!(distinct("cx", &mut taken), "cx___");
        assert_eq!(distinct("peer", &mut taken), "peer");
    }
}
