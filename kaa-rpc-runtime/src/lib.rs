//! Typed, authenticated calls between two programs that call each other.
//!
//! A `.kaa` file says what each side serves; `kaa_rpc_build::compile()` in a build script makes Rust of it: a trait to
//! implement and a proxy to call for either side. This crate is what that code runs on. Client and server differ only
//! in who connects: each registers services, each calls the other's, over one connection on which both have proved that
//! they know a shared secret.
//!
//! Start at [`Server::builder`] and [`Client::builder`]; a handler finds its caller in [`Context`].
//!
//! ```
//! use kaa_rpc_runtime::{Client, Secret, Server};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let secret = Secret::generate()?;
//! let server = Server::builder().secret(secret.clone()).listen("tcp:127.0.0.1:0").await?;
//! let address = server.address().ok_or("it listens")?.to_string();
//!
//! let client = Client::builder().secret(secret).connect(address)?;
//! client.ready().await?; // both have proved the secret
//!
//! let peer = server.peers().next().await.ok_or("it is there")?;
//! client.shutdown(std::time::Duration::from_secs(1)).await;
//! println!("{}", peer.closed().await); // the peer closed the connection
//! # Ok(())
//! # }
//! ```
//!
//! With services there is `.register(Epg::server(…))` on the one side and `.register(Epg::client(…))` on the other; see
//! the examples in the repository.
//!
//! # Runtime
//! Everything runs on tokio. Calls with a timeout, and everything that listens or connects, must be used within a tokio
//! runtime with I/O and time enabled.
//!
//! # Features
//! None is on by default.
//! - `tls`: addresses of the form `tls:host:port`, see [`Address`](transport::Address). No C compiler is needed for it, but
//!   Rust 1.89 and an x86_64 or aarch64 processor of the last ten years.
//! - `tls-ring`: the same, with the cryptography of ring. Its build needs a C compiler.
//! - `process`: starting programs and talking to them over their stdin and stdout, `ClientBuilder::connect_process` and
//!   `Server::spawn`. The started program does not need it.
//! - `systemd`: listening at sockets that systemd hands over, `systemd:NAME`.
//! - `tower`: a client as a `tower::Service`, in a module `tower`.
//! - `metrics`: counts calls, connections and bytes for the recorder of the crate `metrics`.

mod backoff;
pub mod blocking;
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
mod shutdown;
mod stream;
pub mod testing;
mod timestamp;
#[cfg(feature = "tower")]
pub mod tower;
pub mod transport;

pub use backoff::Backoff;
pub use bytes::Bytes;
pub use call::{Call, Method, OnewayCall};
pub use client::{Client, ClientBuilder, ClientEvent, ClientStatus};
pub use context::Context;
pub use descriptor::MethodDescriptor;
pub use error::{
    AuthenticationError, CallError, CloseReason, ConnectError, DeclaredError, Failure, Fault, IntoFault,
    MessageKind, Outcome, ProcessEnded, SetupError,
};
pub use events::Events;
pub use observe::{
    CallEnd, ConnectionStatistics, Direction, Interceptor, ObservedCall, Propagator, Refusal,
    ServerStatistics, TraceContext,
};
pub use peer::{Peer, PeerInformation, Proxy};
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
pub use service::{RegisterError, Service, role};
pub use shutdown::ShutdownReport;
pub use stream::{Incoming, IntoOutgoing, Outgoing};
pub use timestamp::Timestamp;
pub use uuid::Uuid;

/// Brings in what the build script generated: the module tree of all packages.
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
