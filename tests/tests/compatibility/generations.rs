//! Two generations of a schema: what the rules say of them, and what two peers say when they connect.

use kaa_idl::compatibility::{Category, Finding, Settings, compare};
use kaa_idl::diagnostic::Severity;
use kaa_idl::schema::{self, Schema};
use kaa_idl::{MemorySource, RenderStyle, compile};
use kaa_rpc_runtime::Compatibility;
use kaa_rpc_runtime::codegen::{
    ElementEntry, MethodEntry, ServiceDescriptor, ServiceTable, TypeEntry, TypeForm,
};
use kaa_rpc_runtime::protocol::schema::{SchemaExchange, SchemaFailure, SchemaMessage};

/// The schema of one file; what is wrong with it if there is none.
pub(crate) fn schema(text: &str) -> Result<Schema, String> {
    let compilation = compile(&MemorySource::new([("demo.kaa", format!("package demo;\n{text}"))]));
    compilation.schema().cloned().ok_or_else(|| compilation.render(RenderStyle::Plain))
}

/// The errors of the category WIRE.
pub(crate) fn wire_findings(old: &Schema, new: &Schema) -> Vec<Finding> {
    let mut findings = compare(old, new, &Settings::none().with(Category::Wire));
    findings.retain(|finding| finding.severity == Severity::Error);
    findings
}

/// What each of two peers says when they connect: nothing, or what does not fit.
pub(crate) fn connect(old: &Schema, new: &Schema) -> [Option<String>; 2] {
    let mut ends = [End::new(old), End::new(new)];
    loop {
        let mut quiet = true;
        for (from, to) in [(0, 1), (1, 0)] {
            for (message, payload) in std::mem::take(&mut ends[from].outgoing) {
                quiet = false;
                ends[to].take(message, &payload);
            }
        }
        if quiet {
            break;
        }
    }
    ends.map(|end| {
        assert!(end.refusal.is_some() || end.exchange.is_settled(), "an end waits for ever");
        end.refusal
    })
}

struct End {
    exchange: SchemaExchange,
    outgoing: Vec<(SchemaMessage, Vec<u8>)>,
    refusal: Option<String>,
}

impl End {
    fn new(schema: &Schema) -> Self {
        let services = schema.packages.iter().flat_map(|package| {
            package
                .services
                .iter()
                .map(move |service| descriptor(&format!("{}.{}", package.name, service.wire_name()), service))
        });
        let services: Vec<&'static ServiceDescriptor> = services.collect();
        let (exchange, summary) = SchemaExchange::begin(&services, false, Compatibility::default());
        Self { exchange, outgoing: summary.into_iter().collect(), refusal: None }
    }

    fn take(&mut self, message: SchemaMessage, payload: &[u8]) {
        if self.refusal.is_some() {
            return;
        }
        match self.exchange.handle(message, payload) {
            Ok(more) => self.outgoing.extend(more),
            Err(SchemaFailure::Incompatible(difference)) => self.refusal = Some(difference.to_string()),
            Err(failure) => panic!("{failure:?}"),
        }
    }
}

/// What the generator makes constants of. Tests are short, so what is leaked does not matter.
fn descriptor(name: &str, service: &schema::Service) -> &'static ServiceDescriptor {
    let methods = service.table.methods.iter().map(|method| MethodEntry {
        id: method.id,
        name: leaked(&method.name),
        signature: method.signature,
        throws: method.throws,
        parameters: elements(&method.parameters),
    });
    let types = service.table.types.iter().map(|entry| TypeEntry {
        name: leaked(&entry.name),
        form: match entry.form {
            schema::TypeForm::Struct => TypeForm::Struct,
            schema::TypeForm::SealedStruct => TypeForm::SealedStruct,
            schema::TypeForm::Enum => TypeForm::Enum,
            schema::TypeForm::SealedEnum => TypeForm::SealedEnum,
            schema::TypeForm::Flags => TypeForm::Flags,
        },
        elements: elements(&entry.elements),
    });
    Box::leak(Box::new(ServiceDescriptor {
        name: leaked(name),
        fingerprint: service.fingerprint,
        table: ServiceTable {
            methods: methods.collect::<Vec<_>>().leak(),
            types: types.collect::<Vec<_>>().leak(),
        },
        server_methods: &[],
        client_methods: &[],
    }))
}

fn elements(elements: &[schema::ElementEntry]) -> &'static [ElementEntry] {
    let elements = elements.iter().map(|element| ElementEntry {
        name: leaked(&element.name),
        tag: element.tag,
        hash: element.hash,
        has_default: element.has_default,
    });
    elements.collect::<Vec<_>>().leak()
}

fn leaked(text: &str) -> &'static str {
    text.to_owned().leak()
}
