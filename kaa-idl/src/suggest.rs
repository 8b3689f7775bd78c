//! Names that may be meant: the nearest existing name, built-in types, and this language's type for a type name of
//! another language.
//!
//! Invariants: a suggestion costs at most the length of the word times the total length of the candidates.

/// The candidate nearest to a word, if it is near enough to be a typing error. Used for "did you mean".
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    if word.len() > MAX_WORD_LENGTH {
        return None;
    }
    let limit = if word.len() < 3 { 0 } else { (word.len() / 3).max(1) };
    let mut best: Option<(usize, &'c str)> = None;
    for candidate in candidates {
        if candidate == word || candidate.len().abs_diff(word.len()) > limit {
            continue;
        }
        let distance = if candidate.eq_ignore_ascii_case(word) { 0 } else { distance(word, candidate) };
        let better = best.is_none_or(|(lowest, other)| (distance, candidate) < (lowest, other));
        if distance <= limit && better {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// No suggestions are made for longer words.
const MAX_WORD_LENGTH: usize = 64;

/// The number of insertions, deletions, replacements and swaps of adjacent characters between two words.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    let mut previous_left = '\0';
    for (row, left_character) in left.chars().enumerate() {
        let mut current = vec![row + 1];
        let mut previous_right = '\0';
        for (column, right_character) in right.iter().copied().enumerate() {
            let at = |line: &[usize], column: usize| line.get(column).copied().unwrap_or(usize::MAX / 2);
            let replaced = at(&last, column) + usize::from(left_character != right_character);
            let mut cost = replaced.min(at(&last, column + 1) + 1).min(at(&current, column) + 1);
            let swapped = left_character == previous_right && previous_left == right_character;
            if swapped && column > 0 {
                cost = cost.min(at(&before_last, column - 1) + 1);
            }
            current.push(cost);
            previous_right = right_character;
        }
        before_last = std::mem::replace(&mut last, current);
        previous_left = left_character;
    }
    last.last().copied().unwrap_or(usize::MAX)
}

/// The names of all built-in types.
pub(crate) const BUILT_INS: &[&str] = &[
    "bool",
    "u8",
    "u16",
    "u32",
    "u64",
    "u128",
    "i8",
    "i16",
    "i32",
    "i64",
    "i128",
    "f32",
    "f64",
    "char",
    "String",
    "Bytes",
    "Duration",
    "Timestamp",
    "Uuid",
    "Option",
    "Vec",
    "Set",
    "Map",
];

/// Whether this is the name of a built-in type.
pub(crate) fn is_built_in(name: &str) -> bool {
    BUILT_INS.contains(&name)
}

/// The type of this language for a type name of another language.
pub(crate) fn foreign_type(name: &str) -> Option<&'static str> {
    let meant = match name {
        "string" | "str" | "text" | "Str" | "Text" => "String",
        "int" | "int32" | "sint32" | "Int" | "integer" | "long" => "i32` or `i64",
        "uint" | "uint32" | "fixed32" | "unsigned" => "u32",
        "usize" | "uint64" | "fixed64" => "u64",
        "isize" | "int64" | "sint64" => "i64",
        "int8" => "i8",
        "int16" | "short" => "i16",
        "uint8" | "byte" => "u8",
        "uint16" => "u16",
        "float" | "float32" => "f32",
        "double" | "float64" | "number" => "f64",
        "boolean" | "Bool" => "bool",
        "bytes" | "blob" | "Blob" | "ByteArray" | "binary" | "data" => "Bytes",
        "HashMap" | "BTreeMap" | "map" | "dict" | "Dict" => "Map",
        "HashSet" | "BTreeSet" | "set" => "Set",
        "List" | "list" | "Array" | "array" | "vec" | "repeated" | "VecDeque" => "Vec",
        "optional" | "option" | "Optional" | "Maybe" => "Option",
        "DateTime" | "SystemTime" | "Instant" | "datetime" | "Time" | "timestamp" => "Timestamp",
        "duration" => "Duration",
        "uuid" | "UUID" | "Guid" => "Uuid",
        _ => return None,
    };
    Some(meant)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn only_similar_names_are_suggested() {
        let names = ["ChannelId", "Program", "String", "u32"];
        assert_eq!(nearest("ChanelId", names), Some("ChannelId"));
        assert_eq!(nearest("Porgram", names), Some("Program"));
        assert_eq!(nearest("string", names), Some("String"));
        assert_eq!(nearest("Recording", names), None);
        assert_eq!(nearest("x", names), None);
    }
}
