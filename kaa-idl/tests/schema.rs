//! The resolved schema: names are resolved, values evaluated, includes flattened, and cycles boxed.
//!
//! The corpus in `KAA_CORPUS` must compile without diagnostics. If it is not set, the project's own schema
//! must.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot continue must fail")]

use std::path::PathBuf;

use kaa_idl::ids::method_id;
use kaa_idl::schema::{
    Enum, Field, Method, Package, Payload, Returns, Role, Schema, Service, Struct, Type, TypeDefinition,
    TypeKind, Value,
};
use kaa_idl::{DiskSource, MemorySource, RenderStyle, compile, parse};

fn compiled(root: PathBuf) -> Schema {
    let compilation = compile(&DiskSource::new([root]));
    assert!(compilation.diagnostics().is_empty(), "{}", compilation.render(RenderStyle::Plain));
    compilation.schema().expect("a schema without errors").clone()
}

fn own() -> Schema {
    compiled(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/schemas"))
}

fn package<'s>(schema: &'s Schema, name: &str) -> &'s Package {
    schema.packages.iter().find(|package| package.name.to_string() == name).expect("the package")
}

fn definition<'s>(schema: &'s Schema, name: &str) -> &'s TypeDefinition {
    schema.types.iter().find(|definition| schema.qualified_name(definition) == name).expect("the type")
}

fn structure<'s>(schema: &'s Schema, name: &str) -> &'s Struct {
    match &definition(schema, name).kind {
        TypeKind::Struct(structure) => structure,
        other => panic!("{name} is {other:?}"),
    }
}

fn enumeration<'s>(schema: &'s Schema, name: &str) -> &'s Enum {
    match &definition(schema, name).kind {
        TypeKind::Enum(enumeration) => enumeration,
        other => panic!("{name} is {other:?}"),
    }
}

fn field<'s>(fields: &'s [Field], name: &str) -> &'s Field {
    fields.iter().find(|field| field.name == name).expect("the field")
}

fn service<'s>(schema: &'s Schema, package_name: &str, name: &str) -> &'s Service {
    package(schema, package_name).services.iter().find(|service| service.name == name).expect("the service")
}

fn names(methods: &[Method]) -> Vec<&str> {
    methods.iter().map(|method| method.name.as_str()).collect()
}

#[test]
fn large_schema_compiles() {
    let Some(corpus) = std::env::var_os("KAA_CORPUS") else {
        assert_eq!(own().packages.len(), 3);
        return;
    };
    let schema = compiled(PathBuf::from(corpus));
    let services = schema.packages.iter().flat_map(|package| &package.services);
    let methods: usize = services.map(|service| service.server.len()).sum();
    let structs = schema.types.iter().filter(|ty| matches!(ty.kind, TypeKind::Struct(_))).count();
    assert_eq!((schema.packages.len(), structs, methods), (30, 650, 134));
}

#[test]
fn constants_are_evaluated() {
    let schema = own();
    let value = |package_name: &str, name: &str| {
        let constants = &package(&schema, package_name).constants;
        constants.iter().find(|constant| constant.name == name).expect("the constant").value.clone()
    };
    let medium = Value::Variant { id: definition(&schema, "shop.types.Size").id, index: 1 };
    assert_eq!(value("shop.types", "MAX_LINES"), Value::Unsigned(100));
    assert_eq!(value("shop.types", "NOTE"), Value::String("say \"hi\"\n".to_owned()));
    assert_eq!(value("shop.types", "RATE"), Value::Float(-0.0015));
    assert_eq!(value("shop.types", "DEFAULT_SIZE"), medium);
    assert_eq!(value("shop.types", "MARK"), Value::String("✓".to_owned()));
    assert_eq!(value("shop.types", "BASIC"), Value::Unsigned(3));
    // Precedence is that of Rust, from high to low: `*`, `+`, `<<`, `|`.
    assert_eq!(value("shop.everything", "SUM"), Value::Negative(-(((1 + 2 * 3) << 4) | 1) - 0xff + 0o17));
    assert_eq!(value("shop.everything", "HUGE"), Value::Unsigned(u128::MAX));
    assert_eq!(value("shop.everything", "SMALL"), Value::Negative(i128::MIN));
    assert_eq!(
        value("shop.everything", "TEXT"),
        Value::String("🦀 A { } ( [ // no comment \" \\".to_owned())
    );
}

