//! Two generations of a schema: compatible ones connect, incompatible ones are refused on both ends, and the
//! report names the difference (`docs/wire.md`, section 5).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

use std::convert::Infallible;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kaa_rpc_runtime::codegen::*;
use kaa_rpc_runtime::{CallError, Client, CloseReason, Compatibility, ConnectError, Outcome, Server};
use kaa_rpc_test_support::secret;
use kaa_rpc_test_support::waiting::*;

/// One generation: its descriptor, its call, its proxy and its service.
macro_rules! generation {
    ($module:ident, $fingerprint:expr, $throws:expr, $elements:expr) => {
        mod $module {
            use super::*;

            pub(super) static ONE: MethodDescriptor = MethodDescriptor::new(1, "test.One", "one");
            pub(super) static DESCRIPTOR: ServiceDescriptor = ServiceDescriptor {
                name: "test.One",
                fingerprint: [$fingerprint; 32],
                table: ServiceTable {
                    methods: &[MethodEntry {
                        id: 1,
                        name: "one",
                        signature: 7,
                        throws: $throws,
                        parameters: &[],
                    }],
                    types: &[TypeEntry { name: "test.Thing", form: TypeForm::Struct, elements: $elements }],
                },
                server_methods: &[&ONE],
                client_methods: &[],
            };

            pub(super) struct One;

            impl Method for One {
                type Returns = u32;
                type Throws = Infallible;
                const DESCRIPTOR: &'static MethodDescriptor = &ONE;
                fn encode_arguments(&self, _: &mut Encoder<'_>) -> Result<(), EncodeError> {
                    Ok(())
                }
            }

            #[derive(Clone)]
            pub(super) struct OneProxy(pub(super) Peer);

            impl Proxy for OneProxy {
                type Role = role::Server;
                const SERVICE: &'static ServiceDescriptor = &DESCRIPTOR;
                fn from_peer(peer: Peer) -> Self {
                    Self(peer)
                }
                fn peer(&self) -> &Peer {
                    &self.0
                }
            }

            #[allow(dead_code, reason = "not every generation has a server")]
            pub(super) fn service() -> Service<role::Server> {
                fn dispatch(_: &Arc<()>, call: InboundCall) -> Handling {
                    call.unary::<OneProxy, u32, _, _>(|_| Ok(()), |_cx, ()| async { Ok(1) })
                }
                Service::shared(&DESCRIPTOR, (), dispatch)
            }
        }
    };
}

const fn element(name: &'static str, tag: u64, hash: u64, has_default: bool) -> ElementEntry {
    ElementEntry { name, tag, hash, has_default }
}

generation!(first, 1, 0, &[element("width", 0, 10, false)]);
generation!(grown, 2, 5, &[element("width", 0, 10, false), element("height", 1, 20, true)]);
generation!(retyped, 3, 0, &[element("width", 0, 11, false)]);

generation!(other_error, 4, 6, &[element("width", 0, 10, false)]);

async fn listen(service: Service<role::Server>) -> (Server, String, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("unix:{}/s", folder.path().display());
    let server = Server::builder().secret(secret()).register(service).listen(address.as_str()).await.unwrap();
    (server, address, folder)
}

#[tokio::test]
async fn appended_defaulted_fields_are_compatible() {
    let (_server, address, _folder) = listen(grown::service()).await;
    let client = Client::builder().secret(secret()).connect(address.as_str()).unwrap();
    let proxy: first::OneProxy = client.proxy();
    assert_eq!(within("the call", Call::new(&proxy.0, first::One)).await, Ok(1));
    let information = client.peer().information().unwrap();
    assert!(!information.same_schema, "{information:?}");

    let (_server, address, _folder) = listen(first::service()).await;
    let client = Client::builder().secret(secret()).connect(address.as_str()).unwrap();
    let proxy: grown::OneProxy = client.proxy();
    assert_eq!(within("the call", Call::new(&proxy.0, grown::One)).await, Ok(1));
}

#[tokio::test]
async fn handshake_detects_equal_schemas() {
    let (_server, address, _folder) = listen(first::service()).await;
    let client = Client::builder().secret(secret()).connect(address.as_str()).unwrap();
    let proxy: first::OneProxy = client.proxy();
    assert_eq!(within("the call", Call::new(&proxy.0, first::One)).await, Ok(1));
    let information = client.peer().information().unwrap();
    assert!(information.same_schema, "{information:?}");
}

