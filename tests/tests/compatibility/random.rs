//! On random schemas with random edits, the rules and the peers agree.

use std::fmt::Write;

use kaa_idl::compatibility::ConnectOutcome;
use proptest::prelude::*;

use super::generations::{connect, schema, wire_findings};

/// Types of fields, each with a default where it has one.
const PLAIN: &[(&str, Option<&str>)] = &[
    ("u8", Some("3")),
    ("u16", Some("3")),
    ("u64", None),
    ("bool", Some("true")),
    ("String", Some("\"x\"")),
    ("String<..=8>", Some("\"x\"")),
    ("Option<u8>", None),
    ("Option<u16>", Some("4")),
    ("[u8; 3]", None),
    ("[u8; 4]", None),
    ("Map<u8, u8>", Some("{}")),
    ("Map<u16, u8>", Some("{}")),
    ("Vec<u8>", Some("[]")),
    ("Vec<u8, ..=4>", Some("[]")),
    ("Id", None),
];
/// Types that are not allowed in sealed types.
const OPEN: &[(&str, Option<&str>)] = &[("Option<S0>", None), ("Vec<E0>", Some("[]"))];

#[derive(Debug, Clone)]
struct Field {
    name: String,
    ty: usize,
    default: bool,
    tombstone: bool,
}

#[derive(Debug, Clone)]
struct Variant {
    name: String,
    tag: u32,
    payload: Vec<Field>,
}

#[derive(Debug, Clone)]
struct Method {
    name: String,
    oneway: bool,
    client: bool,
    streams: bool,
    returns: usize,
    throws: Option<u8>,
    parameters: Vec<Field>,
}

