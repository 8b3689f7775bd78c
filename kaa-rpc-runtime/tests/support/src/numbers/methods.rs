//! The methods of the service with streams, and their calls.

use std::convert::Infallible;

use kaa_rpc_runtime::codegen::*;

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
/// Returns texts of so many letters, for ever.
pub(crate) const ENDLESS_TEXTS: u32 = 19;
/// Returns numbers until it is given up, then passes the gate and keeps how many there were.
pub(crate) const WATCHFUL: u32 = 20;
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
            | ENDLESS_TEXTS
            | ASK_BACK
            | REFUSE
            | GIBBERISH
            | WATCHFUL
    );
    let streams = Streams { arguments, returns };
    let (idempotent, detached) = (id == COUNT_AGAIN, id == DETACHED_SUM);
    MethodDescriptor { streams, idempotent, detached, ..MethodDescriptor::new(id, "test.Streams", "method") }
}

static METHODS: [&MethodDescriptor; 20] = [
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
    &method(19),
    &method(20),
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

pub(crate) fn endless_texts(peer: &Peer, letters: u64) -> Incoming<String> {
    Incoming::call(peer, AskTexts::<ENDLESS_TEXTS>(letters))
}
