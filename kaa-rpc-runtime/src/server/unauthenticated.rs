//! Limits connections that have not authenticated themselves yet.
//!
//! Invariant: dropping a [`Slot`] releases it. Addresses without connections are forgotten.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedSemaphorePermit;

use crate::transport::PeerAddress;

/// Unauthenticated connections by address.
pub(super) type PerAddress = Arc<Mutex<HashMap<IpAddr, usize>>>;

/// What an unauthenticated connection occupies.
pub(super) struct Slot {
    _permit: Option<OwnedSemaphorePermit>,
    /// `None` if too many connections come from this address.
    address: Option<AddressSlot>,
}

impl Slot {
    /// For a connection from the listener.
    pub(super) fn new(permit: OwnedSemaphorePermit, address: Option<AddressSlot>) -> Self {
        Self { _permit: Some(permit), address }
    }

    /// For a connection that is not limited.
    pub(super) fn exempt() -> Self {
        Self { _permit: None, address: Some(AddressSlot::Exempt) }
    }

    /// Whether the connection's address is within its limit.
    pub(super) fn is_within_address_limit(&self) -> bool {
        self.address.is_some()
    }
}

/// A connection's share of its address's limit.
pub(super) enum AddressSlot {
    Exempt,
    Counted(PerAddress, IpAddr),
}

impl AddressSlot {
    /// Takes a slot of the peer's address; `None` if `max` are taken. Unix sockets and loopback addresses are
    /// exempt.
    pub(super) fn take(counts: &PerAddress, peer: &PeerAddress, max: usize) -> Option<Self> {
        let ip = match peer {
            PeerAddress::Tcp(address) | PeerAddress::Tls(address) if !address.ip().is_loopback() => {
                address.ip()
            }
            _ => return Some(Self::Exempt),
        };
        let mut map = counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = map.entry(ip).or_default();
        if *count >= max {
            return None;
        }
        *count += 1;
        drop(map);
        Some(Self::Counted(Arc::clone(counts), ip))
    }
}

impl Drop for AddressSlot {
    fn drop(&mut self) {
        if let Self::Counted(counts, ip) = self {
            let mut map = counts.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(count) = map.get_mut(ip) {
                *count -= 1;
                if *count == 0 {
                    map.remove(ip);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_limit_counts_tcp_and_tls_together() {
        let counts = PerAddress::default();
        let remote = |port| (std::net::Ipv4Addr::new(192, 0, 2, 7), port).into();
        let take = |port: u16| {
            let kind = if port.is_multiple_of(2) { PeerAddress::Tcp } else { PeerAddress::Tls };
            AddressSlot::take(&counts, &kind(remote(port)), 16)
        };
        let mut slots: Vec<_> = (0..16).map(|port| take(port).unwrap()).collect();
        assert!(take(16).is_none() && take(17).is_none());
        slots.pop();
        assert!(take(19).is_some());
        drop(slots);
        assert!(counts.lock().unwrap().is_empty(), "addresses without connections are forgotten");
        for _ in 0..20 {
            let local = PeerAddress::Tls((std::net::Ipv6Addr::LOCALHOST, 1).into());
            assert!(matches!(AddressSlot::take(&counts, &local, 16), Some(AddressSlot::Exempt)));
        }
    }
}
