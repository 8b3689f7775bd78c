//! A processor that the cryptography does not run on.
//!
//! The child is this very test program; builds with debug assertions let the cryptography be told that an instruction is
//! missing.

use std::process::{Command, Stdio};

use kaa_rpc_runtime::transport::{TlsError, TransportError};
use kaa_rpc_runtime::{ConnectError, SetupError};

use crate::streams::*;
use crate::support::*;

const DENY: &str = "GRAVIOLA_CPU_DISABLE_aes";
const TOLD: &str = "the child was told";

#[tokio::test]
async fn an_old_processor_is_an_error_and_no_panic() {
    if std::env::var_os(DENY).is_some() {
        return be_the_child().await;
    }
    if cfg!(not(debug_assertions)) {
        return;
    }
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "processor::an_old_processor_is_an_error_and_no_panic", "--nocapture"])
        .env(DENY, "1")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(
        child.status.success() && said.contains(TOLD),
        "{said}{}",
        String::from_utf8_lossy(&child.stderr)
    );
}

async fn be_the_child() {
    let listening = server_builder(&World::new()).listen(ANY_PORT).await.unwrap_err();
    let SetupError::Transport(TransportError::Tls { source: TlsError::Processor, .. }) = &listening else {
        panic!("{listening:?}")
    };
    assert!(listening.to_string().contains("tls-ring"), "{listening}");
    let connecting = error_of(&client_at("tls:127.0.0.1:7")).await;
    let ConnectError::Transport(error) = &connecting else { panic!("{connecting:?}") };
    assert!(matches!(error.as_ref(), TransportError::Tls { source: TlsError::Processor, .. }));
    assert!(!connecting.is_transient());
    println!("{TOLD}");
}
