//! The methods of the service, and their calls.

use std::convert::Infallible;

use kaa_rpc_runtime::codegen::*;

/// Returns its argument.
pub const ECHO: u32 = 1;
/// Returns this many numbers, from zero.
pub const COUNT: u32 = 2;
/// Returns the sum of the numbers it receives.
pub const SUM: u32 = 3;
/// Returns each number it receives, doubled.
pub const DOUBLE: u32 = 4;
/// Returns a number for each permit of the gate, without end.
pub const GATED_COUNT: u32 = 5;
/// Returns the first number it receives, and takes no more.
pub const FIRST: u32 = 6;
/// Returns this many numbers, then panics.
pub const PANIC_AFTER: u32 = 7;
/// Returns this many numbers, then the declared error.
pub const FAIL_AFTER: u32 = 8;
/// Returns this many numbers, then a fault.
pub const FAULT_AFTER: u32 = 9;
/// Returns three texts, the second of this many letters.
pub const TEXTS: u32 = 10;
/// Waits for the gate, then returns the sum of the numbers it receives.
pub const GATED_SUM: u32 = 11;
/// Returns this many numbers, each of them the reply to a call of the caller's `ECHO`.
pub const CALL_BACK: u32 = 12;
/// Takes one number, drops the stream, and waits for the gate before it returns.
pub const DROP_STREAM: u32 = 13;
/// Returns the declared error before its stream begins.
pub const FAIL_AT_ONCE: u32 = 14;
/// Returns how many texts it receives.
pub const COUNT_TEXTS: u32 = 15;
/// Returns a number, then a byte that is not a number.
pub const INVALID_ITEM: u32 = 16;
/// Like `SUM`. Detached.
pub const DETACHED_SUM: u32 = 17;
/// Like `COUNT`. Idempotent.
pub const IDEMPOTENT_COUNT: u32 = 18;
/// Returns texts of this many letters, without end.
pub const ENDLESS_TEXTS: u32 = 19;
/// Returns numbers until it is cancelled, then waits for the gate and records how many there were.
pub const COUNT_UNTIL_CANCELLED: u32 = 20;
/// A method that no peer serves.
pub const UNKNOWN: u32 = 99;

pub type Text = shape::String<{ shape::UNBOUNDED }>;

const fn method(id: u32) -> MethodDescriptor {
    let arguments = matches!(id, SUM | DETACHED_SUM | DOUBLE | FIRST | GATED_SUM | DROP_STREAM | COUNT_TEXTS);
    let returns = matches!(
        id,
        COUNT
            | IDEMPOTENT_COUNT
            | DOUBLE
            | GATED_COUNT
            | PANIC_AFTER
            | FAIL_AFTER
            | FAULT_AFTER
            | TEXTS
            | ENDLESS_TEXTS
            | CALL_BACK
            | FAIL_AT_ONCE
            | INVALID_ITEM
            | COUNT_UNTIL_CANCELLED
    );
    let streams = Streams { arguments, returns };
    let (idempotent, detached) = (id == IDEMPOTENT_COUNT, id == DETACHED_SUM);
    MethodDescriptor { streams, idempotent, detached, ..MethodDescriptor::new(id, "test.Numbers", "method") }
}

const LAST: usize = COUNT_UNTIL_CANCELLED as usize;

static METHODS: [&MethodDescriptor; LAST] = {
    static TABLE: [MethodDescriptor; LAST] = {
        let mut methods = [method(1); LAST];
        let mut id = 1;
        while id < LAST {
            methods[id] = method(id as u32 + 1);
            id += 1;
        }
        methods
    };
    let mut list = [&TABLE[0]; LAST];
    let mut index = 0;
    while index < LAST {
        list[index] = &TABLE[index];
        index += 1;
    }
    list
};

pub static DESCRIPTOR: ServiceDescriptor = ServiceDescriptor {
    name: "test.Numbers",
    fingerprint: [1; 32],
    table: ServiceTable { methods: &[], types: &[] },
    server_methods: &METHODS,
    client_methods: &METHODS,
};

/// The error that methods declare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("declared after {0}")]
pub struct Declared(pub u64);

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

/// A call of a method with a number as its argument and numbers as items.
pub struct NumberCall<const ID: u32>(pub u64);

impl<const ID: u32> Method for NumberCall<ID> {
    type Returns = u64;
    type Throws = Declared;
    const DESCRIPTOR: &'static MethodDescriptor = &method(ID);

    fn encode_arguments(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.field::<u64>("number", &self.0)
    }
}

impl<const ID: u32> StreamMethod for NumberCall<ID> {
    type Item = u64;
}

/// A call of a method that returns texts.
pub struct TextsCall<const ID: u32>(u64);

impl<const ID: u32> Method for TextsCall<ID> {
    type Returns = Text;
    type Throws = Infallible;
    const DESCRIPTOR: &'static MethodDescriptor = &method(ID);

    fn encode_arguments(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.field::<u64>("number", &self.0)
    }
}

impl<const ID: u32> StreamMethod for TextsCall<ID> {
    type Item = Text;
}

/// A call of `COUNT_TEXTS`: its items and its result have different types.
pub struct CountTextsCall;

impl Method for CountTextsCall {
    type Returns = u64;
    type Throws = Infallible;
    const DESCRIPTOR: &'static MethodDescriptor = &method(COUNT_TEXTS);

    fn encode_arguments(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.field::<u64>("number", &0)
    }
}

impl StreamMethod for CountTextsCall {
    type Item = Text;
}

/// A call without streams.
pub fn call_method<const ID: u32>(peer: &Peer, number: u64) -> Call<NumberCall<ID>> {
    Call::new(peer, NumberCall(number))
}

/// A call with a stream of arguments.
pub fn send_stream<const ID: u32>(peer: &Peer, items: impl IntoOutgoing<u64>) -> Call<NumberCall<ID>> {
    Call::with_stream(peer, NumberCall(0), items)
}

/// A call that returns a stream.
pub fn receive_stream<const ID: u32>(peer: &Peer, number: u64) -> Incoming<u64, Declared> {
    Incoming::call(peer, NumberCall::<ID>(number))
}

/// A call with streams in both directions.
pub fn exchange_streams<const ID: u32>(
    peer: &Peer,
    items: impl IntoOutgoing<u64>,
) -> Incoming<u64, Declared> {
    Incoming::call_with_stream(peer, NumberCall::<ID>(0), items)
}

/// A call of `TEXTS`.
pub fn receive_texts(peer: &Peer, letters: u64) -> Incoming<String> {
    Incoming::call(peer, TextsCall::<TEXTS>(letters))
}

/// A call of `ENDLESS_TEXTS`.
pub fn receive_endless_texts(peer: &Peer, letters: u64) -> Incoming<String> {
    Incoming::call(peer, TextsCall::<ENDLESS_TEXTS>(letters))
}

#[derive(Debug, Clone)]
pub struct ServerProxy(Peer);
#[derive(Debug, Clone)]
pub struct ClientProxy(Peer);

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
