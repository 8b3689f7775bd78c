//! Explanations as text for a terminal: paragraphs broken into lines, examples set apart.
//!
//! Invariants: words are kept whole, and examples as they are.

/// The width of text where the terminal says none, and at most.
const WIDEST: usize = 100;

/// How an example begins that the compiler refuses.
const REFUSED: &str = "```kaa,bad";

/// The line around an example.
const FENCE: &str = "```";

/// Breaks paragraphs into lines, and indents what stands between fences.
pub(crate) fn wrapped(text: &str, width: Option<usize>) -> String {
    let width = width.map_or(WIDEST, |width| width.clamp(20, WIDEST));
    let mut output = String::new();
    let mut in_example = false;
    for line in text.lines() {
        if line.starts_with(FENCE) {
            in_example = !in_example;
            if line.starts_with(REFUSED) {
                output.push_str("    // refused\n");
            }
        } else if in_example && !line.is_empty() {
            output.push_str(&format!("    {line}\n"));
        } else {
            paragraph(line, width, &mut output);
        }
    }
    output
}

fn paragraph(line: &str, width: usize, output: &mut String) {
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
