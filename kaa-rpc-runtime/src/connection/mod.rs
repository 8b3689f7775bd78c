//! The driver: what stands between the protocol's state machines and sockets, tasks and wakers.
//!
//! Invariants: the reader never waits for a handler, a lock held by user code, or room in the output; whoever queues
//! output sees to it that it is flushed; no lock is held while user code runs, but for encoding into the output; every
//! task that a link spawns ends with it, but for handlers of `#[detached]` methods, which end with their server or client.

mod calling;
mod closing;
mod comparing;
mod detached;
mod driver;
mod farewell;
mod flushing;
mod frames;
mod handshaking;
mod inbound;
mod keepalive;
mod link;
mod output;
mod parking;
mod queue;
mod reader;
mod registry;
mod stall;
mod status;
mod streaming;

pub(crate) use calling::{Abandonment, CallParameters, Progress, Start};
pub(crate) use closing::CloseTicket;
pub(crate) use comparing::Opening;
pub(crate) use detached::Detached;
pub(crate) use driver::Driver;
pub(crate) use handshaking::{Handshake, HandshakeFailure, drive_handshake};
pub(crate) use inbound::{Answer, HandlerFuture, InboundState};
pub(crate) use keepalive::Keepalive;
pub(crate) use link::{CancelRate, Link, LinkConfiguration, LocalEnd, Side};
pub(crate) use queue::QueueLimits;
pub(crate) use queue::Ticket;
pub(crate) use reader::FrameReader;
pub(crate) use registry::{Instance, Instantiate, Methods, Placement, Registered, ServiceSet};
pub(crate) use status::Status;
pub(crate) use streaming::{Arguments, Results, Route, Shipment};