#[tokio::test]
async fn retyped_field_is_refused_on_both_ends() {
    let (server, address, _folder) = listen(first::service()).await;
    let mut events = server.events();
    let client = Client::builder().secret(secret()).connect(address.as_str()).unwrap();
    let proxy: retyped::OneProxy = client.proxy();
    let expected = "service test.One: type test.Thing differs in field 1, `width`";
    let error = within("the call", Call::new(&proxy.0, retyped::One)).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotSent);
    let CallError::Disconnected { reason: CloseReason::NotConnected(ConnectError::Schema(report)), .. } =
        error
    else {
        panic!("{error:?}");
    };
    assert!(report.contains(expected), "{report}");
    let result = within("the client to fail", client.ready()).await;
    assert!(matches!(result, Err(ConnectError::Schema(_))), "{result:?}");
    let report = close_reason(&mut events).await.to_string();
    assert!(report.contains(expected), "{report}");
}

/// The verdict and the call compete when the connection opens: the call is never sent.
#[tokio::test(flavor = "multi_thread")]
async fn incompatible_schemas_send_no_call() {
    let (_server, address, _folder) = listen(first::service()).await;
    for _ in 0..100 {
        let client = Client::builder().secret(secret()).connect(address.as_str()).unwrap();
        let proxy: retyped::OneProxy = client.proxy();
        let error = within("the call", Call::new(&proxy.0, retyped::One)).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::NotSent, "{error}");
    }
}

#[tokio::test]
async fn late_proxy_is_compared_before_its_calls() {
    let (_server, address, _folder) = listen(first::service()).await;
    let client = Client::builder().secret(secret()).connect(address.as_str()).unwrap();
    within("the client to connect or fail", client.ready()).await.unwrap();
    let proxy: grown::OneProxy = client.proxy();
    assert_eq!(within("the call", Call::new(&proxy.0, grown::One)).await, Ok(1));
    let client = Client::builder().secret(secret()).connect(address.as_str()).unwrap();
    within("the client to connect or fail", client.ready()).await.unwrap();
    let proxy: retyped::OneProxy = client.proxy();
    let error = within("the call", Call::new(&proxy.0, retyped::One)).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotSent);
    assert!(error.to_string().contains("`width`"), "{error}");
}

#[tokio::test]
async fn one_sided_services_are_not_compared() {
    let (_server, address, _folder) = listen(first::service()).await;
    let client = Client::builder().secret(secret()).connect(address.as_str()).unwrap();
    within("the client to connect or fail", client.ready()).await.unwrap();
}

#[tokio::test]
async fn added_error_is_compatible_and_changed_error_is_not() {
    // `grown` declares an error and `first` does not: tested above. `other_error` declares another error.
    let (_server, address, _folder) = listen(grown::service()).await;
    let client = Client::builder().secret(secret()).connect(address.as_str()).unwrap();
    let proxy: other_error::OneProxy = client.proxy();
    let error = within("the call", Call::new(&proxy.0, other_error::One)).await.unwrap_err();
    assert!(error.to_string().contains("method one declares another error"), "{error}");
}

/// Either side may require equal schemas. Both ends report the difference, and no call is sent.
#[tokio::test]
async fn exact_compatibility_refuses_evolved_schemas() {
    use Compatibility::{Evolving, Exact};
    for (server_rule, client_rule) in [(Exact, Evolving), (Evolving, Exact), (Exact, Exact)] {
        let folder = tempfile::tempdir().unwrap();
        let address = format!("unix:{}/s", folder.path().display());
        let server = Server::builder().secret(secret()).compatibility(server_rule).register(first::service());
        let server = server.listen(address.as_str()).await.unwrap();
        let mut events = server.events();
        let client = Client::builder().secret(secret()).compatibility(client_rule);
        let client = client.connect(address.as_str()).unwrap();
        let proxy: grown::OneProxy = client.proxy();
        let error = within("the call", Call::new(&proxy.0, grown::One)).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::NotSent);
        assert!(error.to_string().contains("method one declares an error"), "{error}");
        let report = close_reason(&mut events).await.to_string();
        assert!(report.contains("method one declares an error"), "{report}");
        assert!(report.contains("only equal schemas are accepted"), "{report}");
        let client = Client::builder().secret(secret()).compatibility(client_rule);
        let client = client.connect(address.as_str()).unwrap();
        let proxy: first::OneProxy = client.proxy();
        assert_eq!(
            within("the call", Call::new(&proxy.0, first::One)).await,
            Ok(1),
            "equal schemas are accepted"
        );
    }
}

