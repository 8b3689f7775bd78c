//! A service written by hand as the generator would write it, the same on both sides, and a connected pair of them.
//!
//! Every method takes a text and returns one. What handlers do is counted in a [`World`], which tests wait for.

pub(crate) mod chaos;
pub(crate) mod raw;
mod waiting;

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kaa_rpc_runtime::codegen::*;
use kaa_rpc_runtime::{
    Call, Client, ClientBuilder, OnewayCall, Peer, Secret, Server, ServerBuilder, TraceContext,
};
use tokio::sync::{Semaphore, watch};

pub(crate) use waiting::*;

/// Returns its argument.
pub(crate) const ECHO: u32 = 1;
/// Asks the caller for an echo before it answers.
pub(crate) const ASK: u32 = 2;
/// Waits for the gate.
pub(crate) const WAIT: u32 = 3;
/// Returns so many letters.
pub(crate) const BIG: u32 = 4;
/// Panics.
pub(crate) const PANIC: u32 = 5;
/// Fails.
pub(crate) const FAULT: u32 = 6;
/// Writes its argument down.
pub(crate) const RECORD: u32 = 7;
/// Writes its argument down, oneway.
pub(crate) const NOTE: u32 = 8;
/// Waits for the gate, then writes its argument down, oneway.
pub(crate) const SLOW_NOTE: u32 = 9;
/// Waits for its cancellation, notes it, and returns.
pub(crate) const NOTICE: u32 = 10;
/// Looks whether it is cancelled and goes on for ever.
pub(crate) const STUBBORN: u32 = 11;
/// Calls the caller's `DESCEND` with one less, down to zero.
pub(crate) const DESCEND: u32 = 12;
/// Closes the connection it came by, and waits.
pub(crate) const CLOSE: u32 = 13;
/// Returns a value whose encoder panics.
pub(crate) const EXPLODE: u32 = 14;
/// Returns a value over its bound.
pub(crate) const UNBOUND: u32 = 15;
/// Returns the seconds left until the deadline.
pub(crate) const REMAINING: u32 = 16;
/// Asks the caller to wait at its gate.
pub(crate) const ASK_WAIT: u32 = 17;
/// Panics, oneway.
pub(crate) const PANIC_NOTE: u32 = 18;
/// Waits for the gate; has a timeout of its own.
pub(crate) const HURRIED: u32 = 19;
/// Asks the caller how long it has for answering, by its `REMAINING`.
pub(crate) const ASK_REMAINING: u32 = 20;
/// Like `REMAINING`; has a timeout of its own.
pub(crate) const TIMED: u32 = 21;
/// Waits for the gate, then writes its argument down; detached.
pub(crate) const PATIENT: u32 = 22;
/// The same, oneway.
pub(crate) const PATIENT_NOTE: u32 = 23;
/// Writes its argument down; idempotent.
pub(crate) const REPEATABLE: u32 = 24;
/// Returns the metadata of this name.
pub(crate) const METADATA: u32 = 25;
/// Returns the handler's place in its trace.
pub(crate) const TRACE: u32 = 26;
/// Asks the caller for its `TRACE`.
pub(crate) const ASK_TRACE: u32 = 27;
/// Asks the caller for an echo and waits for it on its thread.
pub(crate) const ASK_BLOCKING: u32 = 28;
/// Holds its thread until the gate opens.
pub(crate) const HOLD: u32 = 29;
/// Nobody serves it.
pub(crate) const NOBODYS: u32 = 99;

pub(crate) type Text = shape::String<{ shape::UNBOUNDED }>;

/// The timeout of a method.
const fn timeout(id: u32) -> Option<Duration> {
    match id {
        HURRIED => Some(Duration::from_millis(100)),
        TIMED => Some(Duration::from_secs(1000)),
        _ => None,
    }
}

const fn method(id: u32) -> MethodDescriptor {
    MethodDescriptor {
        oneway: matches!(id, NOTE | SLOW_NOTE | PANIC_NOTE | PATIENT_NOTE),
        timeout: timeout(id),
        detached: matches!(id, PATIENT | PATIENT_NOTE),
        idempotent: id == REPEATABLE,
        ..MethodDescriptor::new(id, "test.World", "method")
    }
}

