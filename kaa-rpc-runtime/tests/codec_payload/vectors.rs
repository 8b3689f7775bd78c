//! Reads the files of golden vectors.
//!
//! Invariants
//! - A line is blank, a comment (`#`), or a list of fields with spaces between them. The last field is
//!   hexadecimal; `61*250`
//!   in it repeats a byte.

use std::path::Path;

pub(crate) fn lines(file: &str) -> Vec<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|line| line.split_whitespace().map(str::to_owned).collect())
        .collect()
}

/// The bytes of groups of hexadecimal digits. The groups have `.` between them, and each may be repeated.
pub(crate) fn bytes(hex: &str) -> Vec<u8> {
    if hex == "-" {
        return Vec::new();
    }
    let mut bytes = Vec::new();
    for group in hex.split('.') {
        let (digits, times) = group.split_once('*').map_or((group, 1), |(d, t)| (d, t.parse().unwrap()));
        assert!(digits.len() % 2 == 0, "odd hex: {hex}");
        let group: Vec<u8> = (0..digits.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
            .collect();
        bytes.extend(group.repeat(times));
    }
    bytes
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
