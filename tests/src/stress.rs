//! Both sides of `kaa/stress.kaa`, and tasks that call them. All of them record what they do in a [`Ledger`].
//!
//! Invariant: the end of a handler is recorded before its reply can be sent.

mod callers;

use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, stream};
use kaa_rpc_runtime::{Context, Failure, Fault, Incoming, IntoFault, Limits};
use tokio::sync::watch;

use crate::api::stress::*;
use crate::ledger::{CallKind, Ledger, Reported};

pub use callers::{Caller, Callers, Interruptions, Random, StopWhen};

/// The grace period of shutdowns: so long that no handler is aborted.
pub const GRACE: Duration = Duration::from_secs(20);

/// The limits of both sides: so low that calls reach each of them.
pub const LIMITS: Limits =
    Limits { max_frame: 4 * 1024 * 1024, max_inbound_calls: 8, oneway_window: 4, stream_window: 3000 };

/// Serves [`Stress`]. Clones share their state.
#[derive(Debug, Clone)]
pub struct RecordingServer {
    ledger: Ledger,
    gate: Arc<watch::Sender<bool>>,
}

impl RecordingServer {
    /// A server that records its handlers in this ledger.
    #[must_use]
    pub fn new(ledger: Ledger) -> Self {
        Self { ledger, gate: Arc::new(watch::Sender::new(false)) }
    }

    async fn work(&self, number: u64, work: Work) {
        match work {
            Work::Immediate => {}
            Work::Yields => tokio::task::yield_now().await,
            // The duration of the work; no test waits for it to pass.
            Work::Sleeps => tokio::time::sleep(Duration::from_millis(1 + number % 4)).await,
            Work::WaitsAtGate => {
                // This fails only if the sender is dropped, and `self` holds it.
                let _closed = self.gate.subscribe().wait_for(|is_open| *is_open).await.is_err();
            }
        }
    }
}

type Cx = Context<StressClientProxy>;

impl StressServer for RecordingServer {
    async fn run(&self, _cx: Cx, number: u64, work: Work) -> Result<u64, Failure<Rejected>> {
        let handler = self.ledger.start_handler(number).fault()?;
        self.work(number, work).await;
        handler.finish().fault()?;
        if number.is_multiple_of(7) { Err(Rejected::Number { number })? } else { Ok(number) }
    }

    async fn query(&self, _cx: Cx, number: u64, work: Work) -> Result<u64, Fault> {
        let handler = self.ledger.start_handler(number)?;
        self.work(number, work).await;
        handler.finish()?;
        Ok(number)
    }

    async fn run_detached(&self, _cx: Cx, number: u64, work: Work) -> Result<u64, Fault> {
        let handler = self.ledger.start_detached_handler(number)?;
        self.work(number, work).await;
        handler.finish()?;
        Ok(number)
    }

    async fn notify(&self, _cx: Cx, number: u64) -> Result<(), Fault> {
        let handler = self.ledger.start_handler(number)?;
        self.work(number, Work::Yields).await;
        Ok(handler.finish()?)
    }

    async fn call_back(&self, cx: Cx, number: u64) -> Result<u64, Fault> {
        let handler = self.ledger.start_handler(number)?;
        let call = self.ledger.start_call(CallKind::Plain)?;
        let nested = call.number();
        let answer = cx.peer.answer(nested).await;
        call.finish(Reported::of(&answer))?;
        handler.finish()?;
        if answer? == nested { Ok(number) } else { Err(Fault::new("the answer of another call")) }
    }

    async fn download(
        &self,
        _cx: Cx,
        number: u64,
        items: u64,
    ) -> Result<impl Stream<Item = Result<u64, Fault>> + Send, Fault> {
        let handler = self.ledger.start_handler(number)?;
        Ok(stream::unfold((0, Some(handler)), move |(item, mut handler)| async move {
            if item < items {
                return Some((Ok(item), (item + 1, handler)));
            }
            let finished = handler.take()?.finish();
            finished.err().map(|error| (Err(error.into()), (item, None)))
        }))
    }

    async fn upload(&self, _cx: Cx, number: u64, mut items: Incoming<u64>) -> Result<u64, Fault> {
        let handler = self.ledger.start_handler(number)?;
        let mut count = 0;
        let result = loop {
            match items.next().await {
                Some(Ok(item)) if item == count => count += 1,
                Some(Ok(item)) => break Err(Fault::new(format!("expected item {count}, got {item}"))),
                Some(Err(error)) => break Err(error.into()),
                None => break Ok(count),
            }
        };
        handler.finish()?;
        result
    }

    async fn open_gate(&self, _cx: Cx) -> Result<(), Fault> {
        self.gate.send_replace(true);
        Ok(())
    }

    async fn wait_for_started(&self, _cx: Cx, handlers: u64) -> Result<(), Fault> {
        self.ledger.wait_for_started(handlers).await;
        Ok(())
    }

    async fn wait_for_running(&self, _cx: Cx, handlers: u64) -> Result<(), Fault> {
        self.ledger.wait_for_running(handlers).await;
        Ok(())
    }

    async fn shut_down_peer(&self, cx: Cx) -> Result<(), Fault> {
        let peer = kaa_rpc_runtime::Proxy::peer(&cx.peer).unbound();
        tokio::spawn(async move { peer.shutdown(GRACE).await });
        Ok(())
    }
}

/// Serves the client's side of [`Stress`].
#[derive(Debug, Clone)]
pub struct RecordingClient {
    ledger: Ledger,
}

impl RecordingClient {
    /// A client that records its handlers in this ledger.
    #[must_use]
    pub fn new(ledger: Ledger) -> Self {
        Self { ledger }
    }
}

impl StressClient for RecordingClient {
    async fn answer(&self, _cx: Context<StressServerProxy>, number: u64) -> Result<u64, Fault> {
        let handler = self.ledger.start_handler(number)?;
        match number % 3 {
            0 => {}
            1 => tokio::task::yield_now().await,
            _ => tokio::time::sleep(Duration::from_millis(1 + number % 4)).await,
        }
        handler.finish()?;
        Ok(number)
    }
}
