//! Writing a frozen schema.

use std::fmt::Write;

use hmac_sha256::Hash;

use super::{FORMAT, MARK, SECTION};
use crate::compile::Compilation;
use crate::format::format;
use crate::ids::fingerprint;

/// The frozen schema of a compilation, as the text of a file with its sources formatted; `None` if it has errors.
#[must_use]
pub fn freeze(compilation: &Compilation, number: u32) -> Option<String> {
    let schema = compilation.schema()?;
    let mut body = String::new();
    for (path, source) in compilation.sources() {
        // What compiled can be formatted; if not, it is kept as it was written.
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

/// The name under which a frozen schema is kept, such as `3.frozen`.
#[must_use]
pub fn file_name(number: u32) -> String {
    format!("{number}.frozen")
}

/// Without a byte order mark, with LF only, and with one at the end.
fn normalized(text: &str) -> String {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut text = text.replace("\r\n", "\n");
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// The hash of all but itself.
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