/// A service that is registered on an open connection is compared at once, before any call.
#[tokio::test]
async fn late_service_is_compared_without_call() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("unix:{}/s", folder.path().display());
    let server = Server::builder().secret(secret()).listen(address.as_str()).await.unwrap();
    let compatible = Client::builder().secret(secret()).connect(address.as_str()).unwrap();
    let proxy: grown::OneProxy = compatible.proxy();
    let incompatible = Client::builder().secret(secret()).connect(address.as_str()).unwrap();
    let _proxy: retyped::OneProxy = incompatible.proxy();
    within("the client to connect or fail", compatible.ready()).await.unwrap();
    within("the client to connect or fail", incompatible.ready()).await.unwrap();
    server.register(first::service()).unwrap();
    let reason = within("the connection to close", incompatible.closed()).await;
    assert!(matches!(&reason, CloseReason::NotConnected(ConnectError::Schema(_))), "{reason}");
    assert!(reason.to_string().contains("`width`"), "{reason}");
    assert_eq!(within("the call", Call::new(&proxy.0, grown::One)).await, Ok(1));
}

/// The call is sent before its caller knows that there are schemas to compare.
#[tokio::test]
async fn call_meeting_late_service_is_not_run() {
    fn dispatch(runs: &Arc<AtomicUsize>, call: InboundCall) -> Handling {
        runs.fetch_add(1, Ordering::Relaxed);
        call.unary::<first::OneProxy, u32, _, _>(|_| Ok(()), |_cx, ()| async { Ok(1) })
    }
    let folder = tempfile::tempdir().unwrap();
    let address = format!("unix:{}/s", folder.path().display());
    let server = Server::builder().secret(secret()).listen(address.as_str()).await.unwrap();
    let client = Client::builder().secret(secret()).connect(address.as_str()).unwrap();
    let proxy: retyped::OneProxy = client.proxy();
    within("the client to connect or fail", client.ready()).await.unwrap();
    let unknown = Err(CallError::UnknownMethod { method: "test.One.one".to_owned() });
    assert_eq!(within("the call", Call::new(&proxy.0, retyped::One)).await, unknown);

    let mut call = Call::new(&proxy.0, retyped::One);
    start(&mut call).await;
    let runs = Arc::new(AtomicUsize::new(0));
    server
        .register(Service::shared(&first::DESCRIPTOR, Arc::clone(&runs), |runs, call| dispatch(runs, call)))
        .unwrap();
    let result = within("the call", call).await;
    assert!(result.is_err(), "{result:?}");
    within("the connection to close", client.closed()).await;
    assert_eq!(runs.load(Ordering::Relaxed), 0);
}

/// A oneway call of the service.
struct Note;

impl Method for Note {
    type Returns = ();
    type Throws = Infallible;
    const DESCRIPTOR: &'static MethodDescriptor =
        &MethodDescriptor { oneway: true, ..MethodDescriptor::new(2, "test.One", "note") };
    fn encode_arguments(&self, _: &mut Encoder<'_>) -> Result<(), EncodeError> {
        Ok(())
    }
}

/// A oneway call has no reply. But the peer has announced its services, so the caller knows that one is
/// missing.
#[tokio::test]
async fn oneway_call_of_missing_service_is_error() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("unix:{}/s", folder.path().display());
    let server = Server::builder().secret(secret()).listen(address.as_str()).await.unwrap();
    let client = Client::builder().secret(secret()).connect(address.as_str()).unwrap();
    let before: first::OneProxy = client.proxy();
    within("the client to connect or fail", client.ready()).await.unwrap();
    let unknown = || Err(CallError::UnknownMethod { method: "test.One.note".to_owned() });
    assert_eq!(within("the call", OnewayCall::new(&before.0, Note)).await, unknown());
    let other = Client::builder().secret(secret()).connect(address.as_str()).unwrap();
    within("the client to connect or fail", other.ready()).await.unwrap();
    let after: first::OneProxy = other.proxy();
    assert_eq!(
        within("the call", OnewayCall::new(&after.0, Note)).await,
        unknown(),
        "also if both had the same schema at first"
    );
    server.register(first::service()).unwrap();
    // The reply comes after the server's announcement.
    assert_eq!(within("the call", Call::new(&before.0, first::One)).await, Ok(1));
    assert_eq!(within("the call", OnewayCall::new(&before.0, Note)).await, Ok(()));
}
