//! A connection that is lost at any byte: every call ends, and what its caller is told is true.
//!
//! Each side has a ledger of the handlers that began and ended there. A session of some calls in both directions, some
//! at once, some nested, some with streams, is played with the connection cut behind each byte that it consists of.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::stream;
use kaa_rpc_runtime::testing::{Cut, Faults, Pair};
use kaa_rpc_runtime::{Backoff, CallError, Context, Failure, Fault, Incoming, IntoFault, Outcome, Timestamp};
use kaa_rpc_tests::api::meter::*;
use kaa_rpc_tests::api::rehearsal::*;

use crate::within;

/// What became of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Ok,
    Not(Outcome),
}

impl Told {
    fn of<T, E>(result: &Result<T, CallError<E>>) -> Self {
        match result {
            Ok(_) => Self::Ok,
            Err(error) => Self::Not(error.outcome()),
        }
    }
}

/// Which handlers ran, and what their callers were told, by the number of the call.
#[derive(Debug, Default)]
struct Ledger {
    begun: Mutex<BTreeMap<u64, u32>>,
    ended: Mutex<BTreeMap<u64, u32>>,
    told: Mutex<BTreeMap<u64, Told>>,
}

impl Ledger {
    fn begin(&self, call: u64) {
        *self.begun.lock().unwrap().entry(call).or_default() += 1;
    }

    fn end(&self, call: u64) {
        *self.ended.lock().unwrap().entry(call).or_default() += 1;
    }

    fn tell<T, E>(&self, call: u64, result: &Result<T, CallError<E>>) {
        let before = self.told.lock().unwrap().insert(call, Told::of(result));
        assert_eq!(before, None, "call {call} ended twice");
    }

    /// Every call that was told an end was told the truth.
    fn check(&self, place: &str) {
        let (begun, ended) = (self.begun.lock().unwrap(), self.ended.lock().unwrap());
        assert!(begun.values().all(|count| *count == 1), "{place}: a call was run twice: {begun:?}");
        for (call, told) in &*self.told.lock().unwrap() {
            let begun = begun.get(call).copied().unwrap_or_default();
            let ended = ended.get(call).copied().unwrap_or_default();
            let is_true = match told {
                Told::Ok | Told::Not(Outcome::Run) => (begun, ended) == (1, 1),
                Told::Not(Outcome::NotSent) => begun == 0,
                Told::Not(Outcome::Unknown) => true,
            };
            assert!(
                is_true,
                "{place}: call {call} was told {told:?}, and began {begun} times, ended {ended}"
            );
        }
    }
}

/// Both services, with what they write down.
#[derive(Clone, Default)]
struct World {
    at_server: Arc<Ledger>,
    at_client: Arc<Ledger>,
}

/// From here on the numbers of calls that the server makes.
const NESTED: u64 = 100;

fn span(call: u64) -> Span {
    let time = Timestamp::new(i64::try_from(call).unwrap(), 0).unwrap();
    Span { start: time, end: time }
}

impl ChoirServer for World {
    async fn ping(&self, _cx: Context<ChoirClientProxy>) -> Result<bool, Fault> {
        Ok(true)
    }

    /// Odd ones wait a moment, every third asks its caller whether it can come, seven is refused.
    async fn join(
        &self,
        cx: Context<ChoirClientProxy>,
        singer: Singer,
    ) -> Result<SingerId, Failure<Refusal>> {
        let call = singer.id.0;
        self.at_server.begin(call);
        if call % 2 == 1 {
            tokio::task::yield_now().await;
        }
        if call.is_multiple_of(3) {
            let answer = cx.peer.can_come(span(call + NESTED)).await;
            self.at_client.tell(call + NESTED, &answer);
            answer.fault()?;
        }
        self.at_server.end(call);
        if call == 7 { Err(Refusal::Nobody { singer: singer.id })? } else { Ok(singer.id) }
    }

    async fn plan(
        &self,
        _cx: Context<ChoirClientProxy>,
        _piece: Piece,
        _options: PlanOptions,
    ) -> Result<Span, Failure<Refusal>> {
        Ok(span(0))
    }

