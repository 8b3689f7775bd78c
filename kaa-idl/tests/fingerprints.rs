//! The canonical form: golden hashes, which edits change them, and which do not.

#![allow(clippy::expect_used, reason = "a test that cannot continue must fail")]

use std::fmt::Write;

use kaa_idl::schema::{ElementEntry, Service, ServiceTable, TypeForm};
use kaa_idl::{MemorySource, RenderStyle, compile};

const BASE: &str = r#"package tv.epg;

const LIMIT: u32 = 50;
type Name = String<..=64>;
newtype Id(u64);
sealed struct Range { start: Timestamp, end: Timestamp }
struct Program { id: Id, title: Name, when: Range, rating: Option<f32>, genre: u16 = 5 }
enum Source { Url(String) = 2, Disc = 3, Air { channel: Id, lcn: Option<u16> } = 1 }
sealed enum Order { Start, Title }
flags Caps: u32 { SUBTITLES = 2, HD = 1 }
error Failed { Closed, Broken(String) }
interface Health { fn uptime() -> Duration; }
service Epg {
    include Health;
    fn search(text: Name, order: Order = Order::Title, limit: u32 = LIMIT) -> Vec<Program> throws Failed;
    fn sources(caps: Caps) -> Map<Id, Source>;
    client { oneway fn changed(ids: Vec<Id>); }
}
"#;

fn services(text: &str) -> Vec<Service> {
    let compilation = compile(&MemorySource::new([("tv/epg.kaa", text)]));
    assert!(compilation.diagnostics().is_empty(), "{}", compilation.render(RenderStyle::Plain));
    let packages = &compilation.schema().expect("a schema").packages;
    packages.iter().flat_map(|package| package.services.clone()).collect()
}

fn service(text: &str) -> Service {
    services(text).remove(0)
}

/// The base with one change. The changed text must occur exactly once.
fn changed(from: &str, to: &str) -> Service {
    assert_eq!(BASE.matches(from).count(), 1, "{from}");
    service(&BASE.replace(from, to))
}

fn elements<'t>(table: &'t ServiceTable, name: &str) -> &'t [ElementEntry] {
    &table.types.iter().find(|entry| entry.name == name).expect("the type").elements
}

fn hashes(elements: &[ElementEntry]) -> Vec<u64> {
    elements.iter().map(|element| element.hash).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string succeeds");
        text
    })
}

fn shown(table: &ServiceTable) -> String {
    let mut text = String::new();
    for method in &table.methods {
        writeln!(
            text,
            "method {:08x} {} {:016x} {:016x}",
            method.id, method.name, method.signature, method.throws
        )
        .expect("writing to a string succeeds");
        show(&mut text, &method.parameters);
    }
    for entry in &table.types {
        writeln!(text, "type {} {:?}", entry.name, entry.form).expect("writing to a string succeeds");
        show(&mut text, &entry.elements);
    }
    text
}

fn show(text: &mut String, elements: &[ElementEntry]) {
    for element in elements {
        let default = if element.has_default { " default" } else { "" };
        writeln!(text, "  {} {} {:016x}{default}", element.tag, element.name, element.hash)
            .expect("writing to a string succeeds");
    }
}

#[test]
fn tables_match_golden_file() {
    let service = service(BASE);
    let found = format!("fingerprint {}\n{}", hex(&service.fingerprint), shown(&service.table));
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fingerprints.golden");
    if std::env::var_os("KAA_BLESS").is_some() {
        std::fs::write(path, &found).expect("the golden file is written");
    }
    assert_eq!(found, std::fs::read_to_string(path).expect("the golden file"));
}