const COUNT: usize = HOLD as usize;

static METHODS: [&MethodDescriptor; COUNT] = {
    static TABLE: [MethodDescriptor; COUNT] = {
        let mut methods = [method(1); COUNT];
        let mut id = 1;
        while id < COUNT {
            methods[id] = method(id as u32 + 1);
            id += 1;
        }
        methods
    };
    let mut list = [&TABLE[0]; COUNT];
    let mut index = 0;
    while index < COUNT {
        list[index] = &TABLE[index];
        index += 1;
    }
    list
};

pub(crate) static DESCRIPTOR: ServiceDescriptor = ServiceDescriptor {
    name: "test.World",
    fingerprint: [1; 32],
    table: ServiceTable { methods: &[], types: &[] },
    server_methods: &METHODS,
    client_methods: &METHODS,
};

/// A call of any method.
#[derive(Debug, Clone)]
pub(crate) struct Ask<const ID: u32>(pub(crate) String);

impl<const ID: u32> Method for Ask<ID> {
    type Returns = Text;
    type Throws = Infallible;
    const DESCRIPTOR: &'static MethodDescriptor = &method(ID);

    fn encode_arguments(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.field::<Text>("text", &self.0)
    }
}

/// A call whose arguments cannot be written.
pub(crate) enum Unwritable {
    /// After some bytes comes an error.
    Fails,
    /// After some bytes comes a panic.
    Panics,
}

impl Method for Unwritable {
    type Returns = Text;
    type Throws = Infallible;
    const DESCRIPTOR: &'static MethodDescriptor = &method(ECHO);

    fn encode_arguments(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.field::<Text>("text", &"half of it".to_owned())?;
        match self {
            Self::Fails => encoder.field::<shape::String<4>>("text", &"too long".to_owned()),
            Self::Panics => panic!("an encoder's panic, as the test wants it"),
        }
    }
}

pub(crate) fn ask<const ID: u32>(peer: &Peer, text: impl Into<String>) -> Call<Ask<ID>> {
    Call::new(peer, Ask(text.into()))
}

pub(crate) fn tell<const ID: u32>(peer: &Peer, text: impl Into<String>) -> OnewayCall<Ask<ID>> {
    OnewayCall::new(peer, Ask(text.into()))
}

/// A result whose encoder panics.
struct Exploding;

impl Wire for Exploding {
    type Value = ();
    const MIN_SIZE: usize = 1;

    fn encode(_: &(), encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        Text::encode(&"half of it".to_owned(), encoder)?;
        panic!("an encoder's panic, as the test wants it")
    }

    fn decode(_: &mut Decoder<'_>) -> Result<(), DecodeError> {
        Ok(())
    }
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

/// What handlers have done so far.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) started: usize,
    pub(crate) finished: usize,
    /// Dropped before they were finished.
    pub(crate) dropped: usize,
    /// Saw that they were cancelled.
    pub(crate) noticed: usize,
}

/// What one side's handlers share with the test.
pub(crate) struct World {
    counts: watch::Sender<Counts>,
    ledger: Mutex<Vec<String>>,
    pub(crate) gate: Semaphore,
}

impl World {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            counts: watch::channel(Counts::default()).0,
            ledger: Mutex::default(),
            gate: Semaphore::new(0),
        })
    }

    pub(crate) fn counts(&self) -> Counts {
        *self.counts.borrow()
    }

    pub(crate) async fn until(&self, condition: impl FnMut(&Counts) -> bool) {
        let mut watch = self.counts.subscribe();
        within(watch.wait_for(condition)).await.unwrap();
    }

    pub(crate) fn ledger(&self) -> Vec<String> {
        self.ledger.lock().unwrap().clone()
    }

    fn record(&self, text: &str) {
        self.ledger.lock().unwrap().push(text.to_owned());
        self.counts.send_modify(|_| ());
    }

    pub(crate) async fn until_recorded(&self, count: usize) {
        self.until(|_| self.ledger.lock().unwrap().len() >= count).await;
    }

    async fn pass_gate(&self) {
        self.gate.acquire().await.unwrap().forget();
    }
}

