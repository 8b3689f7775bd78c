//! Writes a frozen schema.
//!
//! Invariants: the text always ends with a line end, and contains only LF line ends.

use std::fmt::Write;

use hmac_sha256::Hash;

use super::{FORMAT, MARK, SECTION};
use crate::compile::Compilation;
use crate::format::format;
use crate::ids::fingerprint;

/// The frozen schema of a compilation as text, with its sources formatted; `None` if the compilation has
/// errors.
#[must_use]
pub fn freeze(compilation: &Compilation, number: u32) -> Option<String> {
    let schema = compilation.schema()?;
    let mut body = String::new();
    for (path, source) in compilation.sources() {
        // A file that compiles can be formatted. Otherwise keep it as written.
        let text = format(path, &source.text).unwrap_or_else(|_| normalized(&source.text));
        let lines = text.lines().count();
        // Writing to a string cannot fail.
        let _ = writeln!(body, "{SECTION}{path}, {lines} lines");
        body.push_str(&text);
    }
    let fingerprint = hexadecimal(&fingerprint(schema));
    let header = format!("{MARK} format={FORMAT} number={number} fingerprint={fingerprint}");
    let hash = hash(&header, &body);
    Some(format!("{header} sha256={hash}\n{body}"))
}

/// The file name of a frozen schema, such as `3.frozen`.
#[must_use]
pub fn file_name(number: u32) -> String {
    format!("{number}.frozen")
}

/// The text without a byte order mark, with LF line ends only, and with a line end at the end.
fn normalized(text: &str) -> String {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut text = text.replace("\r\n", "\n");
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// The hash of the frozen schema without the hash itself.
pub(super) fn hash(header: &str, body: &str) -> String {
    let mut digest = Hash::new();
    for part in [header, "\n", body] {
        digest.update(part);
    }
    hexadecimal(&digest.finalize())
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
