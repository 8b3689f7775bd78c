//! Two generations of a schema meet: what fits is let through, what does not is refused on both ends, with its name
//! (`docs/wire.md`, section 5).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a failed test says so by panicking"
)]

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use kaa_rpc_runtime::codegen::*;
use kaa_rpc_runtime::{
    CallError, Client, CloseReason, Compatibility, ConnectError, Outcome, Secret, Server, ServerEvent,
};

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

            #[allow(dead_code, reason = "not every generation is served")]
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

fn secret() -> Secret {
    Secret::new(*b"0123456789abcdef0123456789abcdef").unwrap()
}

async fn listen(service: Service<role::Server>) -> (Server, String, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("unix:{}/s", folder.path().display());
    let server = Server::builder().secret(secret()).register(service).listen(address.as_str()).await.unwrap();
    (server, address, folder)
}

async fn bounded<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("it hangs")
}

#[tokio::test]
async fn appended_fields_with_defaults_fit_both_ways() {
    let (_server, address, _folder) = listen(grown::service()).await;
    let client = Client::builder().secret(secret()).connect(address.as_str()).unwrap();
    let proxy: first::OneProxy = client.proxy();
    assert_eq!(bounded(Call::new(&proxy.0, first::One)).await, Ok(1));
    assert!(!client.peer().information().unwrap().same_schema);

    let (_server, address, _folder) = listen(first::service()).await;
    let client = Client::builder().secret(secret()).connect(address.as_str()).unwrap();
    let proxy: grown::OneProxy = client.proxy();
    assert_eq!(bounded(Call::new(&proxy.0, grown::One)).await, Ok(1));
}

#[tokio::test]
async fn equal_schemas_are_found_equal_by_the_handshake() {
    let (_server, address, _folder) = listen(first::service()).await;
    let client = Client::builder().secret(secret()).connect(address.as_str()).unwrap();
    let proxy: first::OneProxy = client.proxy();
    assert_eq!(bounded(Call::new(&proxy.0, first::One)).await, Ok(1));
    assert!(client.peer().information().unwrap().same_schema);
}

#[tokio::test]
async fn a_retyped_field_is_refused_and_named_on_both_ends() {
    let (server, address, _folder) = listen(first::service()).await;
    let mut events = server.events();
    let client = Client::builder().secret(secret()).connect(address.as_str()).unwrap();
    let proxy: retyped::OneProxy = client.proxy();
    let expected = "service test.One: type test.Thing differs in field 1, `width`";
    let error = bounded(Call::new(&proxy.0, retyped::One)).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotSent);
    let CallError::Disconnected { reason: CloseReason::NotConnected(ConnectError::Schema(report)), .. } =
        error
    else {
        panic!("{error:?}");
    };
    assert!(report.contains(expected), "{report}");
    assert!(matches!(bounded(client.ready()).await, Err(ConnectError::Schema(_))));
    let report = loop {
        if let ServerEvent::Disconnected { reason, .. } = bounded(events.next()).await.unwrap() {
            break reason.to_string();
        }
    };
    assert!(report.contains(expected), "{report}");
}

/// The verdict and the call meet at the moment at which the connection opens: the call never wins.
#[tokio::test(flavor = "multi_thread")]
async fn no_call_leaves_once_schemas_contradict_each_other() {
    let (_server, address, _folder) = listen(first::service()).await;
    for _ in 0..100 {
        let client = Client::builder().secret(secret()).connect(address.as_str()).unwrap();
        let proxy: retyped::OneProxy = client.proxy();
        let error = bounded(Call::new(&proxy.0, retyped::One)).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::NotSent, "{error}");
    }
}

#[tokio::test]
async fn a_proxy_made_on_a_living_connection_is_compared_before_it_calls() {
    let (_server, address, _folder) = listen(first::service()).await;
    let client = Client::builder().secret(secret()).connect(address.as_str()).unwrap();
    bounded(client.ready()).await.unwrap();
    let proxy: grown::OneProxy = client.proxy();
    assert_eq!(bounded(Call::new(&proxy.0, grown::One)).await, Ok(1));
    let client = Client::builder().secret(secret()).connect(address.as_str()).unwrap();
    bounded(client.ready()).await.unwrap();
    let proxy: retyped::OneProxy = client.proxy();
    let error = bounded(Call::new(&proxy.0, retyped::One)).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotSent);
    assert!(error.to_string().contains("`width`"), "{error}");
}

#[tokio::test]
async fn what_only_one_side_knows_is_left_out() {
    let (_server, address, _folder) = listen(first::service()).await;
    let client = Client::builder().secret(secret()).connect(address.as_str()).unwrap();
    bounded(client.ready()).await.unwrap();
}

#[tokio::test]
async fn a_method_may_come_to_declare_an_error_but_not_another() {
    // `grown` declares one and `first` none: seen above. `other_error` declares another.
    let (_server, address, _folder) = listen(grown::service()).await;
    let client = Client::builder().secret(secret()).connect(address.as_str()).unwrap();
    let proxy: other_error::OneProxy = client.proxy();
    let error = bounded(Call::new(&proxy.0, other_error::One)).await.unwrap_err();
    assert!(error.to_string().contains("method one declares another error"), "{error}");
}

