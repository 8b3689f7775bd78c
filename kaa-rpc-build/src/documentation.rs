//! Documentation of generated code as `#[doc = …]` attributes.
//!
//! Invariants: no documentation in a `.kaa` file becomes a doctest of the user's crate: code fences are
//! labelled `text`, indented code is fenced, code in lists and quotes loses its indentation. A note about a
//! method's attribute is a separate paragraph.

use std::time::Duration;

use kaa_idl::schema::{Docs, Method};
use proc_macro2::TokenStream;
use quote::quote;

/// The documentation of a declared item; nothing if it has none.
pub(crate) fn declared(docs: &Docs) -> TokenStream {
    attributes(&without_doctests(&docs.lines))
}

/// The documentation of a declared item, or `sentence` if it has none.
pub(crate) fn declared_or(docs: &Docs, sentence: &str) -> TokenStream {
    if docs.lines.iter().all(|line| line.trim().is_empty()) { generated(&[sentence]) } else { declared(docs) }
}

/// Documentation that the generator adds.
pub(crate) fn generated(lines: &[&str]) -> TokenStream {
    attributes(&lines.iter().map(|&line| line.to_owned()).collect::<Vec<_>>())
}

/// The documentation of a proxy's method, with notes about its attributes.
pub(crate) fn for_callers(method: &Method, docs: TokenStream) -> TokenStream {
    let attributes = &method.attributes;
    with_paragraphs(
        docs,
        &[
            attributes.timeout.map(|timeout| {
                format!(
                    "Times out after {}, unless you set another `timeout` on the call.",
                    format_duration(timeout)
                )
            }),
            attributes
                .idempotent
                .then(|| "Idempotent: calling it twice has the same effect as calling it once.".to_owned()),
            attributes.detached.then(|| {
                "Detached: the handler keeps running if this call is dropped or the connection is lost."
                    .to_owned()
            }),
        ],
    )
}

/// The documentation of a trait's method, with notes about its attributes.
pub(crate) fn for_handlers(method: &Method, docs: TokenStream) -> TokenStream {
    let attributes = &method.attributes;
    with_paragraphs(
        docs,
        &[
            attributes.timeout.map(|timeout| {
                format!(
                    "Calls time out after {}, unless the caller sets another timeout.",
                    format_duration(timeout)
                )
            }),
            attributes.idempotent.then(|| {
                "Idempotent: it may be called again if the connection is lost before the reply arrives."
                    .to_owned()
            }),
            attributes.detached.then(|| {
                "Detached: it runs to completion even if its caller cancels the call or disconnects."
                    .to_owned()
            }),
        ],
    )
}

fn with_paragraphs(mut docs: TokenStream, notes: &[Option<String>]) -> TokenStream {
    for note in notes.iter().flatten() {
        docs.extend(generated(&["", note]));
    }
    docs
}

/// A duration in the largest unit that needs no fraction.
fn format_duration(time: Duration) -> String {
    let milliseconds = time.as_millis();
    let units = [(3_600_000, "h"), (60_000, "min"), (1_000, "s")];
    match units.into_iter().find(|(unit, _)| milliseconds.is_multiple_of(*unit)) {
        Some((unit, name)) => format!("{} {name}", milliseconds / unit),
        None => format!("{milliseconds} ms"),
    }
}

