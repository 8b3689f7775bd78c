//! Diagnostics as text, in the manner of rustc.
//!
//! Invariants: only a window of lines around each label is handed to the renderer, so that a small remark on a
//! large file stays cheap; a flood of diagnostics is cut off with a count.

use std::collections::HashMap;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Patch, Renderer, Snippet};

use super::{Diagnostic, Edit, Fix, Label, Severity};
use crate::location::{LineTable, Span};

/// How diagnostics are rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Rendering {
    /// With colours or without.
    pub style: RenderStyle,
    /// The columns of the terminal; longer lines of source are cut around what is marked in them. Without a width
    /// there are 140.
    pub width: Option<usize>,
}

impl From<RenderStyle> for Rendering {
    fn from(style: RenderStyle) -> Self {
        Self { style, width: None }
    }
}

/// Whether what is rendered has colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum RenderStyle {
    /// Without colours.
    #[default]
    Plain,
    /// With ANSI colours.
    Ansi,
}

/// A file's text with its line table.
#[derive(Debug, Clone)]
pub(crate) struct SourceText {
    pub(crate) text: String,
    pub(crate) lines: LineTable,
}

/// The files that diagnostics are about.
#[derive(Debug)]
pub(crate) struct Sources<'a> {
    pub(crate) texts: HashMap<&'a str, &'a SourceText>,
    /// How to show a path; one that is absent is shown as it is.
    pub(crate) display_paths: &'a HashMap<String, String>,
}

impl<'a> Sources<'a> {
    fn shown(&self, path: &'a str) -> &'a str {
        self.display_paths.get(path).map_or(path, String::as_str)
    }
}

/// Nobody reads more than this; the rest is counted.
const MOST_RENDERED: usize = 100;
/// Labels further apart than this many lines become snippets of their own.
const WIDEST_WINDOW: usize = 200;
/// A longer line is cut, since only its length would fill the screen.
const LONGEST_LINE: usize = 2_000;

/// No terminal is narrower; what is cut to less says nothing.
const NARROWEST: usize = 40;
/// Wide enough to cut nothing, and small enough for the renderer's sums.
const WIDEST: usize = 1_000_000;

/// Renders diagnostics, a blank line between them.
pub(crate) fn render(diagnostics: &[Diagnostic], sources: &Sources<'_>, rendering: Rendering) -> String {
    let renderer = match rendering.style {
        RenderStyle::Plain => Renderer::plain(),
        RenderStyle::Ansi => Renderer::styled(),
    };
    let renderer = match rendering.width {
        Some(width) => renderer.term_width(width.clamp(NARROWEST, WIDEST)),
        None => renderer,
    };
    let shown = diagnostics.iter().take(MOST_RENDERED);
    let mut output: String =
        shown.map(|diagnostic| renderer.render(&groups(diagnostic, sources)) + "\n\n").collect();
    let hidden = diagnostics.len().saturating_sub(MOST_RENDERED);
    if hidden > 0 {
        output += &renderer.render(&[Group::with_title(
            Level::NOTE.primary_title(format!("{hidden} more diagnostics are not shown")),
        )]);
        output += "\n\n";
    }
    output.truncate(output.trim_end().len());
    if !output.is_empty() {
        output.push('\n');
    }
    output
}

fn groups<'a>(diagnostic: &'a Diagnostic, sources: &Sources<'a>) -> Vec<Group<'a>> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(diagnostic.message.as_str()).id(diagnostic.rule.as_str());
    let mut group = Group::with_title(title);
    for window in windows(diagnostic) {
        let Some(first) = window.first() else { continue };
        let path: &'a str = &first.label.place.path;
        match sources.texts.get(path) {
            Some(source) => group = group.element(snippet(sources.shown(path), source, &window)),
            None if path.is_empty() => {}
            None => group = group.element(Origin::path(sources.shown(path))),
        }
    }
    for help in &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let mut groups = vec![group];
    groups.extend(diagnostic.fix.as_ref().and_then(|fix| suggestion(fix, sources)));
    groups
}

