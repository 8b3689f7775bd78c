//! A connection is lost after any byte: every call ends, and the result that its caller receives matches what
//! its handler did.
//!
//! A session makes calls in both directions, some concurrent, some nested, some with streams. It runs once
//! for each of its bytes, and loses its connection after that byte. Each side records the handlers that
//! started and finished there.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{Stream, stream};
use kaa_rpc_runtime::testing::{Cut, Faults, Pair};
use kaa_rpc_runtime::{Backoff, CallError, Context, Failure, Fault, Incoming, IntoFault, Timestamp};
use kaa_rpc_tests::api::meter::*;
use kaa_rpc_tests::api::rehearsal::*;
use kaa_rpc_tests::fixture::within_paused;
use kaa_rpc_tests::ledger::Reported;

/// The handlers that ran, and the results that their callers received, by the number of the call.
#[derive(Debug, Default)]
struct Records {
    started: Mutex<BTreeMap<u64, u32>>,
    finished: Mutex<BTreeMap<u64, u32>>,
    results: Mutex<BTreeMap<u64, Reported>>,
}

impl Records {
    fn start(&self, call: u64) {
        *self.started.lock().unwrap().entry(call).or_default() += 1;
    }

    fn finish(&self, call: u64) {
        *self.finished.lock().unwrap().entry(call).or_default() += 1;
    }

    fn result<T, E>(&self, call: u64, result: &Result<T, CallError<E>>) {
        let earlier = self.results.lock().unwrap().insert(call, Reported::of(result));
        assert_eq!(earlier, None, "call {call} ended twice");
    }

    /// Every result matches what the handler did.
    fn check(&self, case: &str) {
        let (started, finished) = (self.started.lock().unwrap(), self.finished.lock().unwrap());
        assert!(started.values().all(|count| *count == 1), "{case}: a handler ran twice: {started:?}");
        for (call, reported) in &*self.results.lock().unwrap() {
            let started = started.get(call).copied().unwrap_or_default();
            let finished = finished.get(call).copied().unwrap_or_default();
            let matches = match reported {
                Reported::Ok | Reported::Run => (started, finished) == (1, 1),
                Reported::NotSent => started == 0,
                Reported::Unknown | Reported::Dropped => true,
            };
            assert!(
                matches,
                "{case}: the result of call {call} is {reported:?}; its handler started {started} times and \
                 finished {finished} times"
            );
        }
    }
}

/// Both sides of both services, and their records.
#[derive(Clone, Default)]
struct RecordingServices {
    /// Handlers of the server, and results of the client's calls.
    at_server: Arc<Records>,
    /// Handlers of the client, and results of the server's calls.
    at_client: Arc<Records>,
}

/// Nested calls have the number of their parent plus this.
const NESTED: u64 = 100;

fn span(call: u64) -> Span {
    let time = Timestamp::new(i64::try_from(call).unwrap(), 0).unwrap();
    Span { start: time, end: time }
}

impl ChoirServer for RecordingServices {
    async fn ping(&self, _cx: Context<ChoirClientProxy>) -> Result<bool, Fault> {
        Ok(true)
    }

    /// Odd calls yield once, every third calls its caller back, and number seven is refused.
    async fn join(
        &self,
        cx: Context<ChoirClientProxy>,
        singer: Singer,
    ) -> Result<SingerId, Failure<Refusal>> {
        let call = singer.id.0;
        self.at_server.start(call);
        if call % 2 == 1 {
            tokio::task::yield_now().await;
        }
        if call.is_multiple_of(3) {
            let answer = cx.peer.can_come(span(call + NESTED)).await;
            self.at_client.result(call + NESTED, &answer);
            answer.fault()?;
        }
        self.at_server.finish(call);
        if call == 7 { Err(Refusal::UnknownSinger { singer: singer.id })? } else { Ok(singer.id) }
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
        self.at_server.start(call);
        self.at_server.finish(call);
        Ok(())
    }
}

impl ChoirClient for RecordingServices {
    async fn ping(&self, _cx: Context<ChoirServerProxy>) -> Result<bool, Fault> {
        Ok(true)
    }

