//! A service with streams written by hand as the generator would write it, the same on both sides, and a connected pair.

#[path = "../../peers/support/chaos.rs"]
pub(crate) mod chaos;
pub(crate) mod frames;
mod methods;
#[path = "../../peers/support/raw.rs"]
#[allow(dead_code, reason = "the scripted peer is the one of the tests of calls, which use more of it")]
pub(crate) mod raw;

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use kaa_rpc_runtime::codegen::*;
use kaa_rpc_runtime::{Client, ClientBuilder, Secret, Server, ServerBuilder};
use tokio::sync::{Semaphore, watch};

pub(crate) use methods::*;

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
    /// Producers that there have been.
    watched: AtomicUsize,
    pub(crate) gate: Semaphore,
    pub(crate) sums: Mutex<Vec<u64>>,
}

impl World {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            counts: watch::channel(Counts::default()).0,
            made: AtomicU64::new(0),
            watched: AtomicUsize::new(0),
            gate: Semaphore::new(0),
            sums: Mutex::default(),
        })
    }

    pub(crate) fn made(&self) -> u64 {
        self.made.load(Ordering::Relaxed)
    }

    pub(crate) fn watched_so_far(&self) -> usize {
        self.watched.load(Ordering::Relaxed)
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
        self.watched.fetch_add(1, Ordering::Relaxed);
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
        ENDLESS_TEXTS => call.stream::<P, Text, _, _>(number, |_, letters, sink| async move {
            let text = "x".repeat(usize::try_from(letters).unwrap());
            sink.run(async { Ok(world.watched(stream::repeat(text).map(Ok))) }).await
        }),
        WATCHFUL => call.stream::<P, u64, _, _>(number, |cx, _, sink| async move {
            let numbers = stream::unfold(0, |count| {
                let (cx, world) = (&cx, &world);
                async move {
                    if cx.is_cancelled() {
                        world.pass_gate().await;
                        world.sums.lock().unwrap().push(count);
                        return None;
                    }
                    Some((Ok(count), count + 1))
                }
            });
            sink.run(async { Ok(world.watched(numbers)) }).await
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
    // A timer for each item would cost more than the item.
    let mut some = async || {
        for _ in 0..1000 {
            match incoming.next().await {
                Some(Ok(item)) => items.push(item),
                end => return Some(end.and_then(Result::err)),
            }
        }
        None
    };
    let error = loop {
        if let Some(error) = within(some()).await {
            break error;
        }
    };
    assert!(within(incoming.next()).await.is_none(), "nothing comes behind the end, or an error");
    (items, error)
}

/// No test waits longer than this for anything.
pub(crate) const LONGEST: Duration = Duration::from_secs(20);

/// The future's output; a hang is a failure.
pub(crate) async fn within<F: IntoFuture>(future: F) -> F::Output {
    tokio::time::timeout(LONGEST, future.into_future()).await.expect("it hangs")
}
