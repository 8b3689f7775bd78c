//! Generates random valid files, as lists of tokens.
//!
//! Invariants: every construct of the grammar can occur; only the tape decides what is generated, so that
//! proptest can shrink it.

/// Random bytes, consumed one by one, then zeros, which choose small constructs.
#[derive(Debug)]
pub(crate) struct Tape {
    bytes: std::vec::IntoIter<u8>,
}

impl Tape {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self { bytes: bytes.into_iter() }
    }

    /// A number below a limit.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::from(self.bytes.next().unwrap_or(0)) % limit
    }

    pub(crate) fn one_in(&mut self, chance: usize) -> bool {
        self.below(chance) == chance - 1
    }

    fn pick(&mut self, choices: &[&'static str]) -> &'static str {
        choices[self.below(choices.len())]
    }
}

/// The tokens of a file.
pub(crate) fn file(tape: &mut Tape) -> Vec<String> {
    let mut generator = Generator { tape, tokens: Vec::new() };
    generator.file();
    generator.tokens
}

/// Names. Keywords are valid names.
const NAMES: &[&str] = &[
    "a",
    "title",
    "type",
    "stream",
    "reserved",
    "client",
    "error",
    "fn",
    "use",
    "r2_d2",
    "a_rather_long_name",
];
const PLAIN: &[&str] = &["alpha", "Beta", "gamma_delta", "Epsilon", "z9"];

struct Generator<'t> {
    tape: &'t mut Tape,
    tokens: Vec<String>,
}

