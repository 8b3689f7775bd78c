//! A guide and a screen that do as little as tests need.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use kaa_rpc_runtime::{Context, Failure, Fault};
use kaa_rpc_tests::api::epg::*;
use tokio::sync::{Notify, mpsc};

/// Knows no programmes. An update waits for the gate, where there is one, then tells the caller how many it was.
#[derive(Default)]
pub(crate) struct FakeGuide {
    pub(crate) gate: Option<Arc<Notify>>,
    pub(crate) updates: AtomicU32,
}

impl FakeGuide {
    /// Whose updates wait until they are let through.
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
        // A handler that looks at its context in every way.
        let found = cx.remaining_time().map_or(0, |time| u32::try_from(time.as_secs()).unwrap());
        if cx.is_cancelled() {
            return Err(Fault::new("the caller has gone"))?;
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

/// Tells the test what it is told.
pub(crate) struct FakeScreen(mpsc::UnboundedSender<u32>);

impl FakeScreen {
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<u32>) {
        let (sender, heard) = mpsc::unbounded_channel();
        (Self(sender), heard)
    }
}

impl EpgClient for FakeScreen {
    async fn on_sync(
        &self,
        _cx: Context<EpgServerProxy>,
        _channels: Vec<Channel>,
        programs: u32,
    ) -> Result<(), Fault> {
        let _ = self.0.send(programs);
        Ok(())
    }
}