/// The lines that a fix changes, before and after; `None` if it concerns a file without text.
fn suggestion<'a>(fix: &'a Fix, sources: &Sources<'a>) -> Option<Group<'a>> {
    let mut group = Group::with_title(Level::HELP.secondary_title(fix.message.as_str()));
    let mut edits: Vec<&Edit> = fix.edits.iter().collect();
    edits.sort_by_key(|edit| (&edit.place.path, edit.place.span));
    let near = |left: &&Edit, right: &&Edit| {
        left.place.path == right.place.path && close(left.place.span, right.place.span)
    };
    for window in edits.chunk_by(near) {
        let first = window.first()?;
        let source = sources.texts.get(&*first.place.path)?;
        let whole = window.iter().fold(first.place.span, |whole, edit| whole.to(edit.place.span));
        let (excerpt, offset, line) = excerpt(source, whole, first.place.span);
        let inside = |edit: &&&Edit| {
            edit.place.span.start() >= offset && edit.place.span.end() <= offset + excerpt.len()
        };
        let patches = window.iter().filter(inside).map(|edit| {
            Patch::new(shifted(edit.place.span, offset, excerpt.len()), edit.replacement.as_str())
        });
        let snippet = Snippet::source(excerpt)
            .path(sources.shown(&first.place.path))
            .line_start(line)
            .fold(true)
            .patches(patches);
        group = group.element(snippet);
    }
    Some(group)
}

/// A label that still knows whether it is the primary one.
#[derive(Clone, Copy)]
struct Marked<'a> {
    label: &'a Label,
    kind: AnnotationKind,
}

/// Labels by file, the primary's first; labels far apart in one file are kept apart.
fn windows(diagnostic: &Diagnostic) -> Vec<Vec<Marked<'_>>> {
    let primary = Marked { label: &diagnostic.primary, kind: AnnotationKind::Primary };
    let mut windows = vec![vec![primary]];
    for label in &diagnostic.secondary {
        let marked = Marked { label, kind: AnnotationKind::Context };
        let same_file = windows.iter_mut().find(|window| {
            window.first().is_some_and(|first| {
                first.label.place.path == label.place.path && close(first.label.place.span, label.place.span)
            })
        });
        match same_file {
            Some(window) => window.push(marked),
            None => windows.push(vec![marked]),
        }
    }
    windows
}

/// Whether two places are shown in one snippet.
fn close(left: Span, right: Span) -> bool {
    left.start().abs_diff(right.start()) < WIDEST_WINDOW * 80
}

fn snippet<'a>(path: &'a str, source: &'a SourceText, labels: &[Marked<'a>]) -> Snippet<'a, Annotation<'a>> {
    let spans = labels.iter().map(|marked| marked.label.place.span);
    let whole = spans.reduce(Span::to).unwrap_or_default();
    let primary = labels.first().map_or(whole, |marked| marked.label.place.span);
    let (excerpt, offset, line) = excerpt(source, whole, primary);
    let annotations = labels.iter().map(|marked| {
        let span = shifted(marked.label.place.span, offset, excerpt.len());
        let annotation = marked.kind.span(span);
        if marked.label.message.is_empty() {
            annotation
        } else {
            annotation.label(marked.label.message.as_str())
        }
    });
    Snippet::source(excerpt).path(path).line_start(line).fold(true).annotations(annotations)
}

/// The lines that hold a span, with the offset at which they begin and the number of the first.
fn excerpt(source: &SourceText, span: Span, primary: Span) -> (&str, usize, usize) {
    let text = source.text.as_str();
    let line = source.lines.line(span.start());
    let start = source.lines.start(line).unwrap_or(0);
    let last = source.lines.line(span.end().max(span.start()));
    let end = source.lines.start(last + 1).map_or(text.len(), |next| next.saturating_sub(1));
    if end.saturating_sub(start) <= LONGEST_LINE.max((last - line + 1).saturating_mul(200)) {
        return (text.get(start..end).unwrap_or_default(), start, line);
    }
    let line = source.lines.line(primary.start());
    let start = boundary(text, primary.start().saturating_sub(60)).max(source.lines.start(line).unwrap_or(0));
    let end = boundary(text, primary.end().min(primary.start() + 60).saturating_add(60).min(text.len()));
    (text.get(start..end).unwrap_or_default(), start, line)
}

/// The last boundary of a character that is not behind an offset.
fn boundary(text: &str, offset: usize) -> usize {
    (0..=offset).rev().find(|offset| text.is_char_boundary(*offset)).unwrap_or(0)
}

fn shifted(span: Span, offset: usize, length: usize) -> std::ops::Range<usize> {
    let start = span.start().saturating_sub(offset).min(length);
    start..span.end().saturating_sub(offset).clamp(start, length)
}
