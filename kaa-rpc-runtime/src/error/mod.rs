//! The public errors: of a call ([`CallError`]), of a handler ([`Fault`], [`Failure`]), of a connection
//! ([`ConnectError`], [`CloseReason`]) and of setup ([`SetupError`]).
//!
//! Invariant: a message that crosses the connection is an error's own `Display` text. It never contains the
//! source chain, the `Debug` form, a backtrace or a panic's payload.

mod call;
mod connection;
mod handler;
mod setup;

pub use call::{CallEnd, CallError, MessageKind, Outcome};
pub use connection::{AuthenticationError, CloseReason, ConnectError, ProcessEnded};
pub use handler::{DeclaredError, Failure, Fault, IntoFault};
pub use setup::{RegisterError, SetupError};
