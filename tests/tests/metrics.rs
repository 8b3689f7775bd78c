//! With the feature `metrics`, the program's recorder is told of every call, connection and refusal.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::{Stream, stream};
use kaa_rpc_runtime::{Client, Context, Failure, Fault, Incoming, Secret, Server, testing};
use kaa_rpc_tests::api::meter::{
    Meter, MeterClientProxy, MeterError, MeterServer, MeterServerProxy, Reading,
};
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};

/// Keeps every metric by its name and labels.
#[derive(Clone, Default)]
struct Book(Arc<Mutex<BTreeMap<String, Arc<Entry>>>>);

/// A number: what was counted, where a gauge stands, how often a histogram was told something.
#[derive(Default)]
struct Entry(AtomicU64);

impl Book {
    fn entry(&self, key: &Key) -> Arc<Entry> {
        let labels: Vec<String> =
            key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        let name = format!("{}{{{}}}", key.name(), labels.join(","));
        Arc::clone(self.0.lock().unwrap().entry(name).or_default())
    }

    fn value(&self, name: &str) -> u64 {
        let book = self.0.lock().unwrap();
        let entry = book.get(name).unwrap_or_else(|| panic!("no {name} among {:?}", book.keys()));
        entry.0.load(Ordering::Relaxed)
    }
}

impl CounterFn for Entry {
    fn increment(&self, value: u64) {
        self.0.fetch_add(value, Ordering::Relaxed);
    }

    fn absolute(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }
}

impl GaugeFn for Entry {
    fn increment(&self, _value: f64) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn decrement(&self, _value: f64) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    fn set(&self, _value: f64) {}
}

impl HistogramFn for Entry {
    fn record(&self, value: f64) {
        assert!((0.0..60.0).contains(&value), "seconds");
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Recorder for Book {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.entry(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.entry(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.entry(key))
    }
}

struct Cellar;

impl MeterServer for Cellar {
    async fn readings(
        &self,
        _cx: Context<MeterClientProxy>,
        from: u32,
    ) -> Result<impl Stream<Item = Result<Reading, Failure<MeterError>>> + Send, Failure<MeterError>> {
        if from == 0 { Err(MeterError::NotYet)? } else { Ok(stream::empty()) }
    }

    async fn record(
        &self,
        _cx: Context<MeterClientProxy>,
        mut readings: Incoming<Reading>,
    ) -> Result<u64, Fault> {
        let mut count = 0;
        while let Some(reading) = readings.next().await {
            reading?;
            count += 1;
        }
        Ok(count)
    }
}

/// Both ends, and the recorder, are on this test's thread.
#[tokio::test]
async fn metrics_count_calls_connections_and_refusals() {
    let book = Book::default();
    let _local = metrics::set_default_local_recorder(&book);
    let server = Server::builder().register(Meter::server(Cellar));
    let (server, client) = testing::connect(server, Client::builder()).unwrap();
    client.ready().await.unwrap();
    let meter: MeterServerProxy = client.proxy();
    let readings = stream::iter([Reading::new(1), Reading::new(2)]);
    assert_eq!(meter.record(readings).await, Ok(2));
    assert!(meter.readings(0).next().await.unwrap().is_err());

    for direction in ["outbound", "inbound"] {
        let call = |method: &str| format!("direction={direction},service=meter.Meter,method={method}");
        let count = |method: &str, end: &str| {
            book.value(&format!("kaa_rpc_calls_total{{{},outcome={end}}}", call(method)))
        };
        assert_eq!(count("record", "ok"), 1);
        assert_eq!(count("readings", "declared"), 1);
        assert_eq!(book.value(&format!("kaa_rpc_call_duration_seconds{{{}}}", call("record"))), 1);
    }
    for side in ["accepting", "connecting"] {
        assert_eq!(book.value(&format!("kaa_rpc_connections{{side={side}}}")), 1);
        assert_eq!(book.value(&format!("kaa_rpc_connections_total{{side={side}}}")), 1);
    }

    let (near, far) = testing::pair(4096);
    server.accept(far);
    let stranger = Client::builder().secret(Secret::generate().unwrap()).connect_stream(near).unwrap();
    stranger.ready().await.unwrap_err();
    while server.refused() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(book.value("kaa_rpc_refused_connections_total{}"), 1);

    let written = client.peer().statistics().bytes_written;
    drop(client);
    while server.connections() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(book.value("kaa_rpc_connections{side=accepting}"), 0);
    assert!(book.value("kaa_rpc_bytes_total{side=accepting,direction=read}") >= written);
}
