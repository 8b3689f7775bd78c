//! Certificates of an authority: for a client that asks for one, on top of the binding.
//!
//! The files in `certificates` are made by openssl, see `certificates/make` there.

use kaa_rpc_runtime::transport::{Address, TlsCertificate, TlsError, TlsRoots};
use kaa_rpc_runtime::{ConnectError, Server};

use crate::streams::*;
use crate::support::*;

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

/// The same port by another of this machine's names.
fn by_name(server: &Server, host: &str) -> Address {
    Address::Tls { host: host.to_owned(), port: port(server.address().unwrap()) }
}

async fn refusal(server: &Server, host: &str, roots: TlsRoots) -> String {
    let error = error_of(&client_with(by_name(server, host), |client| client.tls_verify(roots))).await;
    assert!(matches!(&error, ConnectError::Transport(_)) && !error.is_transient(), "{error:?}");
    error.to_string()
}

#[tokio::test]
async fn one_of_the_authority_for_the_host_is_accepted() {
    for certificate in [certificate!("localhost"), certificate!("localhost-rsa")] {
        let server = server_with(certificate).await;
        for host in ["127.0.0.1", "localhost"] {
            let client = client_with(by_name(&server, host), |client| client.tls_verify(authority()));
            assert_eq!(within(ask::<ECHO>(&client.peer(), 5)).await, Ok(5));
        }
        // A client that does not ask takes it, too.
        within(client_at(server.address().unwrap()).ready()).await.unwrap();
    }
}

#[tokio::test]
async fn any_other_is_refused() {
    let server = server_with(certificate!("localhost")).await;
    let other = TlsRoots::from_pem(file!("other-authority.pem")).unwrap();
    let text = refusal(&server, "localhost", other).await;
    assert!(text.contains("the server's certificate is not accepted: "), "{text}");
    assert!(text.contains("UnknownIssuer"), "{text}");

    let server = server_with(certificate!("elsewhere")).await;
    let text = refusal(&server, "localhost", authority()).await;
    assert!(text.contains("not valid for name \"localhost\""), "{text}");

    let server = server_with(certificate!("expired")).await;
    let text = refusal(&server, "localhost", authority()).await;
    assert!(text.contains("expired"), "{text}");

    // One that a server made for itself.
    let (server, mut events) = server_at(ANY_PORT, |server| server).await;
    refusal(&server, "localhost", authority()).await;
    let reason = refused(&mut events).await.reason;
    assert!(reason.starts_with("the TLS handshake failed: the other end sent the alert "), "{reason}");
}

#[tokio::test]
async fn a_good_certificate_without_the_secret_is_not_enough() {
    let server = server_with(certificate!("localhost")).await;
    let wrong = kaa_rpc_runtime::Secret::generate().unwrap();
    let client =
        client_with(server.address().unwrap(), |client| client.tls_verify(authority()).secret(wrong));
    assert_eq!(authentication_error_of(&client).await, kaa_rpc_runtime::AuthenticationError::RejectedByPeer);
}

#[tokio::test]
async fn a_host_that_no_certificate_can_name_is_an_error_where_one_is_asked_for() {
    let server = server_with(certificate!("localhost")).await;
    // The system takes it for ::1 or 127.0.0.1 as well; no certificate does.
    let host = "127.1";
    let text = refusal(&server, host, authority()).await;
    assert!(
        text.contains("the host \"127.1\" is not a name or IP address that a certificate can have"),
        "{text}"
    );
    within(client_at(by_name(&server, host)).ready()).await.unwrap();
}

#[test]
fn der_is_as_good_as_pem() {
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
fn what_cannot_be_used_is_told() {
    let certificate = |chain: &str, key: &str| TlsCertificate::from_pem(chain, key).unwrap_err().to_string();
    let good = (file!("localhost.pem"), file!("localhost.key"));
    assert_eq!(certificate("nonsense", good.1), "the certificate cannot be used: the input contains none");
    let text = certificate(good.0, "nonsense");
    assert!(text.starts_with("the certificate's private key cannot be used: "), "{text}");
    let text = certificate(good.0, file!("expired.key"));
    assert!(text.starts_with("the certificate's private key cannot be used: "), "{text}");
    let none = TlsRoots::from_pem("").unwrap_err();
    assert!(matches!(none, TlsError::Unusable { .. }));
    assert_eq!(
        none.to_string(),
        "the list of certificate authorities cannot be used: the input contains none"
    );
    assert!(TlsRoots::from_der([vec![1, 2, 3]]).is_err());
    assert!(!format!("{:?}", certificate!("localhost")).contains("PRIVATE"));
}
