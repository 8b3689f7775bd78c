//! Renders diagnostics as text, in the style of rustc.
//!
//! Invariants: only a window of lines around each label is passed to the renderer, so that a diagnostic in a
//! large file is cheap. After [`MAX_RENDERED`] diagnostics the rest is only counted.

use std::collections::HashMap;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Patch, Renderer, Snippet};

use super::{Diagnostic, Edit, Fix, Label, Severity};
use crate::location::{LineTable, Span};

/// How diagnostics are rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Rendering {
    /// Whether to use colours.
    pub style: RenderStyle,
    /// The columns of the terminal; longer source lines are shortened around the labels. The default is 140
    /// columns.
    pub width: Option<usize>,
}

impl From<RenderStyle> for Rendering {
    fn from(style: RenderStyle) -> Self {
        Self { style, width: None }
    }
}

/// Whether rendered text has colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum RenderStyle {
    /// Without colours.
    #[default]
    Plain,
    /// With ANSI colours.
    Ansi,
}

/// The text of a file and its line table.
#[derive(Debug, Clone)]
pub(crate) struct SourceText {
    pub(crate) text: String,
    pub(crate) lines: LineTable,
}

/// The files that diagnostics refer to.
#[derive(Debug)]
pub(crate) struct Sources<'a> {
    pub(crate) texts: HashMap<&'a str, &'a SourceText>,
    /// How to display paths; a path that is missing here is displayed unchanged.
    pub(crate) display_paths: &'a HashMap<String, String>,
}

impl<'a> Sources<'a> {
    fn display_path(&self, path: &'a str) -> &'a str {
        self.display_paths.get(path).map_or(path, String::as_str)
    }
}

/// How many diagnostics are rendered; the rest is only counted.
const MAX_RENDERED: usize = 100;
/// Labels that are further apart than about this many lines get separate snippets.
const MAX_WINDOW_LINES: usize = 200;
/// A longer line is shortened, because it would fill the screen.
const MAX_LINE_LENGTH: usize = 2_000;

/// The smallest width; less would cut off all context.
const MIN_WIDTH: usize = 40;
/// The largest width: it cuts nothing, and cannot overflow in the renderer.
const MAX_WIDTH: usize = 1_000_000;

/// Renders diagnostics, a blank line between them.
pub(crate) fn render(diagnostics: &[Diagnostic], sources: &Sources<'_>, rendering: Rendering) -> String {
    let renderer = match rendering.style {
        RenderStyle::Plain => Renderer::plain(),
        RenderStyle::Ansi => Renderer::styled(),
    };
    let renderer = match rendering.width {
        Some(width) => renderer.term_width(width.clamp(MIN_WIDTH, MAX_WIDTH)),
        None => renderer,
    };
    let shown = diagnostics.iter().take(MAX_RENDERED);
    let mut output: String =
        shown.map(|diagnostic| renderer.render(&groups(diagnostic, sources)) + "\n\n").collect();
    let hidden = diagnostics.len().saturating_sub(MAX_RENDERED);
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
            Some(source) => group = group.element(snippet(sources.display_path(path), source, &window)),
            None if path.is_empty() => {}
            None => group = group.element(Origin::path(sources.display_path(path))),
        }
    }
    for help in &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let mut groups = vec![group];
    groups.extend(diagnostic.fix.as_ref().and_then(|fix| suggestion(fix, sources)));
    groups
}

/// The lines that a fix changes, before and after; `None` if the file could not be read.
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
            .path(sources.display_path(&first.place.path))
            .line_start(line)
            .fold(true)
            .patches(patches);
        group = group.element(snippet);
    }
    Some(group)
}

/// A label, and whether it is the primary one.
#[derive(Clone, Copy)]
struct Marked<'a> {
    label: &'a Label,
    kind: AnnotationKind,
}

/// Groups the labels by file, beginning with the primary one's. Labels far apart in one file are separate
/// groups.
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

/// Whether two places share one snippet.
fn close(left: Span, right: Span) -> bool {
    left.start().abs_diff(right.start()) < MAX_WINDOW_LINES * 80
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

/// The lines that contain a span, with the offset where they begin and the number of the first line.
fn excerpt(source: &SourceText, span: Span, primary: Span) -> (&str, usize, usize) {
    let text = source.text.as_str();
    let line = source.lines.line(span.start());
    let start = source.lines.start(line).unwrap_or(0);
    let last = source.lines.line(span.end().max(span.start()));
    let end = source.lines.start(last + 1).map_or(text.len(), |next| next.saturating_sub(1));
    if end.saturating_sub(start) <= MAX_LINE_LENGTH.max((last - line + 1).saturating_mul(200)) {
        return (text.get(start..end).unwrap_or_default(), start, line);
    }
    let line = source.lines.line(primary.start());
    let start = boundary(text, primary.start().saturating_sub(60)).max(source.lines.start(line).unwrap_or(0));
    let end = boundary(text, primary.end().min(primary.start() + 60).saturating_add(60).min(text.len()));
    (text.get(start..end).unwrap_or_default(), start, line)
}

/// The last character boundary at or before an offset.
fn boundary(text: &str, offset: usize) -> usize {
    (0..=offset).rev().find(|offset| text.is_char_boundary(*offset)).unwrap_or(0)
}

fn shifted(span: Span, offset: usize, length: usize) -> std::ops::Range<usize> {
    let start = span.start().saturating_sub(offset).min(length);
    start..span.end().saturating_sub(offset).clamp(start, length)
}