#[test]
fn fingerprint_ignores_compatible_edits() {
    let base = service(BASE);
    let mut items: Vec<&str> = BASE.lines().skip(2).take(9).collect();
    items.reverse();
    let reordered =
        BASE.lines().take(2).chain(items).chain(BASE.lines().skip(11)).collect::<Vec<_>>().join("\n");
    let same = [
        ("order of items", service(&reordered)),
        ("docs", changed("struct Program", "/// One.\nstruct Program")),
        ("comments", changed("struct Program", "// One.\nstruct Program")),
        ("aliases", changed("title: Name", "title: String")),
        ("bounds", changed("String<..=64>", "String<..=65>")),
        ("since", changed("rating:", "#[since(2)] rating:")),
        ("deprecated", changed("rating:", "#[deprecated] rating:")),
        ("order of tagged variants", changed("Url(String) = 2, Disc = 3", "Disc = 3, Url(String) = 2")),
        ("order of flags", changed("SUBTITLES = 2, HD = 1", "HD = 1, SUBTITLES = 2")),
        ("a tombstone with a default", changed("genre: u16 = 5", "reserved genre: u16 = 5")),
        ("a tombstone of an option", changed("rating: Option<f32>", "reserved rating: Option<f32>")),
        ("a tombstone without a default", changed("id: Id, title", "reserved id: Id, title")),
        ("a reserved tag", changed("Disc = 3,", "Disc = 3, reserved 9 \"Tape\",")),
        ("a reserved method", changed("include Health;", "include Health; reserved fn \"wipe\";")),
        ("an unused type", changed("newtype Id", "struct Unused { a: u8 }\nnewtype Id")),
        ("a constant's name", service(&BASE.replace("LIMIT", "MOST"))),
        ("a renamed field with a selector", changed("title: Name", "#[selector(\"title\")] name: Name")),
        ("a renamed variant with a selector", changed("Url(String)", "#[selector(\"Url\")] Link(String)")),
        (
            "a renamed type with a selector",
            service(
                &BASE
                    .replace("Range", "Span")
                    .replace("sealed struct", "#[selector(\"Range\")] sealed struct"),
            ),
        ),
        ("a renamed service with a selector", changed("service Epg", "#[selector(\"Epg\")] service Guide")),
        (
            "a renamed method with a selector",
            changed("fn sources", "#[selector(\"sources\")] fn all_sources"),
        ),
        ("a renamed interface", service(&BASE.replace("Health", "Alive"))),
    ];
    for (what, other) in &same {
        assert_eq!(hex(&other.fingerprint), hex(&base.fingerprint), "{what}");
        let hash_only = |service: &Service| {
            service
                .table
                .types
                .iter()
                .map(|entry| (entry.name.clone(), hashes(&entry.elements)))
                .collect::<Vec<_>>()
        };
        assert_eq!(hash_only(other), hash_only(&base), "{what}");
    }
}

