//! Typed, authenticated calls between two programs that call each other.
//!
//! A `.kaa` file defines what each side serves. In a build script, `kaa_rpc_build::compile()` generates Rust
//! code from it: for each side a trait to implement and a proxy to call. This crate runs that code. Client
//! and server differ only in who connects: each registers services and calls those of the other, over one
//! connection on which both have proved that they have a shared secret.
//!
//! Start at [`Server::builder`] and [`Client::builder`]. In a handler, [`Context`] is the handle to its
//! caller.
//!
//! ```
//! use kaa_rpc_runtime::{Client, Secret, Server};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let secret = Secret::generate()?;
//! let server = Server::builder().secret(secret.clone()).listen("tcp:127.0.0.1:0").await?;
//! let address = server.address().ok_or("no address")?.to_string();
//!
//! let client = Client::builder().secret(secret).connect(address)?;
//! client.ready().await?; // both sides are authenticated
//!
//! let peer = server.peers().next().await.ok_or("no peer")?;
//! client.shutdown(std::time::Duration::from_secs(1)).await;
//! println!("{}", peer.closed().await); // the peer closed the connection
//! # Ok(())
//! # }
//! ```
//!
//! To serve, add `.register(Epg::server(…))` on the one side and `.register(Epg::client(…))` on the other.
//! See the examples in the repository.
//!
//! # Runtime
//! Everything runs on tokio. Code that listens, connects, or makes calls with a timeout needs a tokio runtime
//! with I/O and time enabled.
//!
//! # Features
//! None is on by default.
//! - `tls`: addresses of the form `tls:host:port`, see [`Address`](transport::Address). It needs no C
//!   compiler, but Rust 1.89 and an x86_64 or aarch64 processor of the last ten years.
//! - `tls-ring`: the same with the cryptography of ring, whose build needs a C compiler.
//! - `process`: child processes as peers over their stdin and stdout, `ClientBuilder::connect_process` and
//!   `Server::spawn`. The child does not need this feature.
//! - `systemd`: listening sockets from systemd, `systemd:NAME`.
//! - `tower`: a client as a `tower::Service`, in the module `tower`.
//! - `metrics`: counts calls, connections and bytes for the recorder of the crate `metrics`.

mod backoff;
pub mod blocking;
mod builder;
mod call;
mod client;
pub mod codec;
pub mod codegen;
mod connection;
mod context;
mod descriptor;
mod error;
mod events;
mod fingerprint;
mod observe;
mod peer;
mod peer_registry;
mod process;
pub mod protocol;
mod random;
mod resources;
pub mod secret;
mod server;
mod service;
mod settings;
mod stream;
pub mod testing;
mod timestamp;
#[cfg(feature = "tower")]
pub mod tower;
mod trace;
pub mod transport;

pub use backoff::Backoff;
pub use bytes::Bytes;
pub use call::{Call, Method, OnewayCall};
pub use client::{Client, ClientBuilder, ClientEvent, ClientStatus};
pub use connection::{
    ConnectionStatistics, Direction, PeerInformation, Refusal, ServerStatistics, ShutdownReport,
};
pub use context::Context;
pub use descriptor::MethodDescriptor;
pub use error::{
    AuthenticationError, CallEnd, CallError, CloseReason, ConnectError, DeclaredError, Failure, Fault,
    IntoFault, MessageKind, Outcome, ProcessEnded, RegisterError, SetupError,
};
pub use events::Events;
pub use observe::{Interceptor, ObservedCall};
pub use peer::{Peer, Proxy};
pub use peer_registry::PeerRegistry;
#[cfg(feature = "process")]
pub use process::Process;
pub use protocol::handshake::{Audience, SessionId};
pub use protocol::limits::Limits;
pub use protocol::metadata::{Metadata, MetadataError};
pub use protocol::schema::Compatibility;
pub use resources::Resources;
pub use secret::{KeyId, Keys, Secret};
#[cfg(feature = "process")]
pub use server::SpawnedPeer;
pub use server::{Peers, Refused, Server, ServerBuilder, ServerEvent};
pub use service::{Service, role};
pub use stream::{Incoming, IntoOutgoing, Outgoing};
pub use timestamp::Timestamp;
pub use trace::{Propagator, TraceContext};
pub use uuid::Uuid;

/// Includes the code that the build script generated: the module tree of all packages.
///
/// ```text
/// mod api {
///     kaa_rpc_runtime::include_kaa!();
/// }
/// ```
#[macro_export]
macro_rules! include_kaa {
    () => {
        include!(concat!(
            env!("OUT_DIR", "add a build.rs whose main function calls kaa_rpc_build::compile()"),
            "/kaa.rs"
        ));
    };
}
