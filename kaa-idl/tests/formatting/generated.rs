//! Formats generated files, with comments between any two tokens.

use kaa_idl::format;
use proptest::prelude::*;

use crate::comparison::check;
use crate::grammar::{Tape, file};

/// Texts between two tokens; `@` becomes a number.
const GAPS: &[&str] = &[
    " ",
    " ",
    "\n",
    " ",
    "\n\n\n",
    "\r\n \t",
    " /* c@ */ ",
    " // c@\n",
    "\n  // c@\n",
    " /* c@ */\n",
    "\n\n// c@ \u{1F980}\n\n",
    "\n    /* c@\n     * /* inner */ and more\n     */ ",
    "\n/* c@ */ // d@\r\n",
    "/**/",
];

/// Joins tokens by gaps, which are chosen from a list.
fn text(tokens: &[String], tape: &mut Tape, gaps: &[&str]) -> String {
    let mut text = String::new();
    let mut number = 0;
    let mut gap = |text: &mut String, tape: &mut Tape| {
        number += 1;
        text.push_str(&gaps[tape.below(gaps.len())].replace('@', &number.to_string()));
    };
    gap(&mut text, tape);
    for (index, token) in tokens.iter().enumerate() {
        text.push_str(token);
        if token.starts_with("///") {
            text.push('\n');
        }
        // A keyword at the start of a line may begin an item, so some lines must continue.
        let tied = tokens.get(index + 1).is_some_and(|next| next == "as");
        if tied { text.push(' ') } else { gap(&mut text, tape) }
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        max_shrink_iters: 20_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn comments_anywhere_are_kept(
        shape in prop::collection::vec(any::<u8>(), 0..400),
        gaps in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        let tokens = file(&mut Tape::new(shape));
        check(&text(&tokens, &mut Tape::new(gaps), GAPS));
    }

    #[test]
    fn sparse_comments_are_kept(
        shape in prop::collection::vec(any::<u8>(), 0..600),
        gaps in prop::collection::vec(prop_oneof![9 => Just(0), 1 => any::<u8>()], 0..600),
    ) {
        let tokens = file(&mut Tape::new(shape));
        check(&text(&tokens, &mut Tape::new(gaps), GAPS));
    }

    #[test]
    fn spaces_and_line_ends_do_not_change_the_result(
        shape in prop::collection::vec(any::<u8>(), 0..600),
        gaps in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        let tokens = file(&mut Tape::new(shape));
        let plain = check(&text(&tokens, &mut Tape::new(Vec::new()), &[" "]));
        let lines = text(&tokens, &mut Tape::new(gaps), &[" ", "\n", "\t", "\r\n"]);
        prop_assert_eq!(format("demo.kaa", &lines).expect("it parses"), plain);
    }
}