#[test]
fn fingerprint_changes_with_incompatible_edits() {
    let base = service(BASE);
    let different = [
        ("a field's name", changed("title: Name", "name: Name")),
        ("a field's type", changed("genre: u16", "genre: u32")),
        ("a field's default", changed("genre: u16 = 5", "genre: u16 = 6")),
        ("no default", changed("genre: u16 = 5", "genre: u16")),
        ("a constant's value", changed("LIMIT: u32 = 50", "LIMIT: u32 = 51")),
        ("the order of fields", changed("id: Id, title: Name", "title: Name, id: Id")),
        ("another field", changed("genre: u16 = 5", "genre: u16 = 5, year: u16 = 0")),
        ("sealing", changed("struct Program", "sealed struct Program")),
        ("unsealing", changed("sealed enum", "enum")),
        ("an unsealed struct", changed("sealed struct", "struct")),
        ("a tag", changed("Disc = 3", "Disc = 4")),
        ("a variant's name", changed("Disc = 3", "Disk = 3")),
        ("a payload", changed("Url(String)", "Url(Bytes)")),
        ("the form of a payload", changed("Broken(String)", "Broken { text: String }")),
        ("another variant", changed("Disc = 3,", "Disc = 3, Tape = 4,")),
        ("a flag's value", changed("HD = 1", "HD = 4")),
        ("the carrier of flags", changed("flags Caps: u32", "flags Caps: u64")),
        ("an array for a vector", changed("ids: Vec<Id>", "ids: [Id; 3]")),
        ("an inner type", changed("newtype Id(u64)", "newtype Id(u32)")),
        ("a struct for a newtype", changed("newtype Id(u64);", "sealed struct Id { id: u64 }")),
        ("a result", changed("-> Vec<Program>", "-> Set<Id>")),
        ("no error", changed(" throws Failed", "")),
        ("an error's name", service(&BASE.replace("Failed", "Broken_"))),
        ("oneway", changed("oneway fn", "fn")),
        ("a method's name", changed("fn sources", "fn all_sources")),
        ("another method", changed("include Health;", "include Health; fn more();")),
        ("the service's name", changed("service Epg", "service Guide")),
        ("a method of an interface", changed("fn uptime() -> Duration", "fn uptime() -> u64")),
        (
            "the side",
            changed("client { oneway fn changed(ids: Vec<Id>); }", "oneway fn changed(ids: Vec<Id>);"),
        ),
        ("a parameter's default", changed("Order::Title", "Order::Start")),
    ];
    let mut seen = vec![("the base", base.fingerprint)];
    for (what, other) in &different {
        let twin = seen.iter().find(|(_, fingerprint)| *fingerprint == other.fingerprint);
        assert!(twin.is_none(), "{what} has the fingerprint of {}", twin.map_or("", |(what, _)| what));
        seen.push((what, other.fingerprint));
    }
}

const STREAMS: &str = r#"package tv.epg;

struct Row { id: u64 }
error Failed { Closed }
interface Health { fn beats() -> stream u8; }
service Rows {
    include Health;
    fn search(text: String) -> stream Row throws Failed;
    fn import(rows: stream Row, limit: u32) -> u64;
    fn echo(lines: stream String) -> stream String throws Failed;
    client { fn watch() -> stream u64; }
}
"#;

/// The schema with an additional method.
fn with(method: &str) -> Service {
    service(&STREAMS.replace("include Health;", &format!("include Health; {method}")))
}

#[test]
fn stream_tables_match_golden_file() {
    let service = service(STREAMS);
    let found = format!("fingerprint {}\n{}", hex(&service.fingerprint), shown(&service.table));
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fingerprints_streams.golden");
    if std::env::var_os("KAA_BLESS").is_some() {
        std::fs::write(path, &found).expect("the golden file is written");
    }
    assert_eq!(found, std::fs::read_to_string(path).expect("the golden file"));
}

#[test]
fn fingerprint_depends_on_streams() {
    let different = [
        "fn f(a: Row);",
        "fn f(a: stream Row);",
        "fn f(b: stream Row);",
        "fn f(a: stream u8);",
        "fn f(a: stream Row) -> stream Row;",
        "fn f(a: stream Row) -> Row;",
        "fn f(a: stream Row) -> Row throws Failed;",
        "fn f() -> stream Row;",
        "fn f() -> stream Row throws Failed;",
        "fn f() -> stream u8;",
        "fn f() -> Row;",
        "fn f() -> Vec<Row>;",
        "fn f();",
    ];
    let mut seen: Vec<(&str, [u8; 32])> = Vec::new();
    for method in different {
        let fingerprint = with(method).fingerprint;
        let twin = seen.iter().find(|(_, other)| *other == fingerprint);
        assert!(twin.is_none(), "{method} has the fingerprint of {}", twin.map_or("", |(other, _)| other));
        seen.push((method, fingerprint));
    }
}