impl Generator<'_> {
    fn put(&mut self, tokens: &[&str]) {
        self.tokens.extend(tokens.iter().map(|token| (*token).to_owned()));
    }

    fn name(&mut self) {
        let name = self.tape.pick(NAMES);
        self.put(&[name]);
    }

    fn plain(&mut self) {
        let name = self.tape.pick(PLAIN);
        self.put(&[name]);
    }

    fn file(&mut self) {
        self.put(&["package"]);
        self.dotted();
        self.put(&[";"]);
        for _ in 0..self.tape.below(5) {
            self.import();
        }
        for _ in 0..self.tape.below(6) {
            self.item();
        }
    }

    fn dotted(&mut self) {
        self.plain();
        for _ in 0..self.tape.below(3) {
            self.put(&["."]);
            self.plain();
        }
    }

    fn import(&mut self) {
        self.put(&["use"]);
        self.dotted();
        match self.tape.below(4) {
            0 => {}
            1 => self.alias(),
            2 => {
                self.put(&["::"]);
                self.entry_of_import();
            }
            _ => {
                self.put(&["::", "{"]);
                let count = self.tape.below(5);
                self.separated(count, "}", Self::entry_of_import);
            }
        }
        self.put(&[";"]);
    }

    fn entry_of_import(&mut self) {
        self.plain();
        if self.tape.one_in(3) {
            self.alias();
        }
    }

    fn alias(&mut self) {
        self.put(&["as"]);
        self.plain();
    }

    /// Entries separated by commas, possibly with a trailing one, and the closing bracket.
    fn separated(&mut self, count: usize, close: &str, mut entry: impl FnMut(&mut Self)) {
        for number in 0..count {
            entry(self);
            if number + 1 < count || self.tape.one_in(2) {
                self.put(&[","]);
            }
        }
        self.put(&[close]);
    }

    fn decoration(&mut self) {
        while self.tape.one_in(4) {
            if self.tape.one_in(2) {
                let doc = self.tape.pick(&["/// documented", "///", "///  indented"]);
                self.put(&[doc]);
            } else {
                self.attribute();
            }
        }
    }

    fn attribute(&mut self) {
        self.put(&["#", "["]);
        let name = self.tape.pick(&["since", "allow", "rust", "deprecated"]);
        self.put(&[name]);
        if self.tape.one_in(2) {
            self.put(&["("]);
            let count = self.tape.below(4);
            self.separated(count, ")", |generator| generator.argument(2));
        }
        self.put(&["]"]);
    }

    fn argument(&mut self, depth: usize) {
        match self.tape.below(3) {
            0 => self.value(1),
            1 => {
                self.name();
                self.put(&["="]);
                self.value(1);
            }
            _ if depth > 0 => {
                self.name();
                self.put(&["("]);
                let count = self.tape.below(3);
                self.separated(count, ")", |generator| generator.argument(depth - 1));
            }
            _ => self.put(&["7"]),
        }
    }

    fn item(&mut self) {
        self.decoration();
        match self.tape.below(9) {
            0 => {
                self.put(&["const"]);
                self.plain();
                self.put(&[":"]);
                self.ty(3);
                self.put(&["="]);
                self.value(3);
                self.put(&[";"]);
            }
            1 => {
                self.put(&["newtype"]);
                self.plain();
                self.put(&["("]);
                self.ty(3);
                self.put(&[")", ";"]);
            }
            2 => {
                self.put(&["type"]);
                self.plain();
                self.put(&["="]);
                self.ty(4);
                self.put(&[";"]);
            }
            kind @ (3 | 4) => {
                if self.tape.one_in(2) {
                    self.put(&["sealed"]);
                }
                self.put(&[if kind == 3 { "struct" } else { "enum" }]);
                self.plain();
                if kind == 3 { self.fields() } else { self.variants() }
            }
            5 => {
                self.put(&["error"]);
                self.plain();
                self.variants();
            }
            6 => {
                self.put(&["flags"]);
                self.plain();
                self.put(&[":", "u32", "{"]);
                let count = self.tape.below(5);
                self.separated(count, "}", |generator| {
                    generator.decoration();
                    generator.name();
                    generator.put(&["="]);
                    generator.value(2);
                });
            }
            kind => {
                self.put(&[if kind == 7 { "interface" } else { "service" }]);
                self.plain();
                self.put(&["{"]);
                for _ in 0..self.tape.below(6) {
                    self.member(2);
                }
                self.put(&["}"]);
            }
        }
    }

    fn fields(&mut self) {
        self.put(&["{"]);
        let count = self.tape.below(5);
        self.separated(count, "}", Self::field);
    }

    fn field(&mut self) {
        self.decoration();
        if self.tape.one_in(5) {
            self.put(&["reserved"]);
        }
        self.name();
        self.put(&[":"]);
        self.ty(3);
        if self.tape.one_in(3) {
            self.put(&["="]);
            self.value(2);
        }
    }

    fn variants(&mut self) {
        self.put(&["{"]);
        let count = self.tape.below(6);
        self.separated(count, "}", |generator| {
            if generator.tape.one_in(6) {
                generator.put(&["reserved", "7", "\"gone\""]);
                return;
            }
            generator.decoration();
            generator.name();
            match generator.tape.below(3) {
                0 => {}
                1 => generator.fields(),
                _ => {
                    generator.put(&["("]);
                    let count = generator.tape.below(4);
                    generator.separated(count, ")", |generator| {
                        generator.decoration();
                        generator.ty(2);
                    });
                }
            }
            if generator.tape.one_in(3) {
                generator.put(&["="]);
                generator.value(1);
            }
        });
    }

    fn member(&mut self, depth: usize) {
        match self.tape.below(6) {
            0 => {
                self.decoration();
                self.put(&["include"]);
                self.path();
                self.put(&[";"]);
            }
            1 => self.put(&["reserved", "fn", "\"gone\"", ";"]),
            2 if depth > 0 => {
                self.put(&["client", "{"]);
                for _ in 0..self.tape.below(4) {
                    self.member(depth - 1);
                }
                self.put(&["}"]);
            }
            _ => self.method(),
        }
    }

    fn method(&mut self) {
        self.decoration();
        if self.tape.one_in(4) {
            self.put(&["oneway"]);
        }
        self.put(&["fn"]);
        self.name();
        self.put(&["("]);
        let count = self.tape.below(5);
        let rest = self.tape.one_in(4);
        for number in 0..count {
            self.field();
            if number + 1 < count || rest {
                self.put(&[","]);
            }
        }
        if rest {
            self.put(&[".."]);
        }
        if (rest || count > 0) && self.tape.one_in(3) {
            self.put(&[","]);
        }
        self.put(&[")"]);
        if self.tape.one_in(2) {
            self.put(&["->"]);
            self.ty(3);
        }
        if self.tape.one_in(3) {
            self.put(&["throws"]);
            self.path();
        }
        self.put(&[";"]);
    }

    fn path(&mut self) {
        self.dotted();
        if self.tape.one_in(2) {
            self.put(&["::"]);
            self.plain();
        }
    }

    fn ty(&mut self, depth: usize) {
        match self.tape.below(if depth == 0 { 2 } else { 7 }) {
            0 => {
                let name = self.tape.pick(&["u8", "String", "Timestamp", "u128"]);
                self.put(&[name]);
            }
            1 => self.path(),
            2 => {
                self.put(&["["]);
                self.ty(depth - 1);
                self.put(&[";"]);
                self.operation(1);
                self.put(&["]"]);
            }
            3 => self.put(&["(", ")"]),
            4 => {
                let inner: &[&str] = if self.tape.one_in(2) { &["[", "u8", ";", "4", "]"] } else { &["u8"] };
                self.put(&["stream"]);
                self.put(inner);
            }
            _ => {
                let name = self.tape.pick(&["Vec", "Map", "Option", "Set", "String"]);
                self.put(&[name, "<"]);
                let count = self.tape.below(4);
                self.separated(count, ">", |generator| {
                    if generator.tape.one_in(3) {
                        generator.put(&["..="]);
                        generator.operation(1);
                    } else {
                        generator.ty(depth - 1);
                    }
                });
            }
        }
    }

    fn value(&mut self, depth: usize) {
        if self.tape.one_in(8) {
            let empty = self.tape.pick(&["[", "{"]);
            return self.put(&[empty, if empty == "[" { "]" } else { "}" }]);
        }
        self.operation(depth);
    }

    fn operation(&mut self, depth: usize) {
        self.operand(depth);
        for _ in 0..self.tape.below(3) {
            let operator = self.tape.pick(&["+", "-", "*", "<<", "|"]);
            self.put(&[operator]);
            self.operand(depth);
        }
    }

    fn operand(&mut self, depth: usize) {
        if self.tape.one_in(4) {
            self.put(&["-"]);
        }
        match self.tape.below(6) {
            0 => {
                let number = self.tape.pick(&[
                    "0",
                    "1_000",
                    "0xFF_ff",
                    "0b101",
                    "340282366920938463463374607431768211455",
                ]);
                self.put(&[number]);
            }
            1 => self.path(),
            2 => {
                let text = self.tape.pick(&[
                    "\"a \\\" // quoted\"",
                    "\"\"",
                    "\"/* \u{1F980} */\"",
                    "\"a text that is long enough to need a line of its own, or nearly so, \
                     since it goes on\"",
                ]);
                self.put(&[text]);
            }
            3 => self.put(&["'\\''"]),
            4 => self.put(&["true"]),
            _ if depth > 0 => {
                self.put(&["("]);
                self.operation(depth - 1);
                self.put(&[")"]);
            }
            _ => self.put(&["-1.5e-3".trim_start_matches('-')]),
        }
    }
}
