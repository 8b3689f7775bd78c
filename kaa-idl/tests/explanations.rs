//! Every code is explained, and the examples of the explanation show what they say.

#![allow(clippy::expect_used, reason = "a test that cannot go on should say so")]

use kaa_idl::diagnostic::Code;
use kaa_idl::{Compilation, MemorySource, RenderStyle, compile};

/// The blocks of a text with their info strings.
fn blocks(text: &str) -> Vec<(&str, &str)> {
    let parts: Vec<&str> = text.split("```").collect();
    parts.iter().skip(1).step_by(2).filter_map(|block| block.split_once('\n')).collect()
}

/// The files of a block: one, or several with their paths in comments before them.
fn compiled(block: &str) -> Compilation {
    let mut files: Vec<(String, String)> = Vec::new();
    for line in block.lines() {
        let path = line.strip_prefix("// ").filter(|path| path.ends_with(".kaa"));
        match (path, files.last_mut()) {
            (Some(path), _) => files.push((path.to_owned(), String::new())),
            (None, Some((_, text))) => *text += &format!("{line}\n"),
            (None, None) => files.push(("demo.kaa".to_owned(), format!("package demo;\n{line}\n"))),
        }
    }
    compile(&MemorySource::new(files))
}

#[test]
fn examples_show_what_they_say() {
    let mut failures = String::new();
    for code in Code::ALL {
        for (info, block) in blocks(code.explanation()) {
            let compilation = compiled(block);
            let codes: Vec<&str> =
                compilation.diagnostics().iter().map(|diagnostic| diagnostic.rule.as_str()).collect();
            let right = match info {
                "kaa,bad" => !codes.is_empty() && codes.iter().all(|found| *found == code.as_str()),
                "kaa" => codes.is_empty(),
                _ => false,
            };
            if !right {
                failures += &format!("{code} {info}:\n{}\n", compilation.render(RenderStyle::Plain));
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

/// What a file of text cannot show has no examples.
#[test]
fn every_code_is_explained() {
    for code in Code::ALL {
        let text = code.explanation();
        let infos: Vec<&str> = blocks(text).iter().map(|(info, _)| *info).collect();
        let expected: &[&str] = if code.as_str().starts_with("K05") { &[] } else { &["kaa,bad", "kaa"] };
        assert_eq!(infos, expected, "{code}");
        assert!(text.starts_with(code.summary()) && text.len() > code.summary().len() + 80, "{code}");
        assert!(text.ends_with('\n') && !text.ends_with("\n\n") && !code.title().is_empty(), "{code}");
    }
}

#[test]
fn a_code_is_found_by_its_text() {
    for code in Code::ALL {
        assert_eq!(code.as_str().parse(), Ok(*code));
        assert_eq!(code.as_str().to_lowercase().parse(), Ok(*code));
    }
    for text in ["", "K", "K9999", "0104", "K0104 "] {
        let error = text.parse::<Code>().expect_err("no code");
        assert_eq!(error.to_string(), format!("there is no diagnostic `{text}`"));
    }
}
