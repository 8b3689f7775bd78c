//! A service with streams written by hand as the generator would write it, the same on both sides, and a connected pair.

pub(crate) mod frames;
#[path = "../../peers/support/raw.rs"]
#[allow(dead_code, reason = "the scripted peer is the one of the tests of calls, which use more of it")]
pub(crate) mod raw;

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use kaa_rpc_runtime::codegen::*;
use kaa_rpc_runtime::{Client, ClientBuilder, Secret, Server, ServerBuilder};
use tokio::sync::{Semaphore, watch};

/// Returns its argument.
pub(crate) const ECHO: u32 = 1;
/// Returns so many numbers, from zero on.
pub(crate) const COUNT: u32 = 2;
/// Returns the sum of the numbers it is sent.
pub(crate) const SUM: u32 = 3;
/// Returns each number it is sent, doubled.
pub(crate) const DOUBLE: u32 = 4;
/// Returns a number for each pass of the gate, for ever.
pub(crate) const TRICKLE: u32 = 5;
/// Returns the first number it is sent, and takes no more.
pub(crate) const FIRST: u32 = 6;
/// Returns so many numbers, then panics.
pub(crate) const PANIC_AFTER: u32 = 7;
/// Returns so many numbers, then the declared error.
pub(crate) const FAIL_AFTER: u32 = 8;
/// Returns so many numbers, then fails otherwise.
pub(crate) const FAULT_AFTER: u32 = 9;
/// Returns texts of so many letters, three of them.
pub(crate) const TEXTS: u32 = 10;
/// Passes the gate, then sums what it is sent.
pub(crate) const HOLD: u32 = 11;
/// Returns so many numbers, each of which the caller is asked for.
pub(crate) const ASK_BACK: u32 = 12;
/// Takes one number, drops the rest, and passes the gate before it returns.
pub(crate) const STOP: u32 = 13;
/// Declares an error before its stream begins.
pub(crate) const REFUSE: u32 = 14;
/// Returns how many texts it is sent.
pub(crate) const COUNT_TEXTS: u32 = 15;
/// Returns a number, then a byte that is none.
pub(crate) const GIBBERISH: u32 = 16;
/// The same as `SUM`, whoever waits for it.
pub(crate) const DETACHED_SUM: u32 = 17;
/// The same as `COUNT`, idempotent.
pub(crate) const COUNT_AGAIN: u32 = 18;
/// Nobody serves it.
pub(crate) const NOBODYS: u32 = 99;

pub(crate) type Text = shape::String<{ shape::UNBOUNDED }>;

const fn method(id: u32) -> MethodDescriptor {
    let arguments = matches!(id, SUM | DETACHED_SUM | DOUBLE | FIRST | HOLD | STOP | COUNT_TEXTS);
    let returns = matches!(
        id,
        COUNT
            | COUNT_AGAIN
            | DOUBLE
            | TRICKLE
            | PANIC_AFTER
            | FAIL_AFTER
            | FAULT_AFTER
            | TEXTS
            | ASK_BACK
            | REFUSE
            | GIBBERISH
    );
    let streams = Streams { arguments, returns };
    let (idempotent, detached) = (id == COUNT_AGAIN, id == DETACHED_SUM);
    MethodDescriptor { streams, idempotent, detached, ..MethodDescriptor::new(id, "test.Streams", "method") }
}

static METHODS: [&MethodDescriptor; 18] = [
    &method(1),
    &method(2),
    &method(3),
    &method(4),
    &method(5),
    &method(6),
    &method(7),
    &method(8),
    &method(9),
    &method(10),
    &method(11),
    &method(12),
    &method(13),
    &method(14),
    &method(15),
    &method(16),
    &method(17),
    &method(18),
];

pub(crate) static DESCRIPTOR: ServiceDescriptor = ServiceDescriptor {
    name: "test.Streams",
    fingerprint: [1; 32],
    table: ServiceTable { methods: &[], types: &[] },
    server_methods: &METHODS,
    client_methods: &METHODS,
};

/// The error that a method declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("declared after {0}")]
pub(crate) struct Declared(pub(crate) u64);

impl DeclaredError for Declared {}

impl Wire for Declared {
    type Value = Self;
    const MIN_SIZE: usize = 1;

    fn encode(value: &Self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        u64::encode(&value.0, encoder)
    }

    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        u64::decode(decoder).map(Self)
    }
}

/// A call of any method with numbers.
pub(crate) struct Ask<const ID: u32>(pub(crate) u64);