/// A handler at work, in the counts.
struct Presence {
    world: Arc<World>,
    finished: bool,
}

impl Presence {
    fn new(world: &Arc<World>) -> Self {
        world.counts.send_modify(|counts| counts.started += 1);
        Self { world: Arc::clone(world), finished: false }
    }

    fn finish(mut self) {
        self.finished = true;
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        let finished = self.finished;
        self.world
            .counts
            .send_modify(|counts| *(if finished { &mut counts.finished } else { &mut counts.dropped }) += 1);
    }
}

pub(crate) fn serve<P: Proxy>(world: &Arc<World>, call: InboundCall) -> Handling {
    let world = Arc::clone(world);
    let text = |decoder: &mut Decoder<'_>| decoder.field::<Text>("text");
    match call.method_id() {
        ECHO => call.unary::<P, Text, _, _>(text, |_, text| async move { Ok(text) }),
        ASK => call.unary::<P, Text, _, _>(text, |cx, text| async move {
            Ok(format!("{}, says the caller", ask::<ECHO>(cx.peer.peer(), text).await?))
        }),
        ASK_WAIT => call.unary::<P, Text, _, _>(text, |cx, text| async move {
            let presence = Presence::new(&world);
            let answer = ask::<WAIT>(cx.peer.peer(), text).await;
            presence.finish();
            Ok(answer?)
        }),
        WAIT | HURRIED => call.unary::<P, Text, _, _>(text, |_, text| async move {
            let presence = Presence::new(&world);
            world.pass_gate().await;
            presence.finish();
            Ok(text)
        }),
        PATIENT => call.unary::<P, Text, _, _>(text, |_, text| async move {
            let presence = Presence::new(&world);
            world.pass_gate().await;
            world.record(&text);
            presence.finish();
            Ok(text)
        }),
        BIG => call.unary::<P, Text, _, _>(text, |_, text| async move { Ok("x".repeat(text.parse()?)) }),
        PANIC => call.unary::<P, Text, _, _>(text, |_, text: String| async move { panic!("{text}") }),
        FAULT => call.unary::<P, Text, _, _>(text, |_, text| async move { Err(Fault::new(text)) }),
        RECORD | REPEATABLE => call.unary::<P, Text, _, _>(text, |_, text: String| async move {
            world.record(&text);
            Ok(text)
        }),
        NOTE => call.oneway::<P, _, _>(text, |_, text: String| async move {
            world.record(&text);
            Ok(())
        }),
        SLOW_NOTE | PATIENT_NOTE => call.oneway::<P, _, _>(text, |_, text: String| async move {
            let presence = Presence::new(&world);
            world.pass_gate().await;
            world.record(&text);
            presence.finish();
            Ok(())
        }),
        PANIC_NOTE => call.oneway::<P, _, _>(text, |_, text: String| async move { panic!("{text}") }),
        _ => serve_more::<P>(world, call),
    }
}

