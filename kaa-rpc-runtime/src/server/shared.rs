//! The state that a server and its tasks share.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio_util::task::TaskTracker;

use super::age::Age;
use super::events::ServerEvent;
use super::keys::KeyRing;
use super::registry::Registry;
use crate::connection::{ConnectionStatistics, DetachedHandlers, Link, Observer, ServiceSet};
use crate::events::EventSender;
use crate::protocol::handshake::{Audience, InstanceId};
use crate::settings::Settings;

pub(super) struct Shared {
    pub(super) keys: KeyRing,
    pub(super) services: Arc<ServiceSet>,
    pub(super) settings: Settings,
    pub(super) audience: Audience,
    /// Limits authenticated connections.
    pub(super) connections: Arc<Semaphore>,
    pub(super) hello_timeout: Duration,
    /// Limits unauthenticated connections.
    pub(super) unauthenticated: Arc<Semaphore>,
    pub(super) max_unauthenticated_per_address: usize,
    pub(super) instance: InstanceId,
    pub(super) registry: Arc<Registry>,
    pub(super) events: EventSender<ServerEvent>,
    pub(super) age: Option<Age>,
    pub(super) tasks: TaskTracker,
    pub(super) detached: DetachedHandlers,
    pub(super) observer: Arc<dyn Observer<Link>>,
    /// True once the server accepts no more connections.
    pub(super) closing: watch::Sender<bool>,
    pub(super) refused: AtomicU64,
    /// The sum of the statistics of connections that have ended.
    pub(super) ended: Mutex<ConnectionStatistics>,
}
