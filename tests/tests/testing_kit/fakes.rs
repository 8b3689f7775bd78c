//! Minimal fakes of both sides of the programme guide `kaa/epg.kaa`, and of the meter `kaa/meter.kaa`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::{Stream, stream};
use kaa_rpc_runtime::{Context, Failure, Fault, Incoming};
use kaa_rpc_tests::api::epg::*;
use kaa_rpc_tests::api::meter::*;
use tokio::sync::{Notify, mpsc};

/// A guide without programmes. An update waits for the gate, if there is one, then calls `on_sync` with its number.
#[derive(Default)]
pub(crate) struct FakeGuide {
    pub(crate) gate: Option<Arc<Notify>>,
    pub(crate) updates: AtomicU32,
}

impl FakeGuide {
    /// A guide whose updates wait at a gate.
    pub(crate) fn gated() -> (Self, Arc<Notify>) {
        let gate = Arc::new(Notify::new());
        (Self { gate: Some(Arc::clone(&gate)), ..Self::default() }, gate)
    }
}

impl EpgServer for FakeGuide {
    async fn search(
        &self,
        cx: Context<EpgClientProxy>,
        options: SearchOptions,
    ) -> Result<Vec<Program>, Failure<SearchError>> {
        // The result depends on the context, so that tests can see it.
        let found = cx.remaining_time().map_or(0, |time| u32::try_from(time.as_secs()).unwrap());
        if cx.is_cancelled() {
            return Err(Fault::new("the call is cancelled"))?;
        }
        if found > options.limit {
            return Err(SearchError::TooMany { found, limit: options.limit })?;
        }
        Ok(Vec::new())
    }

    async fn get_keywords(
        &self,
        cx: Context<EpgClientProxy>,
        options: KeywordOptions,
    ) -> Result<Vec<String>, Fault> {
        if options.prefix == "wait" {
            cx.cancelled().await;
        }
        Ok(vec![format!("{}!", options.prefix)])
    }

    async fn get_genres(
        &self,
        _cx: Context<EpgClientProxy>,
        _options: GenreOptions,
    ) -> Result<Vec<String>, Fault> {
        Ok(Vec::new())
    }

    async fn update(&self, cx: Context<EpgClientProxy>) -> Result<u32, Failure<UpdateError>> {
        if let Some(gate) = &self.gate {
            gate.notified().await;
        }
        let count = self.updates.fetch_add(1, Ordering::SeqCst) + 1;
        cx.peer.on_sync(Vec::new(), count).await.map_err(Fault::from)?;
        Ok(count)
    }
}

/// Sends the numbers of `on_sync` to the test.
pub(crate) struct FakeScreen(mpsc::UnboundedSender<u32>);

impl FakeScreen {
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<u32>) {
        let (sender, syncs) = mpsc::unbounded_channel();
        (Self(sender), syncs)
    }
}

impl EpgClient for FakeScreen {
    async fn on_sync(
        &self,
        _cx: Context<EpgServerProxy>,
        _channels: Vec<Channel>,
        programs: u32,
    ) -> Result<(), Fault> {
        let _discarded = self.0.send(programs);
        Ok(())
    }
}

/// A meter with the readings 0 to 4.
pub(crate) struct FakeMeter;

impl MeterServer for FakeMeter {
    async fn readings(
        &self,
        _cx: Context<MeterClientProxy>,
        from: u32,
    ) -> Result<impl Stream<Item = Result<Reading, Failure<MeterError>>> + Send, Failure<MeterError>> {
        Ok(stream::iter((u64::from(from)..5).map(|value| Ok(Reading::new(value)))))
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