    async fn history(
        &self,
        _cx: Context<ChoirClientProxy>,
        _options: HistoryOptions,
    ) -> Result<Vec<Change>, Fault> {
        Ok(Vec::new())
    }

    async fn note(&self, _cx: Context<ChoirClientProxy>, line: String) -> Result<(), Fault> {
        let call = line.parse()?;
        self.at_server.begin(call);
        self.at_server.end(call);
        Ok(())
    }
}

impl ChoirClient for World {
    async fn ping(&self, _cx: Context<ChoirServerProxy>) -> Result<bool, Fault> {
        Ok(true)
    }

    async fn can_come(&self, _cx: Context<ChoirServerProxy>, span: Span) -> Result<bool, Fault> {
        let call = u64::try_from(span.start.seconds())?;
        self.at_client.begin(call);
        tokio::task::yield_now().await;
        self.at_client.end(call);
        Ok(true)
    }

    async fn on_change(&self, _cx: Context<ChoirServerProxy>, _change: Change) -> Result<(), Fault> {
        Ok(())
    }
}

/// How many readings a stream has.
const READINGS: u64 = 4;

impl MeterServer for World {
    async fn readings(
        &self,
        _cx: Context<MeterClientProxy>,
        from: u32,
    ) -> Result<
        impl futures_util::Stream<Item = Result<Reading, Failure<MeterError>>> + Send,
        Failure<MeterError>,
    > {
        self.at_server.begin(u64::from(from));
        self.at_server.end(u64::from(from));
        Ok(stream::iter((0..READINGS).map(|value| Ok(Reading::new(value)))))
    }

    /// The first reading is the number of the call.
    async fn record(
        &self,
        _cx: Context<MeterClientProxy>,
        mut readings: Incoming<Reading>,
    ) -> Result<u64, Fault> {
        let Some(first) = readings.next().await else { return Err(Fault::new("there was none")) };
        let call = first?.value;
        self.at_server.begin(call);
        let mut count = 1;
        while let Some(reading) = readings.next().await {
            reading?;
            count += 1;
        }
        assert_eq!(count, READINGS, "the end of a stream was made up");
        self.at_server.end(call);
        Ok(count)
    }
}

impl World {
    /// A pair of which both sides write into this world, the client's end under these faults.
    fn pair(&self, faults: &Faults, reconnect: bool) -> Pair {
        let pair = Pair::builder()
            .register(Choir::server(self.clone()))
            .register(Meter::server(self.clone()))
            .register(Choir::client(self.clone()))
            .client(|client| if reconnect { client.reconnect(Backoff::default()) } else { client })
            .faults(faults);
        pair.start().unwrap()
    }

    async fn join(&self, choir: &ChoirServerProxy, call: u64) {
        let singer = Singer::new(SingerId(call), "Anna", Voice::Alto);
        let result = within(choir.join(singer)).await;
        if let Ok(id) = &result {
            assert_eq!(id.0, call, "somebody else's answer");
        }
        self.at_server.tell(call, &result);
    }

    async fn note(&self, choir: &ChoirServerProxy, call: u64) {
        // That it is queued is all that its caller is told: it may be run, and may not.
        let queued = within(choir.note(call.to_string())).await;
        if queued.is_err() {
            self.at_server.tell(call, &queued);
        }
    }

    async fn readings(&self, meter: &MeterServerProxy, call: u32) {
        let mut readings = meter.readings(call);
        let mut count = 0;
        let result = loop {
            match within(readings.next()).await {
                Some(Ok(reading)) => {
                    assert_eq!(reading.value, count, "lost, doubled or out of order");
                    count += 1;
                }
                Some(Err(error)) => break Err(error),
                None => break Ok(()),
            }
        };
        assert!(result.is_err() || count == READINGS, "the end of a stream was made up");
        self.at_server.tell(u64::from(call), &result);
    }

    async fn record(&self, meter: &MeterServerProxy, call: u64) {
        let values = [call].into_iter().chain(1..READINGS);
        let result = within(meter.record(stream::iter(values.map(Reading::new)))).await;
        assert!(result.is_err() || result == Ok(READINGS));
        self.at_server.tell(call, &result);
    }