impl<const ID: u32> Method for Ask<ID> {
    type Returns = u64;
    type Throws = Declared;
    const DESCRIPTOR: &'static MethodDescriptor = &method(ID);

    fn encode_arguments(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.field::<u64>("number", &self.0)
    }
}

impl<const ID: u32> StreamMethod for Ask<ID> {
    type Item = u64;
}

/// A call of a method with texts.
pub(crate) struct AskTexts<const ID: u32>(u64);

impl<const ID: u32> Method for AskTexts<ID> {
    type Returns = Text;
    type Throws = Infallible;
    const DESCRIPTOR: &'static MethodDescriptor = &method(ID);

    fn encode_arguments(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.field::<u64>("number", &self.0)
    }
}

impl<const ID: u32> StreamMethod for AskTexts<ID> {
    type Item = Text;
}

/// A call whose items and result are of different kinds.
pub(crate) struct TakeTexts;

impl Method for TakeTexts {
    type Returns = u64;
    type Throws = Infallible;
    const DESCRIPTOR: &'static MethodDescriptor = &method(COUNT_TEXTS);

    fn encode_arguments(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.field::<u64>("number", &0)
    }
}

impl StreamMethod for TakeTexts {
    type Item = Text;
}

pub(crate) fn ask<const ID: u32>(peer: &Peer, number: u64) -> Call<Ask<ID>> {
    Call::new(peer, Ask(number))
}

pub(crate) fn send<const ID: u32>(peer: &Peer, items: impl IntoOutgoing<u64>) -> Call<Ask<ID>> {
    Call::with_stream(peer, Ask(0), items)
}

pub(crate) fn listen<const ID: u32>(peer: &Peer, number: u64) -> Incoming<u64, Declared> {
    Incoming::call(peer, Ask::<ID>(number))
}

pub(crate) fn exchange<const ID: u32>(peer: &Peer, items: impl IntoOutgoing<u64>) -> Incoming<u64, Declared> {
    Incoming::call_with_stream(peer, Ask::<ID>(0), items)
}

pub(crate) fn texts(peer: &Peer, letters: u64) -> Incoming<String> {
    Incoming::call(peer, AskTexts::<TEXTS>(letters))
}

#[derive(Clone)]
pub(crate) struct ServerProxy(Peer);
#[derive(Clone)]
pub(crate) struct ClientProxy(Peer);

impl Proxy for ServerProxy {
    type Role = role::Server;
    const SERVICE: &'static ServiceDescriptor = &DESCRIPTOR;
    fn from_peer(peer: Peer) -> Self {
        Self(peer)
    }
    fn peer(&self) -> &Peer {
        &self.0
    }
}

impl Proxy for ClientProxy {
    type Role = role::Client;
    const SERVICE: &'static ServiceDescriptor = &DESCRIPTOR;
    fn from_peer(peer: Peer) -> Self {
        Self(peer)
    }
    fn peer(&self) -> &Peer {
        &self.0
    }
}

/// What handlers and producers have done so far.
#[derive(Debug, Default, Clone)]
pub(crate) struct Counts {
    /// Producers that were dropped.
    pub(crate) dropped: usize,
    /// Handlers of a stream parameter that began.
    pub(crate) started: usize,
    /// How the stream parameters of handlers ended, where not by their end.
    pub(crate) broken: Vec<String>,
}

/// What one side's handlers share with the test.
pub(crate) struct World {
    counts: watch::Sender<Counts>,
    /// Items that producers made.
    made: AtomicU64,
    pub(crate) gate: Semaphore,
    pub(crate) sums: Mutex<Vec<u64>>,
}

impl World {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            counts: watch::channel(Counts::default()).0,
            made: AtomicU64::new(0),
            gate: Semaphore::new(0),
            sums: Mutex::default(),
        })
    }

    pub(crate) fn made(&self) -> u64 {
        self.made.load(Ordering::Relaxed)
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts.borrow().clone()
    }

    pub(crate) async fn until(&self, condition: impl FnMut(&Counts) -> bool) {
        within(self.counts.subscribe().wait_for(condition)).await.unwrap();
    }

    async fn pass_gate(&self) {
        self.gate.acquire().await.unwrap().forget();
    }

    /// A producer that is seen to make items, and to be dropped.
    pub(crate) fn watched<S: Stream>(self: &Arc<Self>, stream: S) -> Watched<S> {
        Watched { world: Arc::clone(self), stream: Box::pin(stream) }
    }

    async fn sum(&self, mut numbers: Incoming<u64>) -> Result<u64, Fault> {
        self.counts.send_modify(|counts| counts.started += 1);
        let mut sum = 0;
        while let Some(number) = numbers.next().await {
            match number {
                Ok(number) => sum += number,
                Err(error) => {
                    assert!(numbers.next().await.is_none(), "nothing comes behind an error");
                    self.counts.send_modify(|counts| counts.broken.push(error.to_string()));
                    return Err(error.into());
                }
            }
        }
        self.sums.lock().unwrap().push(sum);
        Ok(sum)
    }
}

