//! The two halves of a stream against a model: in any order of items, reads, stops and ends, nothing is lost,
//! duplicated or reordered, and at most the window and a frame are on their way.

use std::collections::VecDeque;

use bytes::Bytes;
use kaa_rpc_runtime::protocol::frame::{CallId, Token};
use kaa_rpc_runtime::protocol::streams::{Receiving, Sending, StreamEnd, StreamId, Streams, Taken};
use proptest::prelude::*;

/// The next event.
#[derive(Debug, Clone)]
enum Step {
    /// The producer has this many bytes ready, and sends them if it may.
    Send(usize),
    /// The oldest frame on the wire arrives.
    Deliver,
    /// The reader reads.
    Take,
    /// The oldest credit on the wire arrives.
    Credit,
    /// The producer ends.
    End,
    /// The reader stops the stream.
    Stop,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (1_usize..6000).prop_map(Step::Send),
        6 => Just(Step::Deliver),
        6 => Just(Step::Take),
        4 => Just(Step::Credit),
        1 => Just(Step::End),
        1 => Just(Step::Stop),
    ];
    prop::collection::vec(step, 0..200)
}

enum OnWire {
    Items(Bytes),
    End,
}

/// Both halves, the wire between them, and the bytes that the reader must receive.
struct Model {
    sending: Sending<u8>,
    receiving: Receiving<u8>,
    wire: VecDeque<OnWire>,
    credit: VecDeque<u32>,
    next: u8,
    sent: Vec<u8>,
    taken: Vec<u8>,
    /// Bytes of frames that the reader has not granted back.
    outstanding: i64,
    ended: bool,
    saw_end: bool,
}

impl Model {
    fn new(window: u32) -> Self {
        Self {
            sending: Sending::new(window),
            receiving: Receiving::new(window),
            wire: VecDeque::new(),
            credit: VecDeque::new(),
            next: 0,
            sent: Vec::new(),
            taken: Vec::new(),
            outstanding: 0,
            ended: false,
            saw_end: false,
        }
    }

    fn send(&mut self, length: usize) {
        if self.ended || self.sending.is_stopped() || self.sending.credit() <= 0 {
            return;
        }
        let bytes: Vec<u8> = (0..length)
            .map(|_| {
                self.next = self.next.wrapping_add(1);
                self.next
            })
            .collect();
        self.sending.spend(length + 24);
        self.outstanding += i64::try_from(length + 24).unwrap();
        self.sent.extend(&bytes);
        self.wire.push_back(OnWire::Items(Bytes::from(bytes)));
    }

    fn deliver(&mut self) {
        match self.wire.pop_front() {
            Some(OnWire::Items(bytes)) => drop(self.receiving.receive(bytes, 1).unwrap()),
            Some(OnWire::End) => drop(self.receiving.finish(StreamEnd::Finished, 1).unwrap()),
            None => {}
        }
    }

    fn take(&mut self) {
        match self.receiving.take() {
            Taken::Items(bytes) => {
                assert!(!self.saw_end, "items after the end");
                self.taken.extend(&bytes);
            }
            Taken::End(end) => {
                assert_eq!(end, StreamEnd::Finished);
                self.saw_end = true;
            }
            Taken::Nothing => {}
        }
        if let Some(grant) = self.receiving.take_grant() {
            self.outstanding -= i64::from(grant);
            self.credit.push_back(grant);
        }
    }

    fn credit(&mut self) {
        if let Some(grant) = self.credit.pop_front() {
            self.sending.grant(grant, 1).unwrap();
        }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Send(length) => self.send(length),
            Step::Deliver => self.deliver(),
            Step::Take => self.take(),
            Step::Credit => self.credit(),
            Step::End if !self.ended => {
                self.ended = true;
                self.wire.push_back(OnWire::End);
            }
            Step::End => {}
            Step::Stop => drop(self.sending.stop()),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn items_are_neither_lost_nor_duplicated_nor_reordered(window in 1_u32..20_000, steps in steps()) {
        let mut model = Model::new(window);
        for step in &steps {
            model.step(step);
            prop_assert!(model.sent.starts_with(&model.taken), "lost, duplicated or out of order");
            prop_assert!(model.sending.credit() <= i64::from(window), "more credit than the window");
            let outstanding = model.outstanding;
            prop_assert!(outstanding < i64::from(window) + 6024, "{outstanding} bytes on their way");
        }
        // After any events, reading makes the producer send, and the reader receives the end after all items.
        let stopped = model.sending.is_stopped();
        for _ in 0..1000 {
            if model.ended || stopped {
                break;
            }
            let before = model.sent.len();
            model.send(100);
            if model.sent.len() > before + 5000 {
                break;
            }
            model.deliver();
            model.take();
            model.credit();
        }
        model.step(&Step::End);
        while !model.wire.is_empty() {
            model.deliver();
        }
        while !model.saw_end {
            model.take();
        }
        prop_assert_eq!(&model.taken, &model.sent);
        prop_assert!(model.receiving.receive(Bytes::from_static(b"x"), 1).is_err(), "items after the end");
        prop_assert!(model.receiving.finish(StreamEnd::Finished, 1).is_err(), "a second end");
    }

    #[test]
    fn reading_always_returns_credit(window in 1_u32..5000, length in 1_usize..6000) {
        let mut model = Model::new(window);
        for round in 1..20 {
            let before = model.sent.len();
            // With any frame and window, a few reads return the credit for the next frame.
            for _ in 0..3 {
                model.send(length);
                model.deliver();
                model.take();
                model.credit();
            }
            prop_assert!(model.sent.len() > before, "stuck in round {round}");
        }
    }
}

#[test]
fn streams_of_outbound_and_inbound_calls_never_mix() {
    let mut streams = Streams::<&str>::default();
    let (outbound, inbound) = (StreamId::Ours(Token(5)), StreamId::Theirs(CallId(5)));
    streams.receive(outbound, Receiving::new(100));
    streams.receive(inbound, Receiving::new(100));
    streams.receiving(outbound).unwrap().receive(Bytes::from_static(b"outbound"), 5).unwrap();
    streams.receiving(inbound).unwrap().receive(Bytes::from_static(b"inbound"), 5).unwrap();
    assert_eq!(streams.receiving(outbound).unwrap().take(), Taken::Items(Bytes::from_static(b"outbound")));
    assert_eq!(streams.receiving(inbound).unwrap().take(), Taken::Items(Bytes::from_static(b"inbound")));
    assert_eq!(streams.close_theirs().len(), 0);
    assert!(streams.receiving(outbound).is_some(), "the outbound stream was closed");
    assert!(streams.receiving(inbound).is_none(), "the inbound stream was not closed");
}

#[test]
fn waiting_streams_are_woken_once_and_in_order() {
    let mut streams = Streams::default();
    for token in 0..3 {
        let id = StreamId::Ours(Token(token));
        streams.send(id, Sending::new(100));
        streams.sending(id).unwrap().keep(|kept| *kept = Some(token));
        streams.wait_for_room(id);
        streams.wait_for_room(id);
    }
    drop(streams.close(StreamId::Ours(Token(1))));
    assert_eq!(streams.next_waiter(), Some(0));
    assert_eq!(streams.next_waiter(), Some(2));
    assert_eq!(streams.next_waiter(), None);
}