fn serve_more<P: Proxy>(world: Arc<World>, call: InboundCall) -> Handling {
    let text = |decoder: &mut Decoder<'_>| decoder.field::<Text>("text");
    match call.method_id() {
        NOTICE => call.unary::<P, Text, _, _>(text, |cx, text| async move {
            let presence = Presence::new(&world);
            cx.cancelled().await;
            world.counts.send_modify(|counts| counts.noticed += 1);
            presence.finish();
            Ok(text)
        }),
        STUBBORN => call.unary::<P, Text, _, _>(text, |cx, _| async move {
            let _presence = Presence::new(&world);
            cx.cancelled().await;
            world.counts.send_modify(|counts| counts.noticed += 1);
            std::future::pending().await
        }),
        DESCEND => call.unary::<P, Text, _, _>(text, |cx, text| async move {
            match text.parse::<u32>()? {
                0 => Ok("the bottom".to_owned()),
                depth => Ok(ask::<DESCEND>(cx.peer.peer(), (depth - 1).to_string()).await?),
            }
        }),
        CLOSE => call.unary::<P, Text, _, _>(text, |cx, _| async move {
            let _presence = Presence::new(&world);
            cx.peer.peer().close();
            std::future::pending().await
        }),
        EXPLODE => call.unary::<P, Exploding, _, _>(text, |_, _| async move { Ok(()) }),
        UNBOUND => call.unary::<P, shape::String<4>, _, _>(text, |_, text| async move { Ok(text) }),
        REMAINING | TIMED => call.unary::<P, Text, _, _>(text, |cx, _| async move {
            Ok(cx.remaining_time().map_or_else(|| "for ever".to_owned(), |time| time.as_secs().to_string()))
        }),
        ASK_BLOCKING => call.unary::<P, Text, _, _>(text, |cx, text| async move {
            Ok(ask::<ECHO>(cx.peer.peer(), text).wait()?)
        }),
        HOLD => call.unary::<P, Text, _, _>(text, |_, text| async move {
            let presence = Presence::new(&world);
            while world.gate.try_acquire().map(|permit| permit.forget()).is_err() {
                std::thread::yield_now();
            }
            presence.finish();
            Ok(text)
        }),
        METADATA => call.unary::<P, Text, _, _>(text, |cx, text| async move {
            Ok(cx.metadata().text(&text).unwrap_or("none").to_owned())
        }),
        TRACE => call.unary::<P, Text, _, _>(text, |cx, _| async move {
            let trace = cx.trace().map_or_else(|| "none".to_owned(), TraceContext::traceparent);
            tokio::task::yield_now().await;
            assert_eq!(TraceContext::current().as_ref(), cx.trace(), "also behind a pause");
            Ok(trace)
        }),
        ASK_TRACE => call.unary::<P, Text, _, _>(text, |cx, text| async move {
            tokio::task::yield_now().await;
            let theirs = ask::<TRACE>(cx.peer.peer(), text).await?;
            let ours = cx.trace().map_or_else(|| "none".to_owned(), TraceContext::traceparent);
            Ok(format!("{ours} {theirs}"))
        }),
        ASK_REMAINING => call.unary::<P, Text, _, _>(text, |cx, text| async move {
            Ok(ask::<REMAINING>(cx.peer.peer(), text).await?)
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

/// A folder for a socket, and the socket's address.
pub(crate) struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("socket")
    }

    pub(crate) fn address(&self) -> String {
        format!("unix:{}", self.path().display())
    }
}

/// A server, a client of it, and what their handlers do.
pub(crate) struct Pair {
    pub(crate) server: Server,
    pub(crate) client: Client,
    /// The server, as the client calls it.
    pub(crate) peer: Peer,
    pub(crate) at_server: Arc<World>,
    pub(crate) at_client: Arc<World>,
    pub(crate) place: Place,
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
        let place = Place::new();
        let server = server(server_builder(&at_server)).listen(place.address().as_str()).await.unwrap();
        let client = client(client_builder(&at_client)).connect(place.address().as_str()).unwrap();
        within(client.ready()).await.unwrap();
        let peer = client.peer();
        Self { server, client, peer, at_server, at_client, place }
    }

    /// The client, as the server calls it.
    pub(crate) async fn back(&self) -> Peer {
        within(self.server.peers().next()).await.unwrap()
    }

    /// The connection is well.
    pub(crate) async fn lives(&self) {
        lives(&self.peer).await;
    }
}

/// The connection is well.
pub(crate) async fn lives(peer: &Peer) {
    assert_eq!(within(ask::<ECHO>(peer, "alive")).await, Ok("alive".to_owned()));
}

/// A server, its handlers' world, and where it is.
pub(crate) async fn server_with(
    change: impl FnOnce(ServerBuilder) -> ServerBuilder,
) -> (Server, Arc<World>, Place) {
    let (world, place) = (World::new(), Place::new());
    let server = change(server_builder(&world)).listen(place.address().as_str()).await.unwrap();
    (server, world, place)
}