    /// Asks the client from the server's side, outside of any call.
    async fn ask(&self, pair: &Pair, call: u64) {
        let result = within(pair.proxy::<ChoirClientProxy>().can_come(span(call))).await;
        self.at_client.tell(call, &result);
    }

    /// Calls one by one and at once; the first ones are made before there is a connection.
    async fn session(&self, pair: &Pair) {
        let (choir, meter) = (pair.proxy(), pair.proxy());
        tokio::join!(self.join(&choir, 1), self.join(&choir, 2), self.join(&choir, 3), self.note(&choir, 4));
        self.join(&choir, 7).await;
        self.ask(pair, 50).await;
        self.readings(&meter, 10).await;
        tokio::join!(
            self.record(&meter, 11),
            self.join(&choir, 9),
            self.readings(&meter, 12),
            self.ask(pair, 51),
            self.join(&choir, 14),
        );
    }

    /// What is left is finished, and then everybody has been told the truth.
    async fn check(&self, pair: &Pair, place: &str) {
        within(pair.server().shutdown(Duration::from_secs(60))).await;
        self.at_server.check(place);
        self.at_client.check(place);
        // Calls 1, 2, 3, 7, 9, 10, 11, 12, 14; whether the note is told depends.
        let told = self.at_server.told.lock().unwrap().len();
        assert!((9..=10).contains(&told), "{place}: {told} calls ended");
    }
}

/// How many bytes a session has in each direction.
async fn length(reconnect: bool) -> (u64, u64) {
    let (world, faults) = (World::default(), Faults::new());
    let pair = world.pair(&faults, reconnect);
    world.session(&pair).await;
    let length = (faults.outgoing().passed(), faults.incoming().passed());
    world.check(&pair, "without a cut").await;
    let told = world.at_server.told.lock().unwrap();
    let not_ok: Vec<_> = told.iter().filter(|(_, told)| **told != Told::Ok).collect();
    assert_eq!(not_ok, [(&7, &Told::Not(Outcome::Run))]);
    assert!(length.0 > 500 && length.1 > 500, "{length:?}");
    length
}

/// Plays a session for every byte of it, cut there.
async fn cut_everywhere(reconnect: bool, step: usize, after: impl AsyncFn(&World, &Pair, &str)) {
    let (outgoing, incoming) = length(reconnect).await;
    let ways = [("outgoing", outgoing), ("incoming", incoming)];
    for (name, length) in ways {
        for at in (0..length).step_by(step) {
            let how = if at % 2 == 0 { Cut::Closed } else { Cut::Reset };
            let (world, faults) = (World::default(), Faults::new());
            let way = if name == "outgoing" { faults.outgoing() } else { faults.incoming() };
            way.cut_after(at, how);
            let pair = world.pair(&faults, reconnect);
            let place = format!("{name} cut at {at} of {length}, {how:?}");
            world.session(&pair).await;
            after(&world, &pair, &place).await;
            world.check(&pair, &place).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn outcomes_match_handlers_wherever_the_connection_breaks() {
    let outcomes = Mutex::new([0_u32; 3]);
    cut_everywhere(false, 1, async |world, _pair, _place| {
        let mut outcomes = outcomes.lock().unwrap();
        for told in world.at_server.told.lock().unwrap().values() {
            match told {
                Told::Ok | Told::Not(Outcome::Run) => outcomes[0] += 1,
                Told::Not(Outcome::NotSent) => outcomes[1] += 1,
                Told::Not(Outcome::Unknown) => outcomes[2] += 1,
            }
        }
    })
    .await;
    let outcomes = outcomes.into_inner().unwrap();
    assert!(outcomes.iter().all(|count| *count > 100), "{outcomes:?} is no variety");
}

#[tokio::test(start_paused = true)]
async fn outcomes_match_handlers_when_the_client_reconnects() {
    cut_everywhere(true, 3, async |world, pair, place| {
        // Whatever was lost, the next connection is whole. What is called before the loss is seen may be lost with it.
        let choir: ChoirServerProxy = pair.proxy();
        let _lost = within(choir.ping()).await;
        assert_eq!(within(choir.ping()).await, Ok(true), "{place}");
        let told = world.at_server.told.lock().unwrap();
        assert!(told.values().any(|told| *told == Told::Ok), "{place}: {told:?}");
    })
    .await;
}
