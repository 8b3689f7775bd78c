//! The services of one side, and the methods by which one connection looks them up.
//!
//! Invariants: services with colliding method ids are never registered together; a service that is registered
//! later also serves existing connections, and a deregistered one serves no new calls; an instance for one
//! connection is dropped with it.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::executor::Placement;
use super::inbound::{HandlerFuture, InboundCall};
use super::link::Link;
use crate::descriptor::{MethodDescriptor, ServiceDescriptor};
use crate::error::RegisterError;
use crate::protocol::frame::MethodId;

/// A service as one connection uses it.
pub(crate) trait Instance: Send + Sync {
    /// Starts the handler of a call. `None` if the call is answered already.
    fn dispatch(&self, call: InboundCall) -> Option<HandlerFuture>;
}

/// A registered service.
#[derive(Clone)]
pub(crate) struct Registered {
    pub(crate) descriptor: &'static ServiceDescriptor,
    pub(crate) methods: &'static [&'static MethodDescriptor],
    pub(crate) instantiate: Instantiate,
    pub(crate) placement: Placement,
}

/// Creates the instance for one connection.
pub(crate) type Instantiate = Arc<dyn Fn(&Arc<Link>) -> Arc<dyn Instance> + Send + Sync>;

impl fmt::Debug for Registered {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Registered").field(&self.descriptor.name).finish()
    }
}

/// All services of one side.
#[derive(Debug, Default)]
pub(crate) struct ServiceSet {
    /// Each with a unique number, which is not reused.
    services: RwLock<Vec<(u64, Registered)>>,
    version: AtomicU64,
}

impl ServiceSet {
    /// Adds a service.
    ///
    /// # Errors
    /// If a service of its name is registered, or one of its method ids is in use.
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

    /// Removes a service. Returns whether it was registered.
    pub(crate) fn deregister(&self, name: &str) -> bool {
        let removed = {
            let mut services = self.services.write().unwrap_or_else(PoisonError::into_inner);
            let index = services.iter().position(|(_, service)| service.descriptor.name == name);
            index.map(|index| {
                self.version.fetch_add(1, Ordering::Release);
                services.remove(index)
            })
        };
        // Not dropped under the lock: it may own the last handle of the user's service.
        removed.is_some()
    }

    /// The descriptors of all services.
    pub(crate) fn descriptors(&self) -> Vec<&'static ServiceDescriptor> {
        let services = self.services.read().unwrap_or_else(PoisonError::into_inner);
        services.iter().map(|(_, service)| service.descriptor).collect()
    }
}

/// A method and the instance that serves it.
pub(crate) struct Found {
    pub(crate) descriptor: &'static MethodDescriptor,
    pub(crate) instance: Arc<dyn Instance>,
    /// The number of the service.
    service: u64,
    pub(crate) placement: Placement,
}

/// The methods of one connection, by method id.
pub(crate) struct Methods {
    set: Arc<ServiceSet>,
    link: Arc<Link>,
    version: u64,
    /// The numbers of the services that are included.
    known: Vec<u64>,
    instances: HashMap<MethodId, Found, BuildHasherDefault<IdHasher>>,
}

impl Methods {
    pub(crate) fn new(set: Arc<ServiceSet>, link: Arc<Link>) -> Self {
        let mut methods = Self { set, link, version: 0, known: Vec::new(), instances: HashMap::default() };
        methods.synchronize();
        methods
    }

    /// Adds services registered since the last call, and removes deregistered ones. Returns whether there
    /// were any changes.
    #[inline]
    pub(crate) fn synchronize(&mut self) -> bool {
        let version = self.set.version.load(Ordering::Acquire);
        let has_changed = version != self.version;
        if has_changed {
            self.update(version);
        }
        has_changed
    }

    #[cold]
    fn update(&mut self, version: u64) {
        let services = self.set.services.read().unwrap_or_else(PoisonError::into_inner).clone();
        self.version = version;
        let is_registered = |known: u64| services.iter().any(|(number, _)| *number == known);
        self.known.retain(|known| is_registered(*known));
        self.instances.retain(|_, found| is_registered(found.service));
        for (number, service) in services {
            if self.known.contains(&number) {
                continue;
            }
            self.known.push(number);
            self.link.add_known_service(service.descriptor);
            // The user's factory, which may panic. No lock is held here.
            let result = catch_unwind(AssertUnwindSafe(|| (service.instantiate)(&self.link)));
            let Ok(instance) = result else {
                // The connection continues without the service: its methods are unknown here.
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

/// Method ids are hashes already, and a peer cannot insert any.
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
        // The hash table uses the low bits for the group and the high bits for the tag.
        self.0 = u64::from(id) << 32 | u64::from(id);
    }
}