/// Whichever side wants it so, both ends are told, and no call is made.
#[tokio::test]
async fn who_wants_exactly_the_same_schema_refuses_compatible_ones() {
    use Compatibility::{Evolving, Exact};
    for (at_server, at_client) in [(Exact, Evolving), (Evolving, Exact), (Exact, Exact)] {
        let folder = tempfile::tempdir().unwrap();
        let address = format!("unix:{}/s", folder.path().display());
        let server = Server::builder().secret(secret()).compatibility(at_server).register(first::service());
        let server = server.listen(address.as_str()).await.unwrap();
        let mut events = server.events();
        let client = Client::builder().secret(secret()).compatibility(at_client);
        let client = client.connect(address.as_str()).unwrap();
        let proxy: grown::OneProxy = client.proxy();
        let error = bounded(Call::new(&proxy.0, grown::One)).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::NotSent);
        assert!(error.to_string().contains("method one declares an error"), "{error}");
        let report = loop {
            if let ServerEvent::Disconnected { reason, .. } = bounded(events.next()).await.unwrap() {
                break reason.to_string();
            }
        };
        assert!(report.contains("method one declares an error"), "{report}");
        assert!(report.contains("only equal schemas are accepted"), "{report}");
        let client = Client::builder().secret(secret()).compatibility(at_client);
        let client = client.connect(address.as_str()).unwrap();
        let proxy: first::OneProxy = client.proxy();
        assert_eq!(bounded(Call::new(&proxy.0, first::One)).await, Ok(1), "the same schema is let in");
    }
}

/// A service that is registered on a living connection is compared at once, before anybody calls it.
#[tokio::test]
async fn a_service_registered_late_is_compared_without_any_call() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("unix:{}/s", folder.path().display());
    let server = Server::builder().secret(secret()).listen(address.as_str()).await.unwrap();
    let fitting = Client::builder().secret(secret()).connect(address.as_str()).unwrap();
    let proxy: grown::OneProxy = fitting.proxy();
    let other = Client::builder().secret(secret()).connect(address.as_str()).unwrap();
    let _proxy: retyped::OneProxy = other.proxy();
    bounded(fitting.ready()).await.unwrap();
    bounded(other.ready()).await.unwrap();
    server.register(first::service()).unwrap();
    let reason = bounded(other.closed()).await;
    assert!(matches!(&reason, CloseReason::NotConnected(ConnectError::Schema(_))), "{reason}");
    assert!(reason.to_string().contains("`width`"), "{reason}");
    assert_eq!(bounded(Call::new(&proxy.0, grown::One)).await, Ok(1));
}

/// The call left before its caller could know that there is something to compare.
#[tokio::test]
async fn a_call_that_meets_a_service_registered_late_is_not_run_uncompared() {
    fn dispatch(runs: &Arc<AtomicUsize>, call: InboundCall) -> Handling {
        runs.fetch_add(1, Ordering::Relaxed);
        call.unary::<first::OneProxy, u32, _, _>(|_| Ok(()), |_cx, ()| async { Ok(1) })
    }
    let folder = tempfile::tempdir().unwrap();
    let address = format!("unix:{}/s", folder.path().display());
    let server = Server::builder().secret(secret()).listen(address.as_str()).await.unwrap();
    let client = Client::builder().secret(secret()).connect(address.as_str()).unwrap();
    let proxy: retyped::OneProxy = client.proxy();
    bounded(client.ready()).await.unwrap();
    let unknown = Err(CallError::UnknownMethod { method: "test.One.one".to_owned() });
    assert_eq!(bounded(Call::new(&proxy.0, retyped::One)).await, unknown);

    let mut call = Call::new(&proxy.0, retyped::One);
    let made = std::future::poll_fn(|context| Poll::Ready(Pin::new(&mut call).poll(context)));
    assert!(made.await.is_pending());
    let runs = Arc::new(AtomicUsize::new(0));
    server
        .register(Service::shared(&first::DESCRIPTOR, Arc::clone(&runs), |runs, call| dispatch(runs, call)))
        .unwrap();
    assert!(bounded(call).await.is_err());
    bounded(client.closed()).await;
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

/// Nobody would answer it; but what the peer does not know it has said itself.
#[tokio::test]
async fn a_oneway_call_of_a_service_that_the_peer_lacks_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("unix:{}/s", folder.path().display());
    let server = Server::builder().secret(secret()).listen(address.as_str()).await.unwrap();
    let client = Client::builder().secret(secret()).connect(address.as_str()).unwrap();
    let before: first::OneProxy = client.proxy();
    bounded(client.ready()).await.unwrap();
    let unknown = || Err(CallError::UnknownMethod { method: "test.One.note".to_owned() });
    assert_eq!(bounded(OnewayCall::new(&before.0, Note)).await, unknown());
    let other = Client::builder().secret(secret()).connect(address.as_str()).unwrap();
    bounded(other.ready()).await.unwrap();
    let after: first::OneProxy = other.proxy();
    assert_eq!(
        bounded(OnewayCall::new(&after.0, Note)).await,
        unknown(),
        "also if both knew the same at first"
    );
    server.register(first::service()).unwrap();
    // The reply comes behind what the server has come to know.
    assert_eq!(bounded(Call::new(&before.0, first::One)).await, Ok(1));
    assert_eq!(bounded(OnewayCall::new(&before.0, Note)).await, Ok(()));
}