#[test]
fn fields_have_types_and_defaults() {
    let schema = own();
    let fields = &structure(&schema, "shop.types.OrderLine").fields;
    assert_eq!(fields.len(), 20);
    let default = |name: &str| field(fields, name).default.clone();
    let labels = Type::Map(
        Box::new(Type::String(Some(64))),
        Box::new(Type::Set(Box::new(Type::String(Some(32))), None)),
        None,
    );
    assert_eq!(field(fields, "labels").ty, labels);
    assert_eq!(field(fields, "digest").ty, Type::Array(Box::new(Type::U8), 32));
    assert_eq!(default("sku"), None);
    assert_eq!(default("rating"), Some(Value::None));
    assert!(!field(fields, "rating").default_is_written);
    assert_eq!(default("first"), Some(Value::Unsigned(7)));
    assert_eq!(default("language"), Some(Value::String("en".to_owned())));
    assert_eq!(
        default("size"),
        Some(Value::Variant { id: definition(&schema, "shop.types.Size").id, index: 0 })
    );
    assert_eq!(default("rights"), Some(Value::Unsigned(3)));
    assert_eq!(default("none"), Some(Value::Unsigned(0)));
    assert_eq!(default("count"), Some(Value::Negative(-3)));
    assert_eq!(default("id"), Some(Value::Unsigned(0)));
    assert_eq!(default("limits"), Some(Value::EmptyMap));
    assert_eq!(default("raw"), Some(Value::EmptyList));
    assert_eq!((field(fields, "weight").tombstone, default("weight")), (true, None));
    assert_eq!((field(fields, "colour").tombstone, default("colour")), (true, Some(Value::Unsigned(5))));
    assert_eq!(field(fields, "reserved").wire_name(), "client");
    assert_eq!(field(fields, "language").attributes.since, Some(3));
    assert_eq!(field(fields, "sku").location.line, 33);
}

#[test]
fn types_have_names_docs_and_attributes() {
    let schema = own();
    let line = definition(&schema, "shop.types.OrderLine");
    assert_eq!((line.name.as_str(), line.wire_name()), ("OrderLine", "Line"));
    assert_eq!(line.docs.lines, ["One line of an order."]);
    assert_eq!(&*line.location.path, "shop/types.kaa");
    assert_eq!(definition(&schema, "shop.types.Sku").attributes.rust_derives, ["clap::Args"]);
    assert_eq!(package(&schema, "shop.types").docs.lines, ["What an order consists of."]);
    let limits = &structure(&schema, "shop.types.Limits").fields;
    let deprecated = field(limits, "least").attributes.deprecated.clone().expect("deprecated");
    assert_eq!((deprecated.since, deprecated.note.as_deref()), (Some(2), Some("use most")));
}

#[test]
fn variants_have_tags_and_payloads() {
    let schema = own();
    let payment = enumeration(&schema, "shop.types.Payment");
    let tags: Vec<(&str, u32)> =
        payment.variants.iter().map(|variant| (variant.name.as_str(), variant.tag)).collect();
    assert_eq!(tags, [("Card", 1), ("Transfer", 2), ("Cash", 3), ("Split", 6), ("Refund", 7)]);
    assert!(!payment.sealed && !payment.error);
    let reserved: Vec<_> = payment.reserved.iter().map(|entry| (entry.tag, entry.name.as_deref())).collect();
    assert_eq!(reserved, [(Some(4), Some("Cheque")), (Some(5), None), (None, Some("Barter"))]);
    let Payload::Tuple(elements) = &payment.variants[1].payload else { panic!("a tuple") };
    assert_eq!((elements[1].name.as_str(), &elements[1].ty), ("1", &Type::Uuid));
    let size = enumeration(&schema, "shop.types.Size");
    assert!(size.sealed);
    assert_eq!(size.variants.iter().map(|variant| variant.tag).collect::<Vec<_>>(), [0, 5, 6]);
    let error = enumeration(&schema, "shop.types.ShopError");
    assert!(error.error);
    let display = error.variants[0].attributes.display.as_deref();
    assert_eq!(display, Some("{wanted} wanted, {left} left {{sic}}"));
    assert_eq!(error.variants[2].tag, 3);
}

