//! Text broken into lines of a width.
//!
//! Invariants: words are kept whole; blank lines and lines that begin with a blank are kept as they are.

/// The width of text where the terminal says none, and at most.
const WIDEST: usize = 100;

/// Breaks paragraphs into lines.
pub(crate) fn wrapped(text: &str, width: Option<usize>) -> String {
    let width = width.map_or(WIDEST, |width| width.clamp(20, WIDEST));
    let mut output = String::new();
    for line in text.lines() {
        if line.starts_with(' ') || line.chars().count() <= width {
            output.push_str(line);
            output.push('\n');
            continue;
        }
        let mut column = 0;
        for word in line.split(' ') {
            let length = word.chars().count();
            if column > 0 && column + 1 + length > width {
                output.push('\n');
                column = 0;
            } else if column > 0 {
                output.push(' ');
                column += 1;
            }
            output.push_str(word);
            column += length;
        }
        output.push('\n');
    }
    output
}