#[test]
fn fingerprint_ignores_place_and_bounds_of_streams() {
    let base = with("fn f(rows: stream String, limit: u32) -> stream u8;").fingerprint;
    let same = [
        ("its place", "fn f(limit: u32, rows: stream String) -> stream u8;"),
        ("bounds", "fn f(rows: stream String<..=9>, limit: u32) -> stream u8;"),
        (
            "a name with a selector",
            "fn f(#[selector(\"rows\")] lines: stream String, limit: u32) -> stream u8;",
        ),
        ("a timeout", "#[timeout(\"5s\")] fn f(rows: stream String, limit: u32) -> stream u8;"),
        ("docs", "/// One.\nfn f(/** Two. */ rows: stream String, limit: u32) -> stream u8;"),
    ];
    for (what, method) in same {
        assert_eq!(hex(&with(method).fingerprint), hex(&base), "{what}");
    }
    let promised = |attribute: &str| with(&format!("{attribute} fn f(a: u8);")).fingerprint;
    assert_eq!(promised("#[idempotent]"), promised("#[detached] #[timeout(\"1s\")]"));
}

#[test]
fn item_types_of_streams_are_in_the_table() {
    let text = "package tv.epg;\nstruct A {}\nstruct B {}\nstruct C {}\nservice S { fn a(rows: stream A) -> stream B; }\n";
    let names: Vec<String> = service(text).table.types.iter().map(|entry| entry.name.clone()).collect();
    assert_eq!(names, ["tv.epg.A", "tv.epg.B"]);
}

#[test]
fn appended_field_keeps_earlier_hashes() {
    let base = service(BASE);
    let longer = changed("genre: u16 = 5", "genre: u16 = 5, year: u16 = 0");
    let (short, long) = (elements(&base.table, "tv.epg.Program"), elements(&longer.table, "tv.epg.Program"));
    assert_eq!(long.len(), short.len() + 1);
    assert_eq!(&long[..short.len()], short);
    let swapped = changed("title: Name, when: Range", "when: Range, title: Name");
    let swapped = hashes(elements(&swapped.table, "tv.epg.Program"));
    let kept: Vec<bool> = swapped.iter().zip(hashes(short)).map(|(new, old)| *new == old).collect();
    assert_eq!(kept, [true, false, false, false, false]);
    let more = changed("text: Name, order", "text: Name, order_: Option<u8>, order");
    let parameters = |service: &Service| {
        let method = service.table.methods.iter().find(|method| method.name == "search");
        hashes(&method.expect("the method").parameters)
    };
    assert_eq!(parameters(&more)[0], parameters(&base)[0]);
    assert_ne!(parameters(&more)[1], parameters(&base)[1]);
}

#[test]
fn added_variant_keeps_other_hashes() {
    let base = service(BASE);
    let more = changed("Disc = 3,", "Tape = 4, Disc = 3,");
    let (old, new) = (elements(&base.table, "tv.epg.Source"), elements(&more.table, "tv.epg.Source"));
    let kept: Vec<&ElementEntry> = new.iter().filter(|entry| entry.tag != 4).collect();
    assert_eq!(kept, old.iter().collect::<Vec<_>>());
}

#[test]
fn table_contains_only_used_types() {
    let text = "package tv.epg;\nstruct A { b: Option<B> }\nstruct B { reserved c: Vec<C>, a: Option<A> }\nstruct C {}\nstruct D {}\nservice S { fn a() -> A; }\nservice T { fn d(x: Map<u8, D>); }\n";
    let services = services(text);
    let names = |service: &Service| {
        service.table.types.iter().map(|entry| (entry.name.clone(), entry.form)).collect::<Vec<_>>()
    };
    let structure = |name: &str| (format!("tv.epg.{name}"), TypeForm::Struct);
    assert_eq!(names(&services[0]), [structure("A"), structure("B"), structure("C")]);
    assert_eq!(names(&services[1]), [structure("D")]);
}

#[test]
fn methods_are_ordered_by_id() {
    let ids: Vec<u32> = service(BASE).table.methods.iter().map(|method| method.id).collect();
    assert!(ids.is_sorted() && ids.len() == 4);
}
