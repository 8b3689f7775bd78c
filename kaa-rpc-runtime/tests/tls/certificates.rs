//! Certificates of an authority, which a client may require in addition to the binding.
//!
//! The script `certificates/make` creates the files there with openssl.

use kaa_rpc_runtime::transport::{Address, TlsCertificate, TlsError, TlsRoots};
use kaa_rpc_runtime::{ConnectError, Server};
use kaa_rpc_test_support::assert_matches;

use crate::fixture::*;
use kaa_rpc_test_support::numbers::*;
use kaa_rpc_test_support::waiting::*;

macro_rules! file {
    ($name:literal) => {
        include_str!(concat!("certificates/", $name))
    };
}

macro_rules! certificate {
    ($name:literal) => {
        TlsCertificate::from_pem(
            include_str!(concat!("certificates/", $name, ".pem")),
            include_str!(concat!("certificates/", $name, ".key")),
        )
        .unwrap()
    };
}

fn authority() -> TlsRoots {
    TlsRoots::from_pem(file!("authority.pem")).unwrap()
}

async fn server_with(certificate: TlsCertificate) -> Server {
    server_at(ANY_PORT, |server| server.tls_certificate(certificate)).await.0
}

/// The server's port with another name of this machine.
fn by_name(server: &Server, host: &str) -> Address {
    Address::Tls { host: host.to_owned(), port: port(server.address().unwrap()) }
}

async fn verification_error(server: &Server, host: &str, roots: TlsRoots) -> String {
    let error = error_of(&client_with(by_name(server, host), |client| client.tls_verify(roots))).await;
    assert!(matches!(&error, ConnectError::Transport(_)) && !error.is_transient(), "{error:?}");
    error.to_string()
}

#[tokio::test]
async fn certificate_of_authority_is_accepted() {
    for certificate in [certificate!("localhost"), certificate!("localhost-rsa")] {
        let server = server_with(certificate).await;
        for host in ["127.0.0.1", "localhost"] {
            let client = client_with(by_name(&server, host), |client| client.tls_verify(authority()));
            assert_eq!(within("the reply to ECHO", call_method::<ECHO>(&client.peer(), 5)).await, Ok(5));
        }
        // A client that requires no certificate accepts it, too.
        within("the client to connect or fail", client_at(server.address().unwrap()).ready()).await.unwrap();
    }
}

#[tokio::test]
async fn other_certificates_are_refused() {
    let server = server_with(certificate!("localhost")).await;
    let other = TlsRoots::from_pem(file!("other-authority.pem")).unwrap();
    let text = verification_error(&server, "localhost", other).await;
    assert!(text.contains("the server's certificate is not accepted: "), "{text}");
    assert!(text.contains("UnknownIssuer"), "{text}");

    let server = server_with(certificate!("elsewhere")).await;
    let text = verification_error(&server, "localhost", authority()).await;
    assert!(text.contains("not valid for name \"localhost\""), "{text}");

    let server = server_with(certificate!("expired")).await;
    let text = verification_error(&server, "localhost", authority()).await;
    assert!(text.contains("expired"), "{text}");

    // A certificate that a server generated for itself.
    let (server, mut events) = server_at(ANY_PORT, |server| server).await;
    verification_error(&server, "localhost", authority()).await;
    let reason = refusal(&mut events).await.reason;
    assert!(reason.starts_with("the TLS handshake failed: the other end sent the alert "), "{reason}");
}

#[tokio::test]
async fn valid_certificate_does_not_replace_secret() {
    let server = server_with(certificate!("localhost")).await;
    let wrong = kaa_rpc_runtime::Secret::generate().unwrap();
    let client =
        client_with(server.address().unwrap(), |client| client.tls_verify(authority()).secret(wrong));
    assert_eq!(authentication_error_of(&client).await, kaa_rpc_runtime::AuthenticationError::RejectedByPeer);
}

#[tokio::test]
async fn unnameable_host_fails_verification() {
    let server = server_with(certificate!("localhost")).await;
    // The system resolves this name to 127.0.0.1, but no certificate can be for it.
    let host = "127.1";
    let text = verification_error(&server, host, authority()).await;
    assert!(
        text.contains("the host \"127.1\" is not a name or IP address that a certificate can have"),
        "{text}"
    );
    within("the client to connect or fail", client_at(by_name(&server, host)).ready()).await.unwrap();
}

#[test]
fn der_and_pem_are_equivalent() {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let der = |pem: &str| -> Vec<Vec<u8>> {
        CertificateDer::pem_slice_iter(pem.as_bytes()).map(|der| der.unwrap().to_vec()).collect()
    };
    let key = PrivateKeyDer::from_pem_slice(file!("localhost.key").as_bytes()).unwrap();
    let certificate =
        TlsCertificate::from_der(der(file!("localhost.pem")), key.secret_der().to_vec()).unwrap();
    assert_eq!(certificate, certificate!("localhost"));
    assert_ne!(certificate, certificate!("expired"));
    assert_eq!(TlsRoots::from_der(der(file!("authority.pem"))).unwrap(), authority());
}

#[test]
fn unusable_certificates_are_reported() {
    let certificate = |chain: &str, key: &str| TlsCertificate::from_pem(chain, key).unwrap_err().to_string();
    let good = (file!("localhost.pem"), file!("localhost.key"));
    assert_eq!(certificate("nonsense", good.1), "the certificate cannot be used: the input contains none");
    let text = certificate(good.0, "nonsense");
    assert!(text.starts_with("the certificate's private key cannot be used: "), "{text}");
    let text = certificate(good.0, file!("expired.key"));
    assert!(text.starts_with("the certificate's private key cannot be used: "), "{text}");
    let none = TlsRoots::from_pem("").unwrap_err();
    assert_matches!(none, TlsError::Unusable { .. });
    assert_eq!(
        none.to_string(),
        "the list of certificate authorities cannot be used: the input contains none"
    );
    assert_matches!(TlsRoots::from_der([vec![1, 2, 3]]), Err(_));
    let printed = format!("{:?}", certificate!("localhost"));
    assert!(!printed.contains("PRIVATE"), "{printed}");
}
