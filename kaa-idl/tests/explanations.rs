//! Every code has an explanation, whose bad example has the error and whose good example does not.

#![allow(clippy::expect_used, reason = "a test that cannot continue must fail")]

use kaa_idl::diagnostic::Code;
use kaa_idl::{Compilation, MemorySource, RenderStyle, compile};

/// The code blocks of a text, with their info strings.
fn blocks(text: &str) -> Vec<(&str, &str)> {
    let parts: Vec<&str> = text.split("```").collect();
    parts.iter().skip(1).step_by(2).filter_map(|block| block.split_once('\n')).collect()
}

/// Compiles the files of a block: one file, or several with their paths in comments before them.
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
fn examples_have_exactly_the_error() {
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

/// Errors that a text file cannot cause have no examples.
#[test]
fn every_code_has_an_explanation() {
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
fn code_is_parsed_from_text() {
    for code in Code::ALL {
        assert_eq!(code.as_str().parse(), Ok(*code));
        assert_eq!(code.as_str().to_lowercase().parse(), Ok(*code));
    }
    for text in ["", "K", "K9999", "0104", "K0104 "] {
        let error = text.parse::<Code>().expect_err("an unknown code");
        assert_eq!(error.to_string(), format!("there is no diagnostic `{text}`"));
    }
}
