//! The methods of the service, and their calls.

use std::convert::Infallible;
use std::time::Duration;

use kaa_rpc_runtime::codegen::*;
use kaa_rpc_runtime::{Call, OnewayCall, Peer};

/// Returns its argument.
pub const ECHO: u32 = 1;
/// Calls the caller's `ECHO` before it answers.
pub const CALL_BACK: u32 = 2;
/// Waits for the gate.
pub const WAIT: u32 = 3;
/// Returns a text of this many letters.
pub const LARGE: u32 = 4;
/// Panics.
pub const PANIC: u32 = 5;
/// Fails with its argument.
pub const FAULT: u32 = 6;
/// Records its argument.
pub const RECORD: u32 = 7;
/// Records its argument. Oneway.
pub const NOTE: u32 = 8;
/// Waits for the gate, then records its argument. Oneway.
pub const GATED_NOTE: u32 = 9;
/// Waits until it is cancelled, counts that, and returns.
pub const AWAIT_CANCEL: u32 = 10;
/// Waits until it is cancelled, counts that, and never returns.
pub const IGNORE_CANCEL: u32 = 11;
/// Calls the caller's `DESCEND` with one less, down to zero.
pub const DESCEND: u32 = 12;
/// Closes its connection, and never returns.
pub const CLOSE_CONNECTION: u32 = 13;
/// Returns a value whose encoder panics.
pub const PANIC_WHILE_ENCODING: u32 = 14;
/// Returns a value over its bound.
pub const OVER_BOUND: u32 = 15;
/// Returns the seconds left until the deadline.
pub const REMAINING: u32 = 16;
/// Calls the caller's `WAIT`.
pub const CALL_BACK_WAIT: u32 = 17;
/// Panics. Oneway.
pub const PANIC_NOTE: u32 = 18;
/// Waits for the gate. The method has a timeout of 100 ms.
pub const SHORT_TIMEOUT: u32 = 19;
/// Calls the caller's `REMAINING`.
pub const CALL_BACK_REMAINING: u32 = 20;
/// Like `REMAINING`. The method has a timeout of 1000 s.
pub const LONG_TIMEOUT: u32 = 21;
/// Waits for the gate, then records its argument. Detached.
pub const DETACHED: u32 = 22;
/// The same. Oneway.
pub const DETACHED_NOTE: u32 = 23;
/// Records its argument. Idempotent.
pub const IDEMPOTENT: u32 = 24;
/// Returns the value of the metadata with this name.
pub const METADATA: u32 = 25;
/// Returns the trace context of the handler.
pub const TRACE: u32 = 26;
/// Calls the caller's `TRACE`.
pub const CALL_BACK_TRACE: u32 = 27;
/// Calls the caller's `ECHO`, and blocks its thread until the reply.
pub const CALL_BACK_BLOCKING: u32 = 28;
/// Blocks its thread until the gate opens.
pub const BLOCK_THREAD: u32 = 29;
/// A method that no peer serves.
pub const UNKNOWN: u32 = 99;

pub type Text = shape::String<{ shape::UNBOUNDED }>;

const fn timeout(id: u32) -> Option<Duration> {
    match id {
        SHORT_TIMEOUT => Some(Duration::from_millis(100)),
        LONG_TIMEOUT => Some(Duration::from_secs(1000)),
        _ => None,
    }
}

const fn method(id: u32) -> MethodDescriptor {
    MethodDescriptor {
        oneway: matches!(id, NOTE | GATED_NOTE | PANIC_NOTE | DETACHED_NOTE),
        timeout: timeout(id),
        detached: matches!(id, DETACHED | DETACHED_NOTE),
        idempotent: id == IDEMPOTENT,
        ..MethodDescriptor::new(id, "test.Texts", "method")
    }
}

const COUNT: usize = BLOCK_THREAD as usize;

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

pub static DESCRIPTOR: ServiceDescriptor = ServiceDescriptor {
    name: "test.Texts",
    fingerprint: [1; 32],
    table: ServiceTable { methods: &[], types: &[] },
    server_methods: &METHODS,
    client_methods: &METHODS,
};

/// A call of any method.
#[derive(Debug, Clone)]
pub struct TextCall<const ID: u32>(pub String);

impl<const ID: u32> Method for TextCall<ID> {
    type Returns = Text;
    type Throws = Infallible;
    const DESCRIPTOR: &'static MethodDescriptor = &method(ID);

    fn encode_arguments(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.field::<Text>("text", &self.0)
    }
}

/// A call whose arguments cannot be encoded.
pub enum UnencodableCall {
    /// Some bytes, then an error.
    Fails,
    /// Some bytes, then a panic.
    Panics,
}

impl Method for UnencodableCall {
    type Returns = Text;
    type Throws = Infallible;
    const DESCRIPTOR: &'static MethodDescriptor = &method(ECHO);

    fn encode_arguments(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.field::<Text>("text", &"half of it".to_owned())?;
        match self {
            Self::Fails => encoder.field::<shape::String<4>>("text", &"too long".to_owned()),
            Self::Panics => panic!("a panic that the test expects"),
        }
    }
}

/// A call of a method with a text as its argument.
pub fn call_method<const ID: u32>(peer: &Peer, text: impl Into<String>) -> Call<TextCall<ID>> {
    Call::new(peer, TextCall(text.into()))
}

/// The same for a oneway method.
pub fn call_oneway<const ID: u32>(peer: &Peer, text: impl Into<String>) -> OnewayCall<TextCall<ID>> {
    OnewayCall::new(peer, TextCall(text.into()))
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