/// See [`World::watched`].
pub(crate) struct Watched<S> {
    world: Arc<World>,
    stream: Pin<Box<S>>,
}

impl<S: Stream> Stream for Watched<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut TaskContext<'_>) -> Poll<Option<S::Item>> {
        let item = self.stream.as_mut().poll_next(context);
        if let Poll::Ready(Some(_)) = item {
            self.world.made.fetch_add(1, Ordering::Relaxed);
        }
        item
    }
}

impl<S> Drop for Watched<S> {
    fn drop(&mut self) {
        self.world.counts.send_modify(|counts| counts.dropped += 1);
    }
}

fn number(decoder: &mut Decoder<'_>) -> Result<u64, DecodeError> {
    decoder.field::<u64>("number")
}

fn good(count: u64) -> impl Stream<Item = Result<u64, Failure<Declared>>> + Send {
    stream::iter((0..count).map(Ok))
}

/// The handlers that take streams.
pub(crate) fn serve<P: Proxy>(world: &Arc<World>, call: InboundCall) -> Handling {
    let world = Arc::clone(world);
    let numbers = call.incoming::<u64>();
    match call.method_id() {
        ECHO => call.unary::<P, u64, _, _>(number, |_, number| async move { Ok(number) }),
        SUM | DETACHED_SUM => {
            call.unary::<P, u64, _, _>(number, |_, _| async move { world.sum(numbers).await })
        }
        DOUBLE => call.stream::<P, u64, _, _>(number, |_, _, sink| async move {
            sink.run(async { Ok(numbers.map(|number| Ok(number? * 2))) }).await
        }),
        FIRST => call.unary::<P, u64, _, _>(number, |_, _| async move {
            let mut numbers = numbers;
            numbers.next().await.ok_or_else(|| Fault::new("there is none"))?.map_err(Fault::from)
        }),
        HOLD => call.unary::<P, u64, _, _>(number, |_, _| async move {
            world.counts.send_modify(|counts| counts.started += 1);
            world.pass_gate().await;
            world.sum(numbers).await
        }),
        STOP => call.unary::<P, u64, _, _>(number, |_, _| async move {
            let mut numbers = numbers;
            let first = numbers.next().await.ok_or_else(|| Fault::new("there is none"))??;
            drop(numbers);
            world.counts.send_modify(|counts| counts.started += 1);
            world.pass_gate().await;
            Ok(first)
        }),
        COUNT_TEXTS => {
            let mut texts = call.incoming::<Text>();
            std::mem::forget(numbers);
            call.unary::<P, u64, _, _>(number, |_, _| async move {
                let mut count = 0;
                while let Some(text) = texts.next().await {
                    text?;
                    count += 1;
                }
                Ok(count)
            })
        }
        _ => serve_more::<P>(world, call),
    }
}

