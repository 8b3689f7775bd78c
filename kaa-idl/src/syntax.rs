//! Parses one file: runs the steps in order and reports chunks that are not items.
//!
//! Invariants: a line with a lexical error gets no other syntax error; an unclosed `<` is reported once; of
//! consecutive chunks that are not items only the first is reported.

use std::collections::HashSet;
use std::sync::Arc;

use pest::Parser;

use crate::ast;
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::location::{LineTable, Span};
use crate::lower::Lowering;
use crate::parse::{
    Chunk, Construct, Grammar, ITEM_KEYWORDS, MAX_ERRORS, Rule, Scan, ScannedFile, Token, TokenKind,
    after_decoration, chunks, is_item_keyword, match_brackets, recognize_item_start, scan, starts_line,
    unexpected,
};

/// Parses one file into a syntax tree and its syntax errors. The tree holds everything that parsed.
#[must_use]
pub fn parse(path: &str, text: &str) -> (ast::File, Vec<Diagnostic>) {
    let path: Arc<str> = Arc::from(path);
    let lines = LineTable::new(text);
    let mut scan = scan(&path, text);
    let matching = match_brackets(&path, text, &lines, &scan.tokens);
    let chunks = chunks(text, &scan.tokens, &matching);
    let mut file = ast::File {
        path: Arc::clone(&path),
        docs: Vec::new(),
        package: None,
        uses: Vec::new(),
        items: Vec::new(),
        recovered_names: Vec::new(),
        incomplete: matching.too_deep,
        package_invalid: false,
    };
    scan.hide(&matching.open_angles);
    let source = ScannedFile { path: &path, text, masked: &scan.masked, tokens: &scan.tokens };
    let mut syntax = matching.diagnostics;
    let mut parser = FileParser {
        source,
        scan: &scan,
        file: &mut file,
        diagnostics: &mut syntax,
        after_error: false,
        first_unparsed: None,
        broken_use: false,
    };
    for chunk in &chunks {
        if parser.diagnostics.len() >= MAX_ERRORS {
            parser.stop(chunk);
            break;
        }
        parser.chunk(chunk);
    }
    parser.inner_docs(&chunks);
    let first_unparsed = parser.first_unparsed.unwrap_or(usize::MAX);
    // After a chunk that did not parse, a stray closing bracket probably follows from that error.
    syntax.extend(matching.stray.filter(|stray| stray.primary.place.span.start() < first_unparsed));
    let damaged: HashSet<usize> =
        scan.diagnostics.iter().map(|diagnostic| lines.line(diagnostic.primary.place.span.start())).collect();
    let angles: HashSet<usize> = matching.open_angles.iter().map(|span| lines.line(span.start())).collect();
    syntax.retain(|diagnostic| {
        let start = diagnostic.primary.place.span.start();
        if diagnostic.rule != Code::UnclosedDelimiter && angles.contains(&lines.line(start)) {
            return false;
        }
        let before = scan.masked.get(..start).unwrap_or_default().trim_end().len();
        let before = before.saturating_sub(1);
        !damaged.contains(&lines.line(start)) && !damaged.contains(&lines.line(before))
    });
    let mut diagnostics = scan.diagnostics;
    diagnostics.append(&mut syntax);
    (file, diagnostics)
}

struct FileParser<'t> {
    source: ScannedFile<'t>,
    scan: &'t Scan,
    file: &'t mut ast::File,
    diagnostics: &'t mut Vec<Diagnostic>,
    /// Whether the chunk before did not parse, so that this one may continue it.
    after_error: bool,
    /// The offset of the first chunk that did not parse.
    first_unparsed: Option<usize>,
    /// Whether the chunk before was a malformed `use`, whose names may continue in this one.
    broken_use: bool,
}