#[test]
fn included_methods_are_at_their_include() {
    let schema = own();
    let counter = service(&schema, "shop.front", "Counter");
    assert_eq!(names(&counter.server), ["uptime", "name", "buy", "set_favourite", "list", "log", "choose"]);
    assert_eq!(names(&counter.client), ["uptime", "name", "confirm", "on_changed"]);
    assert_eq!(counter.server_includes, ["shop.front.Health"]);
    let interfaces: Vec<_> = counter.server.iter().map(|method| method.interface.as_deref()).collect();
    assert_eq!(interfaces[..3], [Some("shop.front.Health"), Some("shop.front.Named"), None]);
    let [uptime, _, buy, favourite, list, log, choose] = counter.server.as_slice() else { panic!("seven") };
    assert_eq!(uptime.id, method_id("shop.front.Counter", Role::Server, "uptime"));
    assert_eq!(counter.client[0].id, method_id("shop.front.Counter", Role::Client, "uptime"));
    assert_eq!(favourite.id, method_id("shop.front.Counter", Role::Server, "set_fav"));
    assert_eq!(buy.throws, Some(definition(&schema, "shop.types.ShopError").id));
    let sku = Type::Named { id: definition(&schema, "shop.types.Sku").id, boxed: false };
    assert_eq!(buy.returns, Returns::Value(Type::Vec(Box::new(sku), Some(100))));
    assert_eq!(field(&buy.parameters, "note").default, Some(Value::String("say \"hi\"\n".to_owned())));
    assert!(list.options_requested && !buy.options_requested);
    assert!(log.oneway && log.returns == Returns::Unit);
    assert_eq!(choose.attributes.rust_options.as_deref(), Some("Choices"));
    let health = &package(&schema, "shop.front").interfaces[1];
    assert_eq!(names(&health.methods), ["uptime", "name"]);
}

#[test]
fn only_references_that_close_a_cycle_are_boxed() {
    let schema = own();
    let boxes = |ty: &Type| format!("{ty:?}").matches("boxed: true").count();
    let tree = &structure(&schema, "shop.everything.Tree").fields;
    assert_eq!(tree.iter().map(|field| boxes(&field.ty)).collect::<Vec<_>>(), [1, 1, 0]);
    let forest = enumeration(&schema, "shop.everything.Forest");
    let payloads: Vec<Vec<usize>> = forest
        .variants
        .iter()
        .map(|variant| match &variant.payload {
            Payload::Unit => Vec::new(),
            Payload::Tuple(fields) | Payload::Record(fields) => {
                fields.iter().map(|field| boxes(&field.ty)).collect()
            }
        })
        .collect();
    assert_eq!(payloads, [vec![], vec![1], vec![0], vec![1, 1]]);
    let payment = enumeration(&schema, "shop.types.Payment");
    let Payload::Tuple(refund) = &payment.variants[4].payload else { panic!("a tuple") };
    assert_eq!(boxes(&refund[0].ty), 1);
}

#[test]
fn package_can_have_several_files() {
    let compilation = compile(&MemorySource::new([
        ("a/one.kaa", "//! One.\npackage a;\nstruct One { two: Two }"),
        ("a/two.kaa", "//! Two.\npackage a;\nuse b.c as x;\nstruct Two { three: x::Three, four: c::Four }"),
        ("b/c.kaa", "package b.c;\nstruct Three {}"),
        ("c.kaa", "package c;\nstruct Four {}"),
    ]));
    assert!(compilation.diagnostics().is_empty(), "{}", compilation.render(RenderStyle::Plain));
    let schema = compilation.schema().expect("a schema");
    assert_eq!(
        schema.packages.iter().map(|package| package.name.to_string()).collect::<Vec<_>>(),
        ["a", "b.c", "c"]
    );
    assert_eq!(schema.packages[0].docs.lines, ["One.", "Two."]);
}

#[test]
fn parser_accepts_streams_and_attributes() {
    let text = r#"//! Listing.
package tv.epg;
use tv.common::{ChannelId, StorageError as Failed};

service Epg {
    #[idempotent] #[timeout("5s")]
    fn search(text: String<..=200>, #[since(2)] limit: u32 = 50) -> stream Program throws SearchError;
    #[detached]
    fn import(rows: stream Program) -> u64 throws SearchError;
    fn stream(stream: u8) -> stream;
    client { oneway fn on_changed(ids: Vec<ProgramId, ..=MAX_PAGE>); }
}
"#;
    let (file, diagnostics) = parse("tv/epg.kaa", text);
    assert!(diagnostics.is_empty(), "{diagnostics:#?}");
    assert_eq!((file.uses.len(), file.items.len(), file.docs.len()), (2, 1, 1));
}
