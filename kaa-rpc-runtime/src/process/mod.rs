//! Child processes that are peers.
//!
//! [`ChildGuard`] exists without the feature `process` too, so that clients and servers need no second
//! version.

#[cfg(feature = "process")]
mod child;
mod guard;

#[cfg(feature = "process")]
pub use child::Process;
pub(crate) use guard::ChildGuard;
