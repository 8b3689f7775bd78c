//! Converts names to the cases of Rust, for code generation and for the checks before it.
//!
//! Invariants: an ASCII identifier becomes an ASCII identifier; a conversion does not change its own output.

/// `FooBar`, `fooBar` and `FOO_BAR` become `foo_bar`; `HTTPServer` becomes `http_server`.
#[must_use]
pub fn snake_case(name: &str) -> String {
    let words = words(name);
    let snake = words.iter().map(|word| word.to_ascii_lowercase()).collect::<Vec<_>>().join("_");
    let leading: String = name.chars().take_while(|character| *character == '_').collect();
    format!("{leading}{snake}")
}

/// The Rust name of a field, parameter, method or package: snake case, but a name without capitals is
/// unchanged.
#[must_use]
pub fn member_case(name: &str) -> String {
    if has_upper(name) { snake_case(name) } else { name.to_owned() }
}

/// `foo_bar` and `fooBar` become `FooBar`; `HTTPServer` becomes `HttpServer`.
#[must_use]
pub fn pascal_case(name: &str) -> String {
    let pascal: String = words(name).iter().map(|word| capitalized(word)).collect();
    if pascal.starts_with(|first: char| first.is_ascii_digit()) { format!("_{pascal}") } else { pascal }
}

pub(crate) fn has_upper(name: &str) -> bool {
    name.contains(|character: char| character.is_ascii_uppercase())
}

fn capitalized(word: &str) -> String {
    let mut characters = word.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters.map(|character| character.to_ascii_lowercase())).collect()
}

/// Splits at underscores, before a capital that follows a lower-case letter or a digit, and before the last
/// capital of a run if a lower-case letter follows (`HTTPServer`).
fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut previous = '_';
    let mut characters = name.chars().peekable();
    while let Some(character) = characters.next() {
        let next_is_lower = characters.peek().is_some_and(char::is_ascii_lowercase);
        let boundary = character.is_ascii_uppercase()
            && (previous.is_ascii_lowercase()
                || previous.is_ascii_digit()
                || (previous.is_ascii_uppercase() && next_is_lower));
        if (boundary || character == '_') && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if character != '_' {
            word.push(character);
        }
        previous = character;
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::{member_case, pascal_case, snake_case};

    #[test]
    fn snake_case_splits_words() {
        for (from, to) in [
            ("FooBar", "foo_bar"),
            ("fooBar", "foo_bar"),
            ("FOO_BAR", "foo_bar"),
            ("HTTPServer", "http_server"),
            ("v1", "v1"),
            ("Payload_External", "payload_external"),
            ("_x", "_x"),
            ("set_favourite", "set_favourite"),
            ("A1B", "a1_b"),
        ] {
            assert_eq!(snake_case(from), to, "{from}");
            assert_eq!(snake_case(to), to, "{to}");
        }
    }

    #[test]
    fn member_case_keeps_names_without_capitals() {
        for (from, to) in [("fooBar", "foo_bar"), ("type_", "type_"), ("a__b", "a__b"), ("ID", "id")] {
            assert_eq!(member_case(from), to, "{from}");
        }
    }

    #[test]
    fn pascal_case_joins_words() {
        for (from, to) in [
            ("foo_bar", "FooBar"),
            ("fooBar", "FooBar"),
            ("HTTPServer", "HttpServer"),
            ("_1", "_1"),
            ("foo_1", "Foo1"),
        ] {
            assert_eq!(pascal_case(from), to, "{from}");
        }
    }
}
