//! Connections: what connects the protocol's state machines with sockets, tasks and wakers.
//!
//! Invariants: the reader never waits for a handler, for a lock that user code holds, or for room in the
//! output; code that queues output ensures that it is flushed; no lock is held while user code runs, except
//! for encoding into the output; every task of a link ends with it, except for handlers of `#[detached]`
//! methods, which end with their server or client.

mod comparison;
mod driver;
mod executor;
mod flushing;
mod frames;
mod goodbye;
mod guard;
mod handler;
mod handshake;
mod inbound;
mod lifecycle;
mod link;
mod meter;
mod observer;
mod opening;
mod outbound;
mod output;
mod queue;
mod reader;
mod schemas;
mod services;
mod shutdown;
mod state;
mod statistics;
mod status;
mod stream_frames;
mod streaming;
mod timers;

pub use inbound::InboundCall;
pub use observer::{Direction, Refusal};
pub use opening::PeerInformation;
pub use shutdown::ShutdownReport;
pub use statistics::{ConnectionStatistics, ServerStatistics};

pub(crate) use driver::Driver;
pub(crate) use executor::{DetachedHandlers, Placement};
pub(crate) use handshake::{Handshake, HandshakeFailure, drive_handshake};
pub(crate) use inbound::{Answer, HandlerFuture, InboundState};
pub(crate) use link::{Link, LinkContext};
pub(crate) use meter::connection_refused;
pub(crate) use observer::{CallStart, Observation, Observer};
pub(crate) use opening::Opening;
pub(crate) use outbound::{CallParameters, Progress, Start};
pub(crate) use queue::{OnDisconnect, WaiterId};
pub(crate) use reader::FrameReader;
pub(crate) use services::{Instance, Instantiate, Methods, Registered, ServiceSet};
pub(crate) use state::{LocalEnd, RunningHandler};
pub(crate) use status::{OnCloseId, Side, Status};
pub(crate) use streaming::{Received, Route, SendOutcome};
