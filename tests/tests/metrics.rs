//! The feature `metrics` reports every call, connection and refusal to the program's recorder.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::{Stream, stream};
use kaa_rpc_runtime::{Client, Context, Failure, Fault, Incoming, Secret, Server, testing};
use kaa_rpc_tests::api::meter::{
    Meter, MeterClientProxy, MeterError, MeterServer, MeterServerProxy, Reading,
};
use kaa_rpc_tests::fixture::{until, within};
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};

/// A recorder that stores every metric by its name and labels.
#[derive(Clone, Default)]
struct MemoryRecorder(Arc<Mutex<BTreeMap<String, Arc<Metric>>>>);

/// The value of a counter or a gauge, or the number of values that a histogram recorded.
#[derive(Default)]
struct Metric(AtomicU64);

impl MemoryRecorder {
    fn metric(&self, key: &Key) -> Arc<Metric> {
        let labels: Vec<String> =
            key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        let name = format!("{}{{{}}}", key.name(), labels.join(","));
        Arc::clone(self.0.lock().unwrap().entry(name).or_default())
    }

    fn value(&self, name: &str) -> u64 {
        let metrics = self.0.lock().unwrap();
        let metric = metrics.get(name).unwrap_or_else(|| panic!("no {name} among {:?}", metrics.keys()));
        metric.0.load(Ordering::Relaxed)
    }
}

impl CounterFn for Metric {
    fn increment(&self, value: u64) {
        self.0.fetch_add(value, Ordering::Relaxed);
    }

    fn absolute(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }
}

impl GaugeFn for Metric {
    fn increment(&self, _value: f64) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn decrement(&self, _value: f64) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    fn set(&self, _value: f64) {}
}

impl HistogramFn for Metric {
    fn record(&self, value: f64) {
        assert!((0.0..60.0).contains(&value), "{value} is not a plausible duration in seconds");
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Recorder for MemoryRecorder {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.metric(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.metric(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.metric(key))
    }
}

struct TestMeter;

impl MeterServer for TestMeter {
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

/// The recorder is local to this thread, so server and client must run on it too.
#[tokio::test]
async fn metrics_count_calls_connections_and_refusals() {
    let recorder = MemoryRecorder::default();
    let _local = metrics::set_default_local_recorder(&recorder);
    let server = Server::builder().register(Meter::server(TestMeter));
    let (server, client) = testing::connect(server, Client::builder()).unwrap();
    within("the client to be connected", client.ready()).await.unwrap();
    let meter: MeterServerProxy = client.proxy();
    let readings = stream::iter([Reading::new(1), Reading::new(2)]);
    assert_eq!(meter.record(readings).await, Ok(2));
    assert!(meter.readings(0).next().await.unwrap().is_err());

    for direction in ["outbound", "inbound"] {
        let call = |method: &str| format!("direction={direction},service=meter.Meter,method={method}");
        let count = |method: &str, end: &str| {
            recorder.value(&format!("kaa_rpc_calls_total{{{},outcome={end}}}", call(method)))
        };
        assert_eq!(count("record", "ok"), 1);
        assert_eq!(count("readings", "declared"), 1);
        assert_eq!(recorder.value(&format!("kaa_rpc_call_duration_seconds{{{}}}", call("record"))), 1);
    }
    for side in ["accepting", "connecting"] {
        assert_eq!(recorder.value(&format!("kaa_rpc_connections{{side={side}}}")), 1);
        assert_eq!(recorder.value(&format!("kaa_rpc_connections_total{{side={side}}}")), 1);
    }

    let (near, far) = testing::pair(4096);
    server.accept(far);
    let wrong_secret = Client::builder().secret(Secret::generate().unwrap()).connect_stream(near).unwrap();
    within("the handshake to fail", wrong_secret.ready()).await.unwrap_err();
    until("the server to refuse the client", || server.refused() > 0).await;
    assert_eq!(recorder.value("kaa_rpc_refused_connections_total{}"), 1);

    let written = client.peer().statistics().bytes_written;
    drop(client);
    until("the server to close the connection", || server.connections() == 0).await;
    assert_eq!(recorder.value("kaa_rpc_connections{side=accepting}"), 0);
    let read = recorder.value("kaa_rpc_bytes_total{side=accepting,direction=read}");
    assert!(read >= written, "the server read {read} bytes, the client wrote {written}");
}
