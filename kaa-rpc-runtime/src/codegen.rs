//! The names that generated code uses. Programs do not use them directly, because they change with the
//! generator.

pub use bytes::Bytes;
pub use serde;

pub use crate::call::{Call, Method, OnewayCall, StreamMethod};
pub use crate::codec::{DecodeError, Decoder, EncodeError, Encoder, UnknownVariant, Wire, shape};
pub use crate::connection::InboundCall;
pub use crate::context::Context;
pub use crate::descriptor::{
    ElementEntry, MethodDescriptor, MethodEntry, ServiceDescriptor, ServiceTable, Streams, TypeEntry,
    TypeForm,
};
pub use crate::error::{DeclaredError, Failure, Fault};
pub use crate::peer::{Peer, Proxy};
pub use crate::service::{Handling, Service, role};
pub use crate::stream::{Incoming, IntoOutgoing, Never, Outgoing, StreamSink, Streamed};
pub use crate::timestamp::Timestamp;
pub use futures_core::Stream;
pub use uuid::Uuid;

/// The fault of a method that is not implemented.
#[must_use]
pub fn unimplemented_method() -> Fault {
    Fault::unknown_method()
}
