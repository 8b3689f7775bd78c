//! Compares two generations of a schema: by the rules, and as two connecting peers do.

use kaa_idl::compatibility::{Category, Finding, Settings, compare};
use kaa_idl::diagnostic::Severity;
use kaa_idl::schema::{self, Schema};
use kaa_idl::{MemorySource, RenderStyle, compile};
use kaa_rpc_runtime::Compatibility;
use kaa_rpc_runtime::codegen::{
    ElementEntry, MethodEntry, ServiceDescriptor, ServiceTable, TypeEntry, TypeForm,
};
use kaa_rpc_runtime::protocol::schema::{SchemaExchange, SchemaFailure, SchemaMessage};

/// Compiles one file.
///
/// # Errors
/// The rendered diagnostics.
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

/// Connects two peers. Returns the reason why each refuses the other, if it does.
pub(crate) fn connect(old: &Schema, new: &Schema) -> [Option<String>; 2] {
    let mut peers = [ExchangingPeer::new(old), ExchangingPeer::new(new)];
    loop {
        let mut is_idle = true;
        for (from, to) in [(0, 1), (1, 0)] {
            for (message, payload) in std::mem::take(&mut peers[from].outgoing) {
                is_idle = false;
                peers[to].receive(message, &payload);
            }
        }
        if is_idle {
            break;
        }
    }
    peers.map(|peer| {
        let is_decided = peer.refusal.is_some() || peer.exchange.is_settled();
        assert!(is_decided, "a peer still waits for a message, and none is on its way");
        peer.refusal
    })
}

/// One side of the schema exchange.
struct ExchangingPeer {
    exchange: SchemaExchange,
    outgoing: Vec<(SchemaMessage, Vec<u8>)>,
    refusal: Option<String>,
}

impl ExchangingPeer {
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

    fn receive(&mut self, message: SchemaMessage, payload: &[u8]) {
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

/// The descriptor that the generator would write as a constant. It is leaked, which does not matter in a test.
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