impl FileParser<'_> {
    fn chunk(&mut self, chunk: &Chunk) {
        let tokens = self.scan.tokens.get(chunk.tokens.clone()).unwrap_or_default();
        let head = after_decoration(tokens);
        let first = head.first().map_or("", |token| token.span.text(self.source.text));
        let known = self.diagnostics.len();
        self.parse_chunk(chunk, tokens, head, first);
        let failed = chunk.broken || self.diagnostics.len() > known;
        let imports = || {
            let text = |token: &Token| token.span.text(self.source.text);
            self.file.items.is_empty() && tokens.iter().any(|token| text(token) == "::")
        };
        if failed && (first == "use" || self.broken_use || imports()) {
            let words = tokens.iter().filter(|token| token.kind == TokenKind::Word);
            self.file.recovered_names.extend(words.map(|word| word.span.text(self.source.text).to_owned()));
        }
        if failed && first == "package" && !starts_line(self.source.text, &self.scan.tokens, chunk.tokens.end)
        {
            self.file.package = None;
            self.file.package_invalid = true;
        }
        self.broken_use = failed && first == "use";
    }

    fn stop(&mut self, chunk: &Chunk) {
        let place = Place::new(self.source.path, Span::at(chunk.span.start()));
        let message = format!("this file has more than {MAX_ERRORS} errors");
        let diagnostic = Diagnostic::error(Code::TooDeep, message, place, "stopped here");
        self.diagnostics.push(diagnostic.with_help("the rest of this file was not checked"));
        self.file.incomplete = true;
    }

    fn parse_chunk(&mut self, chunk: &Chunk, tokens: &[Token], head: &[Token], first: &str) {
        if chunk.broken {
            self.after_error = true;
            self.recover_names(tokens);
            return;
        }
        if let Some(token) = head.first()
            && !is_item_keyword(first)
            && token.kind != TokenKind::Semicolon
        {
            self.not_an_item(token.span, first, head);
            self.after_error = true;
            self.first_unparsed.get_or_insert(chunk.span.start());
            self.recover_names(tokens);
            return;
        }
        self.after_error = false;
        let text = self.source.masked.get(chunk.span.start()..chunk.span.end()).unwrap_or_default();
        match Grammar::parse(Rule::chunk, text) {
            Ok(pairs) => {
                Lowering::new(self.source, chunk.span.start(), self.diagnostics).chunk(pairs, self.file)
            }
            Err(error) => {
                self.diagnostics.push(unexpected(self.source, Construct::Item, chunk.span.start(), &error));
                self.after_error = true;
                self.first_unparsed.get_or_insert(chunk.span.start());
                self.recover_names(tokens);
            }
        }
    }

    /// Recovers the names that a chunk would have declared, so that uses of them are not reported as unknown.
    fn recover_names(&mut self, tokens: &[Token]) {
        let first = after_decoration(tokens).first().map_or("", |token| token.span.text(self.source.text));
        self.file.package_invalid |= first == "package" || likely_keyword(first) == Some("package");
        let known = self.file.recovered_names.len();
        self.file.recovered_names.extend(self.source.declared(tokens).map(str::to_owned));
        if self.file.recovered_names.len() == known && !matches!(first, "package" | "use") {
            let beginning =
                after_decoration(tokens).iter().take_while(|token| !matches!(token.kind, TokenKind::Open(_)));
            let words = beginning.filter(|token| token.kind == TokenKind::Word).take(2);
            let words =
                words.map(|word| word.span.text(self.source.text)).filter(|word| !is_item_keyword(word));
            self.file.recovered_names.extend(words.map(str::to_owned));
            // An item whose name was not recovered may have declared any name.
            self.file.incomplete |= self.file.recovered_names.len() == known;
        }
    }

    fn not_an_item(&mut self, span: Span, word: &str, head: &[Token]) {
        let place = Place::new(self.source.path, span);
        let message = format!("expected an item, found `{}`", word.chars().take(40).collect::<String>());
        let diagnostic =
            Diagnostic::error(Code::ExpectedItem, message, place.clone(), "not the start of an item");
        if let Some(diagnostic) = recognize_item_start(self.source, head, &diagnostic) {
            self.diagnostics.push(diagnostic);
            return;
        }
        if self.after_error && (likely_keyword(word).is_none() || is_member_word(word)) {
            return;
        }
        let diagnostic = match (word, likely_keyword(word)) {
            (word, Some(keyword)) if !is_member_word(word) || word == "include" => {
                diagnostic.with_suggestion(place, keyword, format!("did you mean `{keyword}`?"))
            }
            (word, _) if is_member_word(word) => {
                diagnostic.with_help("methods belong inside a `service` or an `interface`")
            }
            _ => diagnostic.with_help(
                "items are `const`, `newtype`, `type`, `struct`, `enum`, `flags`, `error`, `interface` and \
                `service`",
            ),
        };
        self.diagnostics.push(diagnostic);
    }

    /// `//!` lines before the first item document the package; later ones are dangling.
    fn inner_docs(&mut self, chunks: &[Chunk]) {
        let first_item = chunks.iter().find(|chunk| {
            let tokens = self.scan.tokens.get(chunk.tokens.clone()).unwrap_or_default();
            let word = after_decoration(tokens).first().map_or("", |token| token.span.text(self.source.text));
            !matches!(word, "package" | "use")
        });
        let limit = first_item.map_or(usize::MAX, |chunk| chunk.span.start());
        for span in &self.scan.inner_docs {
            if span.start() < limit {
                let line = span.text(self.source.text).trim_end_matches('\r');
                let line = line.strip_prefix("//!").unwrap_or(line);
                self.file.docs.push(line.strip_prefix(' ').unwrap_or(line).to_owned());
            } else {
                let place = Place::new(self.source.path, *span);
                self.diagnostics.push(
                    Diagnostic::error(
                        Code::DanglingDoc,
                        "package documentation must come before the first item",
                        place,
                        "comes after an item",
                    )
                    .with_help("document the next item with `///`; an ordinary comment begins with `//`"),
                );
            }
        }
    }
}

/// Whether a word begins a member of a service.
fn is_member_word(word: &str) -> bool {
    matches!(word, "fn" | "oneway" | "client" | "include" | "reserved" | "rpc" | "async" | "pub")
}

/// The keyword that was probably intended.
fn likely_keyword(word: &str) -> Option<&'static str> {
    let foreign = match word {
        "message" | "record" | "class" | "data" => Some("struct"),
        "import" | "using" | "include" | "require" => Some("use"),
        "namespace" | "module" => Some("package"),
        "trait" | "protocol" => Some("interface"),
        "union" | "variant" | "oneof" => Some("enum"),
        "exception" => Some("error"),
        "bitflags" | "bitfield" => Some("flags"),
        "typedef" | "using_type" => Some("type"),
        "static" | "let" => Some("const"),
        _ => None,
    };
    let near = || {
        crate::suggest::nearest(word, ITEM_KEYWORDS)
            .and_then(|near| ITEM_KEYWORDS.into_iter().find(|word| *word == near))
    };
    foreign.or_else(near)
}