    async fn can_come(&self, _cx: Context<ChoirServerProxy>, span: Span) -> Result<bool, Fault> {
        let call = u64::try_from(span.start.seconds())?;
        self.at_client.start(call);
        tokio::task::yield_now().await;
        self.at_client.finish(call);
        Ok(true)
    }

    async fn on_change(&self, _cx: Context<ChoirServerProxy>, _change: Change) -> Result<(), Fault> {
        Ok(())
    }
}

/// The number of readings in a stream.
const READINGS: u64 = 4;

impl MeterServer for RecordingServices {
    async fn readings(
        &self,
        _cx: Context<MeterClientProxy>,
        from: u32,
    ) -> Result<impl Stream<Item = Result<Reading, Failure<MeterError>>> + Send, Failure<MeterError>> {
        self.at_server.start(u64::from(from));
        self.at_server.finish(u64::from(from));
        Ok(stream::iter((0..READINGS).map(|value| Ok(Reading::new(value)))))
    }

    /// The value of the first reading is the number of the call.
    async fn record(
        &self,
        _cx: Context<MeterClientProxy>,
        mut readings: Incoming<Reading>,
    ) -> Result<u64, Fault> {
        let Some(first) = readings.next().await else { return Err(Fault::new("the stream is empty")) };
        let call = first?.value;
        self.at_server.start(call);
        let mut count = 1;
        while let Some(reading) = readings.next().await {
            reading?;
            count += 1;
        }
        assert_eq!(count, READINGS, "a lost stream counts as finished");
        self.at_server.finish(call);
        Ok(count)
    }
}

/// Whether the client reconnects after a loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reconnect {
    Never,
    Always,
}

impl RecordingServices {
    /// A pair whose both sides use these services and whose connection has these faults.
    fn pair(&self, faults: &Faults, reconnect: Reconnect) -> Pair {
        let pair = Pair::builder()
            .register(Choir::server(self.clone()))
            .register(Meter::server(self.clone()))
            .register(Choir::client(self.clone()))
            .client(|client| match reconnect {
                Reconnect::Never => client,
                Reconnect::Always => client.reconnect(Backoff::default()),
            })
            .faults(faults);
        pair.start().unwrap()
    }

    async fn join(&self, choir: &ChoirServerProxy, call: u64) {
        let singer = Singer::new(SingerId(call), "Anna", Voice::Alto);
        let result = within_paused("`join`", choir.join(singer)).await;
        if let Ok(id) = &result {
            assert_eq!(id.0, call, "the result of another call");
        }
        self.at_server.result(call, &result);
    }

    async fn note(&self, choir: &ChoirServerProxy, call: u64) {
        // `Ok` means only that the call is queued: its handler may run or not.
        let queued = within_paused("`note`", choir.note(call.to_string())).await;
        if queued.is_err() {
            self.at_server.result(call, &queued);
        }
    }

    async fn readings(&self, meter: &MeterServerProxy, call: u32) {
        let mut readings = meter.readings(call);
        let mut count = 0;
        let result = loop {
            match within_paused("a reading", readings.next()).await {
                Some(Ok(reading)) => {
                    assert_eq!(reading.value, count, "an item is lost, doubled or out of order");
                    count += 1;
                }
                Some(Err(error)) => break Err(error),
                None => break Ok(()),
            }
        };
        assert!(result.is_err() || count == READINGS, "a lost stream counts as finished");
        self.at_server.result(u64::from(call), &result);
    }

    async fn record(&self, meter: &MeterServerProxy, call: u64) {
        let values = [call].into_iter().chain(1..READINGS);
        let result = within_paused("`record`", meter.record(stream::iter(values.map(Reading::new)))).await;
        assert!(result.is_err() || result == Ok(READINGS), "{result:?}");
        self.at_server.result(call, &result);
    }

    /// Calls the client from the server, not within another call.
    async fn call_client(&self, pair: &Pair, call: u64) {
        let client: ChoirClientProxy = pair.proxy();
        let result = within_paused("`can_come`", client.can_come(span(call))).await;
        self.at_client.result(call, &result);
    }

