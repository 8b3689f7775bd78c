//! Rust identifiers for names in `.kaa` files.
//!
//! Invariants: [`identifier`] never panics and never returns an unescaped keyword; the same name always
//! becomes the same identifier.

use std::collections::BTreeSet;

use kaa_idl::casing::{member_case, pascal_case, snake_case};
use kaa_idl::schema::{Method, Service};
use proc_macro2::{Ident, Span, TokenStream, TokenTree};

/// The keywords of all editions that can be raw identifiers.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro",
    "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "static", "struct", "trait",
    "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// The keywords that cannot be raw identifiers.
const NON_RAW_KEYWORDS: &[&str] = &["self", "Self", "super", "crate", "_"];

/// Primitive types. Rust resolves them last, so a module or type with one of these names hides them.
const PRIMITIVES: &[&str] = &[
    "bool", "char", "str", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128",
    "isize", "f16", "f32", "f64", "f128",
];

/// A name as an identifier: raw if it is a keyword, with a `_` appended if a raw identifier is not allowed.
pub(crate) fn identifier(name: &str) -> Ident {
    if NON_RAW_KEYWORDS.contains(&name) {
        return Ident::new(&format!("{name}_"), Span::call_site());
    }
    if KEYWORDS.contains(&name) {
        return Ident::new_raw(name, Span::call_site());
    }
    lexed(name).unwrap_or_else(|| Ident::new(&mangled(name), Span::call_site()))
}

/// A name as a module's identifier, with a `_` appended if it would hide a primitive type.
pub(crate) fn module_identifier(name: &str) -> Ident {
    if PRIMITIVES.contains(&name) { identifier(&format!("{name}_")) } else { identifier(name) }
}

/// Whether a type of this name would hide a primitive type that derive macros name without a path.
pub(crate) fn hides_primitive(name: &str) -> bool {
    PRIMITIVES.contains(&name)
}

/// The identifier of a field, parameter or method.
pub(crate) fn member(name: &str) -> Ident {
    identifier(&member_case(name))
}

/// The name of a service's module.
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

/// `wanted`, with `_` appended until it is not in `taken`; the result is added to `taken`.
pub(crate) fn distinct(wanted: &str, taken: &mut BTreeSet<String>) -> String {
    let mut name = wanted.to_owned();
    while !taken.insert(name.clone()) {
        name.push('_');
    }
    name
}

/// The text as an identifier, if Rust's lexer accepts it as one.
fn lexed(name: &str) -> Option<Ident> {
    let mut tokens = name.parse::<TokenStream>().ok()?.into_iter();
    match (tokens.next(), tokens.next()) {
        (Some(TokenTree::Ident(identifier)), None) => Some(identifier),
        _ => None,
    }
}

/// An identifier for a name that Rust's lexer rejects. Only a schema built by hand can have such a name.
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
    fn member_names_become_snake_case() {
        for (name, expected) in
            [("fooBar", "foo_bar"), ("type", "r#type"), ("type_", "type_"), ("Type", "r#type"), ("_x", "_x")]
        {
            assert_eq!(member(name).to_string(), expected, "{name}");
        }
    }

    #[test]
    fn every_name_becomes_a_valid_identifier() {
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
    fn taken_names_get_underscores() {
        let mut taken = BTreeSet::from(["cx".to_owned(), "cx_".to_owned()]);
        assert_eq!(distinct("cx", &mut taken), "cx__");
        assert_eq!(distinct("cx", &mut taken), "cx___");
        assert_eq!(distinct("peer", &mut taken), "peer");
    }
}
