//! Rendering of diagnostics: colours only on request, and lines no wider than the terminal.

#![allow(clippy::expect_used, reason = "a test that cannot continue must fail")]

use kaa_idl::diagnostic::{Code, Diagnostic, Place};
use kaa_idl::{MemorySource, RenderStyle, Rendering, Span, compile};

fn wide() -> String {
    let fields = |name: &str| (0..60).map(|number| format!("{name}_{number}: u8, ")).collect::<String>();
    format!("package demo;\nstruct A {{ {} wrong: Nope, {} }}\n", fields("left"), fields("right"))
}

#[test]
fn long_lines_are_shortened_around_labels() {
    let compilation = compile(&MemorySource::new([("demo.kaa", wide())]));
    for width in [0, 40, 80, 120, usize::MAX] {
        let shown = compilation.render(Rendering { style: RenderStyle::Plain, width: Some(width) });
        assert!(shown.contains(": Nope"), "{shown}");
        let widest = shown.lines().map(|line| line.chars().count()).max().expect("lines");
        assert!(widest <= width.max(60), "{widest} columns of {width}:\n{shown}");
    }
}

#[test]
fn colours_require_the_ansi_style() {
    let compilation = compile(&MemorySource::new([("demo.kaa", wide())]));
    assert_eq!(compilation.render(Rendering::default()), compilation.render(RenderStyle::Plain));
    assert!(!compilation.render(RenderStyle::Plain).contains('\x1b'));
    assert!(compilation.render(RenderStyle::Ansi).contains('\x1b'));
}

#[test]
fn other_diagnostics_render_alike() {
    let compilation = compile(&MemorySource::new([("demo.kaa", "package demo;\nstruct A {}\n")]));
    let place = Place::new(&"demo.kaa".into(), Span::new(21, 22));
    let finding = Diagnostic::error(Code::UnknownType, "a finding", place, "here");
    let shown = compilation.render_diagnostics(&[finding], RenderStyle::Plain);
    assert!(shown.contains("demo.kaa:2:8") && shown.contains("struct A {}"), "{shown}");
    assert_eq!(compilation.render_diagnostics(&[], RenderStyle::Plain), "");
}