#[derive(Debug, Clone)]
struct Model {
    open: Vec<Field>,
    sealed: Vec<Field>,
    variants: Vec<Variant>,
    sealed_variants: Vec<Variant>,
    reserved: Vec<u32>,
    flags: Vec<(String, u32)>,
    inner: usize,
    methods: Vec<Method>,
    reserved_methods: Vec<String>,
    names: [&'static str; 2],
}

fn ty(index: usize, open: bool) -> (&'static str, Option<&'static str>) {
    let all = PLAIN.len() + if open { OPEN.len() } else { 0 };
    let index = index % all;
    PLAIN.get(index).copied().unwrap_or_else(|| OPEN[index - PLAIN.len()])
}

impl Field {
    fn text(&self, open: bool) -> String {
        let (ty, default) = ty(self.ty, open);
        let default =
            default.filter(|_| self.default).map_or_else(String::new, |value| format!(" = {value}"));
        let reserved = if self.tombstone { "reserved " } else { "" };
        format!("{reserved}{}: {ty}{default}", self.name)
    }
}

fn list(fields: &[Field], open: bool) -> String {
    fields.iter().map(|field| field.text(open)).collect::<Vec<_>>().join(", ")
}

impl Model {
    fn text(&self) -> String {
        let [structure, enumeration] = self.names;
        let mut text = format!("newtype Id({});\n", ["u8", "u16", "u32"][self.inner % 3]);
        writeln!(text, "struct {structure} {{ {} }}", list(&self.open, true)).unwrap();
        writeln!(text, "sealed struct S1 {{ {} }}", list(&self.sealed, false)).unwrap();
        let variants = |variants: &[Variant], open: bool| {
            let variants = variants.iter().map(|variant| match variant.payload.as_slice() {
                [] => format!("{} = {}", variant.name, variant.tag),
                fields => format!("{} {{ {} }} = {}", variant.name, list(fields, open), variant.tag),
            });
            variants.collect::<Vec<_>>().join(", ")
        };
        let reserved: String = self.reserved.iter().map(|tag| format!("reserved {tag}, ")).collect();
        writeln!(text, "enum {enumeration} {{ {reserved}{} }}", variants(&self.variants, true)).unwrap();
        writeln!(text, "sealed enum E1 {{ {} }}", variants(&self.sealed_variants, false)).unwrap();
        let flags: Vec<String> = self.flags.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        writeln!(text, "flags F: u32 {{ {} }}", flags.join(", ")).unwrap();
        text.push_str("error X0 { A } error X1 { A }\nservice Demo {\n");
        writeln!(
            text,
            "fn reach(a: Vec<{structure}>, b: Option<S1>, c: Vec<{enumeration}>, d: Option<E1>, e: F, f: Id) throws X0;"
        )
        .unwrap();
        text.push_str("fn reach_too() throws X1;\n");
        for client in [false, true] {
            if client {
                text.push_str("client {\n");
            }
            for method in self.methods.iter().filter(|method| method.client == client) {
                method.write(&mut text);
            }
        }
        text.push_str("}\n");
        for name in &self.reserved_methods {
            writeln!(text, "reserved fn \"{name}\";").unwrap();
        }
        text + "}\n"
    }
}

impl Method {
    fn write(&self, text: &mut String) {
        let oneway = if self.oneway { "oneway " } else { "" };
        let mut parameters = list(&self.parameters, true);
        if self.streams {
            parameters = format!("rows: stream u8, {parameters}");
        }
        write!(text, "{oneway}fn {}({parameters})", self.name).unwrap();
        if !self.oneway {
            write!(text, " -> {}", ty(self.returns, true).0).unwrap();
            if let Some(error) = self.throws {
                write!(text, " throws X{}", error % 2).unwrap();
            }
        }
        text.push_str(";\n");
    }
}

fn named_fields(fields: Vec<(usize, bool)>, prefix: &str) -> Vec<Field> {
    let fields = fields.into_iter().enumerate();
    fields
        .map(|(index, (ty, default))| Field {
            name: format!("{prefix}{index}"),
            ty,
            default,
            tombstone: false,
        })
        .collect()
}

fn fields(prefix: &'static str, limit: usize) -> impl Strategy<Value = Vec<Field>> {
    prop::collection::vec((0..40usize, any::<bool>()), 0..limit)
        .prop_map(move |fields| named_fields(fields, prefix))
}

fn variants(prefix: &'static str) -> impl Strategy<Value = Vec<Variant>> {
    prop::collection::vec(fields("p", 3), 1..4).prop_map(move |payloads| {
        let variants = payloads.into_iter().zip(0u32..);
        variants
            .map(|(payload, tag)| Variant { name: format!("{prefix}{tag}"), tag: tag * 2 + 1, payload })
            .collect()
    })
}

fn methods() -> impl Strategy<Value = Vec<Method>> {
    let method =
        (any::<bool>(), any::<bool>(), any::<bool>(), 0..40usize, prop::option::of(0..2u8), fields("q", 3));
    prop::collection::vec(method, 0..4).prop_map(|methods| {
        let methods = methods.into_iter().enumerate();
        methods
            .map(|(index, (oneway, client, streams, returns, throws, parameters))| Method {
                name: format!("m{index}"),
                oneway,
                client,
                streams: streams && !oneway,
                returns,
                throws,
                parameters,
            })
            .collect()
    })
}

fn models() -> impl Strategy<Value = Model> {
    let data = (fields("a", 5), fields("b", 4), variants("V"), variants("W"), 0..3usize, methods());
    data.prop_map(|(open, sealed, variants, sealed_variants, inner, methods)| Model {
        open,
        sealed,
        variants,
        sealed_variants,
        reserved: Vec::new(),
        flags: vec![("FA".to_owned(), 1), ("FB".to_owned(), 2)],
        inner,
        methods,
        reserved_methods: Vec::new(),
        names: ["S0", "E0"],
    })
}

/// One edit: its kind, and three numbers that select the place and the new value.
type Edit = (u8, usize, usize, usize);

fn edit_fields(fields: &mut Vec<Field>, what: u8, place: usize, how: usize) {
    let count = fields.len();
    match what % 8 {
        0 => fields.push(Field { name: "new".to_owned(), ty: how, default: true, tombstone: false }),
        1 => fields.insert(
            place % (count + 1),
            Field { name: "put".to_owned(), ty: how, default: true, tombstone: false },
        ),
        _ if count == 0 => {}
        2 => drop(fields.remove(place % count)),
        3 => fields.swap(place % count, how % count),
        4 => fields[place % count].ty = how,
        5 => fields[place % count].default ^= true,
        6 => fields[place % count].name = "other".to_owned(),
        _ => fields[place % count].tombstone ^= true,
    }
}

fn edit_variants(variants: &mut Vec<Variant>, reserved: &mut Vec<u32>, (what, place, how, more): Edit) {
    let at = place % variants.len();
    match what % 7 {
        0 => variants.push(Variant { name: "New".to_owned(), tag: 90, payload: Vec::new() }),
        1 if variants.len() > 1 => drop(variants.remove(at)),
        2 if variants.len() > 1 => reserved.push(variants.remove(at).tag),
        3 => variants[at].tag = 50,
        4 => variants[at].name = "Other".to_owned(),
        5 => variants.reverse(),
        _ => edit_fields(&mut variants[at].payload, u8::try_from(how % 8).unwrap(), more, how),
    }
}

fn edit_flags(flags: &mut Vec<(String, u32)>, what: usize) {
    match what % 5 {
        _ if flags.len() < 2 => {}
        0 => flags.push(("FC".to_owned(), 4)),
        1 => drop(flags.remove(0)),
        2 => flags[1].1 = 8,
        3 => flags[1].0 = "FD".to_owned(),
        _ => flags.reverse(),
    }
}

fn edit_methods(model: &mut Model, (what, place, how, more): Edit) {
    let count = model.methods.len();
    if count == 0 {
        return;
    }
    let method = &mut model.methods[place % count];
    match what % 9 {
        0 => drop(model.methods.remove(place % count)),
        1 => {
            let method = model.methods.remove(place % count);
            if method.client {
                return;
            }
            model.reserved_methods.push(method.name);
        }
        2 => method.oneway = !method.oneway && !method.streams,
        3 => method.client ^= true,
        4 => method.returns = how,
        5 => method.throws = [None, Some(0), Some(1)][how % 3],
        6 => method.streams = !method.streams && !method.oneway,
        7 => method.name = "renamed".to_owned(),
        _ => edit_fields(&mut method.parameters, u8::try_from(how % 8).unwrap(), more, how),
    }
}

fn apply(model: &mut Model, edit: Edit) {
    let (what, place, how, more) = edit;
    let inner = (u8::try_from(more % 251).unwrap(), place, how, more / 251);
    match what % 8 {
        0 | 1 => edit_fields(&mut model.open, inner.0, place, how),
        2 => edit_fields(&mut model.sealed, inner.0, place, how),
        3 => edit_variants(&mut model.variants, &mut model.reserved, inner),
        4 => edit_variants(&mut model.sealed_variants, &mut Vec::new(), inner),
        5 => edit_flags(&mut model.flags, how),
        6 => edit_methods(model, inner),
        _ => match how % 4 {
            0 => model.inner += 1,
            1 => model.names[0] = "T0",
            2 => model.names[1] = "G0",
            _ => edit_methods(model, inner),
        },
    }
}

fn renamed(text: String, model: &Model) -> String {
    text.replace("Option<S0>", &format!("Option<{}>", model.names[0]))
        .replace("Vec<E0>", &format!("Vec<{}>", model.names[1]))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rules_and_peers_agree_on_random_schemas(
        model in models(),
        edits in prop::collection::vec((any::<u8>(), 0..1000usize, 0..1000usize, 0..100_000usize), 0..3),
    ) {
        let mut edited = model.clone();
        for edit in edits {
            apply(&mut edited, edit);
        }
        let (old_text, new_text) = (renamed(model.text(), &model), renamed(edited.text(), &edited));
        let (Ok(old), Ok(new)) = (schema(&old_text), schema(&new_text)) else { return Ok(()) };
        let findings = wire_findings(&old, &new);
        let [old_refusal, new_refusal] = connect(&old, &new);
        prop_assert_eq!(old_refusal.is_some(), new_refusal.is_some());
        let refused = old_refusal.is_some();
        let expected: Vec<ConnectOutcome> = findings.iter().map(|finding| finding.rule.connect_outcome()).collect();
        let case = || format!("{old_text}\n{new_text}\n{findings:?}\n{old_refusal:?}");
        if expected.contains(&ConnectOutcome::Refused) {
            prop_assert!(refused, "a rule is broken, and the peers connect:\n{}", case());
        }
        if !expected.contains(&ConnectOutcome::Refused) && !expected.contains(&ConnectOutcome::Depends) {
            prop_assert!(!refused, "no rule is broken, and the peers refuse each other:\n{}", case());
        }
    }
}

/// The test above is useful only if most random schemas compile, and both verdicts are frequent.
#[test]
fn random_schemas_are_varied_enough() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let strategy = (models(), (any::<u8>(), 0..1000usize, 0..1000usize, 0..100_000usize));
    let (mut compiled, mut refused, mut changed) = (0, 0, 0);
    for _ in 0..300 {
        let (model, edit) = strategy.new_tree(&mut runner).unwrap().current();
        let mut edited = model.clone();
        apply(&mut edited, edit);
        let (old, new) = (schema(&renamed(model.text(), &model)), schema(&renamed(edited.text(), &edited)));
        let (Ok(old), Ok(new)) = (old, new) else { continue };
        compiled += 1;
        let different = old.packages[0].services[0].fingerprint != new.packages[0].services[0].fingerprint;
        changed += usize::from(different);
        refused += usize::from(connect(&old, &new)[0].is_some());
    }
    assert!(
        compiled > 150 && refused > 40 && changed - refused > 20,
        "of 300 schemas, {compiled} compiled, {refused} were refused, {changed} changed"
    );
}