    /// Makes calls one by one and concurrently; the first calls are made while the client connects.
    async fn session(&self, pair: &Pair) {
        let (choir, meter) = (pair.proxy(), pair.proxy());
        tokio::join!(self.join(&choir, 1), self.join(&choir, 2), self.join(&choir, 3), self.note(&choir, 4));
        self.join(&choir, 7).await;
        self.call_client(pair, 50).await;
        self.readings(&meter, 10).await;
        tokio::join!(
            self.record(&meter, 11),
            self.join(&choir, 9),
            self.readings(&meter, 12),
            self.call_client(pair, 51),
            self.join(&choir, 14),
        );
    }

    /// Waits for running handlers, then checks the results of both sides.
    async fn check(&self, pair: &Pair, case: &str) {
        within_paused("the server to shut down", pair.server().shutdown(Duration::from_secs(60))).await;
        self.at_server.check(case);
        self.at_client.check(case);
        // Calls 1, 2, 3, 7, 9, 10, 11, 12, 14; the note has a result only if it failed.
        let results = self.at_server.results.lock().unwrap().len();
        assert!((9..=10).contains(&results), "{case}: {results} calls ended");
    }
}

/// The number of bytes of a session in each direction.
async fn length(reconnect: Reconnect) -> (u64, u64) {
    let (services, faults) = (RecordingServices::default(), Faults::new());
    let pair = services.pair(&faults, reconnect);
    services.session(&pair).await;
    let length = (faults.outgoing().passed(), faults.incoming().passed());
    services.check(&pair, "without a loss").await;
    let results = services.at_server.results.lock().unwrap();
    let not_ok: Vec<_> = results.iter().filter(|(_, reported)| **reported != Reported::Ok).collect();
    assert_eq!(not_ok, [(&7, &Reported::Run)]);
    assert!(length.0 > 500 && length.1 > 500, "{length:?}");
    length
}

/// Runs a session for every `step`th of its bytes, and loses the connection there.
async fn lose_everywhere(
    reconnect: Reconnect,
    step: usize,
    after: impl AsyncFn(&RecordingServices, &Pair, &str),
) {
    let (outgoing, incoming) = length(reconnect).await;
    for (direction, length) in [("outgoing", outgoing), ("incoming", incoming)] {
        for at in (0..length).step_by(step) {
            let cut = if at % 2 == 0 { Cut::Closed } else { Cut::Reset };
            let (services, faults) = (RecordingServices::default(), Faults::new());
            let faulty = if direction == "outgoing" { faults.outgoing() } else { faults.incoming() };
            faulty.cut_after(at, cut);
            let pair = services.pair(&faults, reconnect);
            let case = format!("{direction} {cut:?} after {at} of {length} bytes");
            services.session(&pair).await;
            after(&services, &pair, &case).await;
            services.check(&pair, &case).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn outcomes_match_handlers_wherever_the_connection_breaks() {
    let outcomes = Mutex::new([0_u32; 3]);
    lose_everywhere(Reconnect::Never, 1, async |services, _pair, _case| {
        let mut outcomes = outcomes.lock().unwrap();
        for reported in services.at_server.results.lock().unwrap().values() {
            match reported {
                Reported::Ok | Reported::Run => outcomes[0] += 1,
                Reported::NotSent => outcomes[1] += 1,
                Reported::Unknown | Reported::Dropped => outcomes[2] += 1,
            }
        }
    })
    .await;
    let outcomes = outcomes.into_inner().unwrap();
    assert!(outcomes.iter().all(|count| *count > 100), "an outcome occurs too rarely: {outcomes:?}");
}

#[tokio::test(start_paused = true)]
async fn outcomes_match_handlers_when_the_client_reconnects() {
    lose_everywhere(Reconnect::Always, 3, async |services, pair, case| {
        // The first call may fail if the client has not noticed the loss yet; the next connection has no
        // faults.
        let choir: ChoirServerProxy = pair.proxy();
        let _may_fail = within_paused("the first `ping`", choir.ping()).await;
        assert_eq!(within_paused("the second `ping`", choir.ping()).await, Ok(true), "{case}");
        let results = services.at_server.results.lock().unwrap();
        assert!(results.values().any(|reported| *reported == Reported::Ok), "{case}: {results:?}");
    })
    .await;
}
