//! Realistic schemas of any size: groups of packages around a common package, with documentation, imports, every kind of
//! type, and services that include interfaces.
//!
//! Invariants: the same size gives the same text, and every package is correct.

use std::fmt::Write as _;

/// The number of packages in a group. The first is the common package of the group.
const GROUP: usize = 12;
/// The intended size of a package, in bytes.
const PACKAGE: usize = 25_000;

/// The paths and texts of packages with a total size of about `bytes`.
pub fn packages(bytes: usize) -> Vec<(String, String)> {
    let count = bytes.div_ceil(PACKAGE).max(1);
    (0..count).map(|index| (path(index), package(index, bytes / count))).collect()
}

/// Packages whose services have a total of `count` methods.
pub fn methods(count: usize) -> Vec<(String, String)> {
    let package = |index: usize, methods: usize| {
        let mut text = format!("package calls.p{index};\n\n");
        for number in 0..10 {
            structure(&mut text, &mut Random(index * 100 + number + 1), number, None);
        }
        for service in 0..methods.div_ceil(50) {
            let _ = writeln!(text, "service Service{service} {{");
            for number in 0..50.min(methods - service * 50) {
                method(&mut text, &mut Random(number + 1), "    ", service * 50 + number, 10, false);
            }
            text.push_str("}\n");
        }
        (format!("calls/p{index}.kaa"), text)
    };
    (0..count.div_ceil(500)).map(|index| package(index, 500.min(count - index * 500))).collect()
}

fn path(index: usize) -> String {
    format!("group{}/part{}.kaa", index / GROUP, index % GROUP)
}

fn package(index: usize, bytes: usize) -> String {
    let mut random = Random(index + 1);
    let (group, part) = (index / GROUP, index % GROUP);
    let mut text = format!(
        "//! Part {part} of group {group}: what its programs say to each other.\npackage group{group}.part{part};\n\n"
    );
    let common = (part > 0).then(|| {
        let _ = writeln!(text, "use group{group}.part0::{{Error0, Health, Id, Struct0 as Common, Tags}};");
        if part > 1 {
            let _ = writeln!(text, "use group{group}.part{} as neighbour;", part - 1);
        }
        text.push('\n');
        "Common"
    });
    if part == 0 {
        common_items(&mut text);
    }
    let mut structures = 0;
    while text.len() < bytes * 3 / 4 {
        structure(&mut text, &mut random, structures, if structures > 3 { common } else { None });
        if structures % 6 == 5 {
            enumeration(&mut text, structures);
        }
        structures += 1;
    }
    let mut services = 0;
    while text.len() < bytes {
        service(&mut text, &mut random, services, structures);
        services += 1;
    }
    text
}

fn common_items(text: &mut String) {
    text.push_str(
        "/// The largest page that anybody may ask for.
const MAX_PAGE: u32 = 5 * 100;
/// Names something in this part.
newtype Id(u64);
type Tags = Map<String<..=64>, Set<String<..=32>>>;

/// A range of time, frozen.
sealed struct Range { start: Timestamp, end: Timestamp }

sealed enum Order { Ascending, Descending }

flags Rights: u32 { READ = 1 << 0, WRITE = 1 << 1, SHARE = 1 << 2 }

error Error0 {
    /// No detail is known.
    #[display(\"nothing is known of {what}\")]
    NotFound { what: String<..=200> } = 1,
    Refused(String<..=200>) = 2,
    reserved 3 \"Tired\",
}

interface Health {
    /// How long it has been running.
    fn uptime() -> Duration;
}

",
    );
}

fn structure(text: &mut String, random: &mut Random, number: usize, common: Option<&str>) {
    let _ = writeln!(text, "/// What is known about number {number}, and by whom.\nstruct Struct{number} {{");
    let fields = 3 + random.below(10);
    for field in 0..fields {
        if field % 4 == 1 {
            let _ = writeln!(text, "    /// The part of it that is counted as {field}.");
        }
        let name = WORDS[random.below(WORDS.len())];
        let _ = write!(text, "    {name}_{field}: ");
        match random.below(14) {
            0 => text.push_str("String"),
            1 => text.push_str("String<..=256>"),
            2 => text.push_str("u64"),
            3 => text.push_str("Option<Timestamp>"),
            4 => text.push_str("Vec<u32, ..=500>"),
            5 => text.push_str("bool"),
            6 => text.push_str("Option<Duration>"),
            7 => text.push_str("Map<String, Bytes>"),
            8 | 9 if number > 0 => {
                let _ = write!(text, "Option<Struct{}>", random.below(number));
            }
            10 if number > 0 => {
                let _ = write!(text, "Vec<Struct{}>", number - 1);
            }
            11 | 12 if common.is_some() => {
                let _ = write!(text, "Option<{}>", common.unwrap_or_default());
            }
            10 if common.is_some() => text.push_str("Tags"),
            9 if common.is_some() => text.push_str("Option<Id>"),
            _ => text.push_str("[u8; 32]"),
        }
        text.push_str(",\n");
    }
    text.push_str(
        "    #[since(2)] rating: Option<f32>,\n    #[since(3)] language: String<..=8> = \"en\",\n}\n\n",
    );
}

fn enumeration(text: &mut String, number: usize) {
    let _ = write!(
        text,
        "/// Where number {number} comes from.
enum Source{number} {{
    Broadcast {{ channel: u32, structure: Struct{number}, number: Option<u16> }} = 1,
    /// An address.
    Url(String<..=2048>) = 2,
    Disc = 3,
    Nested(Vec<Source{number}>) = 5,
    reserved 4 \"Tape\",
}}

"
    );
}

fn service(text: &mut String, random: &mut Random, number: usize, structures: usize) {
    let _ =
        writeln!(text, "/// Functions here are served by the accepting peer.\nservice Service{number} {{");
    text.push_str("    include Health;\n");
    for index in 0..8 {
        method(text, random, "    ", number * 10 + index, structures, true);
    }
    text.push_str("    oneway fn log(line: String<..=1024>);\n    reserved fn \"wipe\";\n    client {\n");
    for index in 8..10 {
        method(text, random, "        ", number * 10 + index, structures, true);
    }
    text.push_str("    }\n}\n\n");
}

fn method(
    text: &mut String,
    random: &mut Random,
    indent: &str,
    index: usize,
    structures: usize,
    throws: bool,
) {
    let name = WORDS[random.below(WORDS.len())];
    let _ = writeln!(text, "{indent}/// Does what its name says, once.");
    let _ = write!(text, "{indent}fn {name}_{index}(text: String<..=200>, ");
    let argument = random.below(structures);
    let _ = write!(text, "subject: Struct{argument}");
    text.push_str(if random.below(4) == 0 { ", #[since(2)] limit: u32 = 50)" } else { ")" });
    match random.below(3) {
        0 => {}
        1 => text.push_str(" -> bool"),
        _ => {
            let _ = write!(text, " -> Vec<Struct{}>", random.below(structures));
        }
    }
    text.push_str(if throws && random.below(2) == 0 { " throws Error0;\n" } else { ";\n" });
}

const WORDS: [&str; 16] = [
    "activity",
    "attempt",
    "channel",
    "deployment",
    "execution",
    "history",
    "identity",
    "namespace",
    "options",
    "priority",
    "request",
    "schedule",
    "status",
    "target",
    "update",
    "worker",
];

/// Pseudorandom numbers, the same in every run.
struct Random(usize);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}
