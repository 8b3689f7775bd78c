//! Both sides of `kaa/desk.kaa`, and callers of it, who write down all they do.
//!
//! Invariant: a line that says that a handler has ended is written before its answer can leave.

mod errands;

use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, stream};
use kaa_rpc_runtime::{Context, Failure, Fault, Incoming, IntoFault, Limits};
use tokio::sync::watch;

use crate::api::desk::*;
use crate::ledger::{Kind, Ledger, Told};

pub use errands::{Dice, Endurance, Errands, Load, Patience};

/// How long taking leave may take: so long that nothing is cut.
pub const GRACE: Duration = Duration::from_secs(20);

/// What each side is ready to receive: so little that all limits are met.
pub const LIMITS: Limits =
    Limits { max_frame: 4 * 1024 * 1024, max_inbound_calls: 8, oneway_window: 4, stream_window: 3000 };

/// Serves [`Desk`]. Clones are the same clerk.
#[derive(Debug, Clone)]
pub struct Clerk {
    ledger: Ledger,
    gate: Arc<watch::Sender<bool>>,
}

impl Clerk {
    /// One who writes into this ledger.
    #[must_use]
    pub fn new(ledger: Ledger) -> Self {
        Self { ledger, gate: Arc::new(watch::Sender::new(false)) }
    }

    async fn take_time(&self, number: u64, manner: Manner) {
        match manner {
            Manner::AtOnce => {}
            Manner::Politely => tokio::task::yield_now().await,
            // How long work takes, in milliseconds; nothing waits for it to be over.
            Manner::Slowly => tokio::time::sleep(Duration::from_millis(1 + number % 4)).await,
            Manner::AtTheGate => {
                // Whoever closes it for good holds it here.
                let _ = self.gate.subscribe().wait_for(|is_open| *is_open).await;
            }
        }
    }
}

type Cx = Context<DeskClientProxy>;

impl DeskServer for Clerk {
    async fn work(&self, _cx: Cx, number: u64, manner: Manner) -> Result<u64, Failure<Spoiled>> {
        let handling = self.ledger.begin(number).fault()?;
        self.take_time(number, manner).await;
        handling.end().fault()?;
        if number.is_multiple_of(7) { Err(Spoiled::Form { number })? } else { Ok(number) }
    }

    async fn look(&self, _cx: Cx, number: u64, manner: Manner) -> Result<u64, Fault> {
        let handling = self.ledger.begin(number)?;
        self.take_time(number, manner).await;
        handling.end()?;
        Ok(number)
    }

    async fn keep(&self, _cx: Cx, number: u64, manner: Manner) -> Result<u64, Fault> {
        let handling = self.ledger.begin_detached(number)?;
        self.take_time(number, manner).await;
        handling.end()?;
        Ok(number)
    }

    async fn note(&self, _cx: Cx, number: u64) -> Result<(), Fault> {
        let handling = self.ledger.begin(number)?;
        self.take_time(number, Manner::Politely).await;
        Ok(handling.end()?)
    }

    async fn ask(&self, cx: Cx, number: u64) -> Result<u64, Fault> {
        let handling = self.ledger.begin(number)?;
        let making = self.ledger.make(Kind::Plain)?;
        let nested = making.number();
        let answer = cx.peer.answer(nested).await;
        making.told(Told::of(&answer))?;
        handling.end()?;
        if answer? == nested { Ok(number) } else { Err(Fault::new("somebody else's answer")) }
    }

    async fn list(
        &self,
        _cx: Cx,
        number: u64,
        items: u64,
    ) -> Result<impl Stream<Item = Result<u64, Fault>> + Send, Fault> {
        let handling = self.ledger.begin(number)?;
        Ok(stream::unfold((0, Some(handling)), move |(item, mut handling)| async move {
            if item < items {
                return Some((Ok(item), (item + 1, handling)));
            }
            let ended = handling.take()?.end();
            ended.err().map(|error| (Err(error.into()), (item, None)))
        }))
    }

    async fn file(&self, _cx: Cx, number: u64, mut items: Incoming<u64>) -> Result<u64, Fault> {
        let handling = self.ledger.begin(number)?;
        let mut count = 0;
        let result = loop {
            match items.next().await {
                Some(Ok(item)) if item == count => count += 1,
                Some(Ok(item)) => break Err(Fault::new(format!("item {item} in place of {count}"))),
                Some(Err(error)) => break Err(error.into()),
                None => break Ok(count),
            }
        };
        handling.end()?;
        result
    }

    async fn open(&self, _cx: Cx) -> Result<(), Fault> {
        self.gate.send_replace(true);
        Ok(())
    }

    async fn begun(&self, _cx: Cx, handlers: u64) -> Result<(), Fault> {
        self.ledger.begun(handlers).await;
        Ok(())
    }

    async fn at_work(&self, _cx: Cx, handlers: u64) -> Result<(), Fault> {
        self.ledger.at_work(handlers).await;
        Ok(())
    }

    async fn leave(&self, cx: Cx) -> Result<(), Fault> {
        let peer = kaa_rpc_runtime::Proxy::peer(&cx.peer).unbound();
        tokio::spawn(async move { peer.shutdown(GRACE).await });
        Ok(())
    }
}

/// Serves the client's side of [`Desk`].
#[derive(Debug, Clone)]
pub struct Visitor {
    ledger: Ledger,
}

impl Visitor {
    /// One who writes into this ledger.
    #[must_use]
    pub fn new(ledger: Ledger) -> Self {
        Self { ledger }
    }
}

impl DeskClient for Visitor {
    async fn answer(&self, _cx: Context<DeskServerProxy>, number: u64) -> Result<u64, Fault> {
        let handling = self.ledger.begin(number)?;
        match number % 3 {
            0 => {}
            1 => tokio::task::yield_now().await,
            _ => tokio::time::sleep(Duration::from_millis(1 + number % 4)).await,
        }
        handling.end()?;
        Ok(number)
    }
}