/// The handlers that return streams.
fn serve_more<P: Proxy>(world: Arc<World>, call: InboundCall) -> Handling {
    match call.method_id() {
        COUNT | COUNT_AGAIN => call.stream::<P, u64, _, _>(number, |_, count, sink| async move {
            sink.run(async { Ok(world.watched(stream::iter((0..count).map(Ok)))) }).await
        }),
        TRICKLE => call.stream::<P, u64, _, _>(number, |_, _, sink| async move {
            let passed = stream::unfold(0, |count| {
                let world = &world;
                async move {
                    world.pass_gate().await;
                    Some((Ok(count), count + 1))
                }
            });
            // It borrows the world, as a handler's stream may borrow its service.
            sink.run(async { Ok(world.watched(passed)) }).await
        }),
        PANIC_AFTER => call.stream::<P, u64, _, _>(number, |_, count, sink| async move {
            sink.run(async {
                Ok(stream::iter(0..).map(move |item| {
                    assert!(item < count, "a stream's panic, as the test wants it");
                    Ok(item)
                }))
            })
            .await
        }),
        FAIL_AFTER => call.stream_throws::<P, u64, Declared, _, _>(number, |_, count, sink| async move {
            let end = stream::iter([Err(Failure::from(Declared(count)))]);
            sink.run(async { Ok(good(count).chain(end)) }).await
        }),
        FAULT_AFTER => call.stream_throws::<P, u64, Declared, _, _>(number, |_, count, sink| async move {
            let end = stream::iter([Err(Failure::Fault(Fault::new("no more paper")))]);
            sink.run(async { Ok(good(count).chain(end)) }).await
        }),
        REFUSE => call.stream_throws::<P, u64, Declared, _, _>(number, |_, count, sink| async move {
            sink.run(async { Err::<Never<Result<u64, Failure<Declared>>>, _>(Declared(count).into()) }).await
        }),
        TEXTS => call.stream::<P, Text, _, _>(number, |_, letters, sink| async move {
            let text = "x".repeat(usize::try_from(letters).unwrap());
            sink.run(async { Ok(stream::iter(["first".to_owned(), text, "last".to_owned()]).map(Ok)) }).await
        }),
        GIBBERISH => call.stream::<P, u8, _, _>(number, |_, _, sink| async move {
            sink.run(async { Ok(stream::iter([7, 255]).map(Ok)) }).await
        }),
        ASK_BACK => call.stream::<P, u64, _, _>(number, |cx, count, sink| async move {
            let asked = stream::iter(0..count)
                .then(|number| ask::<ECHO>(cx.peer.peer(), number))
                .map(|answer| answer.map_err(Fault::from));
            sink.run(async { Ok(asked) }).await
        }),
        _ => call.unknown_method(),
    }
}

pub(crate) fn secret() -> Secret {
    Secret::new(*b"0123456789abcdef0123456789abcdef").unwrap()
}

pub(crate) fn server_builder(world: &Arc<World>) -> ServerBuilder {
    let world = Arc::clone(world);
    Server::builder()
        .secret(secret())
        .register(Service::shared(&DESCRIPTOR, world, |world, call| serve::<ClientProxy>(world, call)))
}

pub(crate) fn client_builder(world: &Arc<World>) -> ClientBuilder {
    let world = Arc::clone(world);
    Client::builder()
        .secret(secret())
        .register(Service::shared(&DESCRIPTOR, world, |world, call| serve::<ServerProxy>(world, call)))
}

/// A server, a client of it, and what their handlers do.
pub(crate) struct Pair {
    pub(crate) server: Server,
    pub(crate) client: Client,
    /// The server, as the client calls it.
    pub(crate) peer: Peer,
    pub(crate) at_server: Arc<World>,
    pub(crate) at_client: Arc<World>,
    folder: tempfile::TempDir,
}

impl Pair {
    pub(crate) async fn new() -> Self {
        Self::with(|server| server, |client| client).await
    }

    pub(crate) async fn with(
        server: impl FnOnce(ServerBuilder) -> ServerBuilder,
        client: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Self {
        let (at_server, at_client) = (World::new(), World::new());
        let folder = tempfile::tempdir().unwrap();
        let address = format!("unix:{}", folder.path().join("socket").display());
        let server = server(server_builder(&at_server)).listen(address.as_str()).await.unwrap();
        let client = client(client_builder(&at_client)).connect(address.as_str()).unwrap();
        within(client.ready()).await.unwrap();
        let peer = client.peer();
        Self { server, client, peer, at_server, at_client, folder }
    }

    /// The client, as the server calls it.
    pub(crate) async fn back(&self) -> Peer {
        within(self.server.peers().next()).await.unwrap()
    }

    pub(crate) fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("socket")
    }

    /// The connection is well.
    pub(crate) async fn lives(&self) {
        assert_eq!(within(ask::<ECHO>(&self.peer, 5)).await, Ok(5));
    }
}

/// All items, and the error behind them if there is one.
pub(crate) async fn drain<T, E>(
    mut incoming: Incoming<T, E>,
) -> (Vec<T>, Option<kaa_rpc_runtime::CallError<E>>) {
    let mut items = Vec::new();
    while let Some(item) = within(incoming.next()).await {
        match item {
            Ok(item) => items.push(item),
            Err(error) => {
                assert!(within(incoming.next()).await.is_none(), "nothing comes behind an error");
                return (items, Some(error));
            }
        }
    }
    assert!(within(incoming.next()).await.is_none(), "nothing comes behind the end");
    (items, None)
}

/// No test waits longer than this for anything.
pub(crate) const LONGEST: Duration = Duration::from_secs(20);

/// The future's output; a hang is a failure.
pub(crate) async fn within<F: IntoFuture>(future: F) -> F::Output {
    tokio::time::timeout(LONGEST, future.into_future()).await.expect("it hangs")
}
