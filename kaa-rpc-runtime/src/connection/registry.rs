//! The services that one side serves, and the methods that one connection finds among them.
//!
//! Invariants: two services whose method ids collide are never registered together; a service registered later serves
//! living connections too, and one taken out serves no new calls; an instance made for a connection is dropped with it.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::inbound::HandlerFuture;
use super::link::Link;
use crate::descriptor::{MethodDescriptor, ServiceDescriptor};
use crate::protocol::frame::MethodId;
use crate::service::{InboundCall, RegisterError};

/// A service as one connection uses it.
pub(crate) trait Instance: Send + Sync {
    /// Begins a call: its handler, unless the call is answered already.
    fn dispatch(&self, call: InboundCall) -> Option<HandlerFuture>;
}

/// A service as it was registered.
#[derive(Clone)]
pub(crate) struct Registered {
    pub(crate) descriptor: &'static ServiceDescriptor,
    pub(crate) methods: &'static [&'static MethodDescriptor],
    pub(crate) instantiate: Instantiate,
    pub(crate) placement: Placement,
}

/// Where handlers run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Placement {
    /// Polled once where the call is read; a task, if that was not enough.
    #[default]
    InPlace,
    /// A task from the beginning.
    Task,
    /// On a thread that may block.
    Blocking,
}

/// Makes what serves one connection.
pub(crate) type Instantiate = Arc<dyn Fn(&Arc<Link>) -> Arc<dyn Instance> + Send + Sync>;

impl fmt::Debug for Registered {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Registered").field(&self.descriptor.name).finish()
    }
}

/// All services of one side.
#[derive(Debug, Default)]
pub(crate) struct ServiceSet {
    /// Each by a number of its own, which is not used again.
    services: RwLock<Vec<(u64, Registered)>>,
    version: AtomicU64,
}

impl ServiceSet {
    /// Adds a service.
    ///
    /// # Errors
    /// If it is registered already, or one of its method ids is taken.
    pub(crate) fn register(&self, service: Registered) -> Result<(), RegisterError> {
        let mut services = self.services.write().unwrap_or_else(PoisonError::into_inner);
        for (_, other) in services.iter() {
            if other.descriptor.name == service.descriptor.name {
                return Err(RegisterError::AlreadyRegistered { service: service.descriptor.name });
            }
            for method in service.methods {
                if let Some(taken) = other.methods.iter().find(|taken| taken.id == method.id) {
                    return Err(RegisterError::MethodIdCollision {
                        id: method.id,
                        methods: [taken.to_string(), method.to_string()],
                    });
                }
            }
        }
        let number = self.version.fetch_add(1, Ordering::Release);
        services.push((number, service));
        Ok(())
    }

    /// Takes a service out. Whether it was there.
    pub(crate) fn deregister(&self, name: &str) -> bool {
        let gone = {
            let mut services = self.services.write().unwrap_or_else(PoisonError::into_inner);
            let place = services.iter().position(|(_, service)| service.descriptor.name == name);
            place.map(|place| {
                self.version.fetch_add(1, Ordering::Release);
                services.remove(place)
            })
        };
        // Dropped outside of the lock: it may be the last of the user's own service.
        gone.is_some()
    }

    /// The descriptors of all services.
    pub(crate) fn descriptors(&self) -> Vec<&'static ServiceDescriptor> {
        let services = self.services.read().unwrap_or_else(PoisonError::into_inner);
        services.iter().map(|(_, service)| service.descriptor).collect()
    }
}

/// A method and who serves it.
pub(crate) struct Found {
    pub(crate) descriptor: &'static MethodDescriptor,
    pub(crate) instance: Arc<dyn Instance>,
    /// The number of the service.
    service: u64,
    pub(crate) placement: Placement,
}

/// What one connection finds by method id.
pub(crate) struct Methods {
    set: Arc<ServiceSet>,
    link: Arc<Link>,
    version: u64,
    /// The numbers of the services that are taken in.
    known: Vec<u64>,
    instances: HashMap<MethodId, Found, BuildHasherDefault<IdHasher>>,
}

impl Methods {
    pub(crate) fn new(set: Arc<ServiceSet>, link: Arc<Link>) -> Self {
        let mut methods = Self { set, link, version: 0, known: Vec::new(), instances: HashMap::default() };
        methods.synchronize();
        methods
    }

    /// Takes in what was registered since the last time, and lets go of what was taken out. Whether there was anything.
    #[inline]
    pub(crate) fn synchronize(&mut self) -> bool {
        let version = self.set.version.load(Ordering::Acquire);
        let is_new = version != self.version;
        if is_new {
            self.follow(version);
        }
        is_new
    }

    #[cold]
    fn follow(&mut self, version: u64) {
        let services = self.set.services.read().unwrap_or_else(PoisonError::into_inner).clone();
        self.version = version;
        let is_there = |known: u64| services.iter().any(|(number, _)| *number == known);
        self.known.retain(|known| is_there(*known));
        self.instances.retain(|_, found| is_there(found.service));
        for (number, service) in services {
            if self.known.contains(&number) {
                continue;
            }
            self.known.push(number);
            self.link.know(service.descriptor);
            // A user's factory: outside every lock.
            let attempt = catch_unwind(AssertUnwindSafe(|| (service.instantiate)(&self.link)));
            let Ok(instance) = attempt else {
                // The connection lives on without it; its methods are unknown here.
                tracing::error!(service = service.descriptor.name, "the service's factory panicked");
                continue;
            };
            for &descriptor in service.methods {
                let instance = Arc::clone(&instance);
                let found = Found { descriptor, instance, service: number, placement: service.placement };
                self.instances.insert(MethodId(descriptor.id), found);
            }
        }
    }

    #[inline]
    pub(crate) fn find(&self, method: MethodId) -> Option<&Found> {
        self.instances.get(&method)
    }
}

/// Method ids are hashes already, and only registered ones are ever inserted.
#[derive(Debug, Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u32(&mut self, id: u32) {
        // The table takes its group from the low bits and its tag from the high ones.
        self.0 = u64::from(id) << 32 | u64::from(id);
    }
}