fn attributes(lines: &[String]) -> TokenStream {
    let texts = lines.iter().map(|line| if line.is_empty() { String::new() } else { format!(" {line}") });
    quote!(#(#[doc = #texts])*)
}

/// Rewrites Markdown so that rustdoc finds no doctest in it.
fn without_doctests(lines: &[String]) -> Vec<String> {
    let mut output = Vec::with_capacity(lines.len());
    let mut fence: Option<Fence> = None;
    let mut indented = false;
    let mut after_blank = true;
    for line in lines {
        // A tab indents by four columns at most, and four columns make a line code.
        let line = line.replace('\t', "    ");
        let line = line.trim_end();
        let marks = container_marks(line);
        let content = line.get(marks..).unwrap_or_default();
        if let Some(open) = &fence {
            let closes = open.is_closed_by(content.trim());
            output.push(line.to_owned());
            if closes {
                fence = None;
                after_blank = true;
            }
            continue;
        }
        if indented && !line.is_empty() && !line.starts_with("    ") {
            close_indented(&mut output);
            indented = false;
        }
        if let Some(opened) = Fence::opening(content.trim_start()) {
            output.push(opened.labelled(line));
            fence = Some(opened);
        } else if marks == 0 && line.starts_with("    ") && (after_blank || indented) {
            if !indented {
                output.push("```text".to_owned());
            }
            output.push(line.strip_prefix("    ").unwrap_or(line).to_owned());
            indented = true;
        } else if marks > 0 && content.starts_with("    ") {
            output.push(format!("{} {}", line.get(..marks).unwrap_or_default(), content.trim_start()));
        } else {
            output.push(line.to_owned());
        }
        after_blank = line.is_empty();
    }
    if indented {
        close_indented(&mut output);
    }
    if let Some(open) = fence {
        output.push(open.marker());
    }
    output
}

/// Closes the fence of indented code, before the blank lines that follow the code.
fn close_indented(output: &mut Vec<String>) {
    let mut blanks = 0_usize;
    while output.last().is_some_and(String::is_empty) {
        output.pop();
        blanks += 1;
    }
    output.push("```".to_owned());
    output.extend(std::iter::repeat_n(String::new(), blanks));
}

/// The length in bytes of the quote and list marks (`> `, `- `, `1. `) of a line, with the indentation before
/// them.
fn container_marks(line: &str) -> usize {
    let mut marks = 0;
    let mut rest = line;
    loop {
        let trimmed = rest.trim_start();
        let digits =
            trimmed.len() - trimmed.trim_start_matches(|character: char| character.is_ascii_digit()).len();
        let mark = match trimmed.get(digits..).unwrap_or_default().chars().next() {
            Some('>') if digits == 0 => 1,
            Some('-' | '*' | '+') if digits == 0 && is_list_mark(trimmed, 1) => 1,
            Some('.' | ')') if digits > 0 && is_list_mark(trimmed, digits + 1) => digits + 1,
            _ => return marks,
        };
        marks += rest.len() - trimmed.len() + mark;
        rest = trimmed.get(mark..).unwrap_or_default();
    }
}

fn is_list_mark(text: &str, length: usize) -> bool {
    text.get(length..).is_some_and(|rest| rest.starts_with(' '))
}

/// An open code fence.
struct Fence {
    character: char,
    length: usize,
}

impl Fence {
    fn opening(content: &str) -> Option<Self> {
        let character = content.chars().next().filter(|&character| character == '`' || character == '~')?;
        let length = content.chars().take_while(|&other| other == character).count();
        let info = content.trim_start_matches(character);
        (length >= 3 && !(character == '`' && info.contains('`'))).then_some(Self { character, length })
    }

    fn is_closed_by(&self, content: &str) -> bool {
        content.chars().count() >= self.length && content.chars().all(|character| character == self.character)
    }

    fn marker(&self) -> String {
        std::iter::repeat_n(self.character, self.length).collect()
    }

    /// The opening line, with `text` as its language if rustdoc would otherwise assume Rust.
    fn labelled(&self, line: &str) -> String {
        let marker = self.marker();
        let (before, info) = line.split_once(&marker).unwrap_or((line, ""));
        let is_rust =
            info.split([',', ' ', '{', '}']).map(str::trim).filter(|word| !word.is_empty()).all(|word| {
                matches!(
                    word,
                    "rust"
                        | "ignore"
                        | "should_panic"
                        | "no_run"
                        | "compile_fail"
                        | "test_harness"
                        | "standalone"
                        | "standalone_crate"
                        | "custom"
                ) || word.starts_with("edition")
                    || word.starts_with("ignore-")
            });
        if is_rust { format!("{before}{marker}text") } else { line.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        assert_eq!(without_doctests(&lines).join("\n"), expected);
    }

    #[test]
    fn prose_is_unchanged() {
        check("One line.\n\n- a list\n- of two", "One line.\n\n- a list\n- of two");
        check("a lazy\n    continuation", "a lazy\n    continuation");
    }

    #[test]
    fn indented_code_is_fenced() {
        check("See\n\n    let x = 1;\n\n    x\n\nend", "See\n\n```text\nlet x = 1;\n\nx\n```\n\nend");
        check("    first", "```text\nfirst\n```");
        check("\tfirst", "```text\nfirst\n```");
    }

    #[test]
    fn fences_are_labelled() {
        check("```\nx\n```", "```text\nx\n```");
        check("```rust,no_run\nx\n```\n\n~~~\ny\n~~~", "```text\nx\n```\n\n~~~text\ny\n~~~");
        check("```json\nx\n```", "```json\nx\n```");
        check("- ```\n  x\n  ```", "- ```text\n  x\n  ```");
        check("> ```\n> x\n> ```", "> ```text\n> x\n> ```");
        check("```\nnever closed", "```text\nnever closed\n```");
    }

    #[test]
    fn code_in_quotes_and_lists_loses_its_indentation() {
        check(">     code", "> code");
        check("1.     code", "1. code");
        check("-      code", "- code");
    }
}
