//! A processor that the cryptography does not support.
//!
//! The child process is this test program. In builds with debug assertions an environment variable can
//! disable an instruction for the cryptography.

use kaa_rpc_runtime::transport::{TlsError, TransportError};
use kaa_rpc_runtime::{ConnectError, SetupError};

use crate::fixture::*;
use kaa_rpc_test_support::numbers::*;
use kaa_rpc_test_support::processes::rerun;

const DENY: &str = "GRAVIOLA_CPU_DISABLE_aes";
const REPORTED: &str = "the child reported the error";

#[tokio::test]
async fn unsupported_processor_is_error() {
    if std::env::var_os(DENY).is_some() {
        return check_errors().await;
    }
    if cfg!(not(debug_assertions)) {
        return;
    }
    let child = rerun("processor::unsupported_processor_is_error").env(DENY, "1").output().unwrap();
    let output = String::from_utf8_lossy(&child.stdout);
    assert!(
        child.status.success() && output.contains(REPORTED),
        "{output}{}",
        String::from_utf8_lossy(&child.stderr)
    );
}

async fn check_errors() {
    let listening = server_builder(&ServiceState::new()).listen(ANY_PORT).await.unwrap_err();
    let SetupError::Transport(TransportError::Tls { source: TlsError::Processor, .. }) = &listening else {
        panic!("{listening:?}")
    };
    assert!(listening.to_string().contains("tls-ring"), "{listening}");
    let connecting = error_of(&client_at("tls:127.0.0.1:7")).await;
    let ConnectError::Transport(error) = &connecting else { panic!("{connecting:?}") };
    assert!(matches!(error.as_ref(), TransportError::Tls { source: TlsError::Processor, .. }), "{error:?}");
    assert!(!connecting.is_transient(), "{connecting:?}");
    println!("{REPORTED}");
}
