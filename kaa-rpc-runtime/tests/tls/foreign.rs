//! Peers that do not use the runtime's TLS, but follow `docs/wire.md`; and what they may not do.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use kaa_rpc_runtime::protocol::handshake::{
    ChannelBinding, ClientHandshake, ClientParameters, HandshakeError, Progress, ServerHandshake,
    ServerParameters,
};
use kaa_rpc_runtime::{CloseReason, ConnectError, Server};
use kaa_rpc_test_support::scripted::{client_parameters, server_parameters};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ResolvesServerCert;
use rustls::sign::CertifiedKey;
use rustls::version::TLS13;
use rustls::{ClientConfig, DigitallySignedStruct, HandshakeKind, ServerConfig, SignatureScheme};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server as accepted};

use crate::fixture::*;

use kaa_rpc_test_support::waiting::*;

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls_graviola::default_provider())
}

/// Accepts any certificate.
#[derive(Debug)]
struct AcceptAny;

impl ServerCertVerifier for AcceptAny {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        panic!("TLS 1.3 only")
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = provider().signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}

fn client_config() -> ClientConfig {
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AcceptAny))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"kaa-rpc/1".to_vec()];
    config
}

async fn connect(server: &Server, config: &Arc<ClientConfig>) -> io::Result<client::TlsStream<TcpStream>> {
    let stream = TcpStream::connect(socket_address(server)).await.unwrap();
    let name = ServerName::try_from("some.name").unwrap();
    let connecting = TlsConnector::from(Arc::clone(config)).connect(name, stream);
    within("the TLS handshake", connecting).await
}

/// The binding of a session, after RFC 9266.
macro_rules! binding {
    ($channel:expr) => {
        ChannelBinding::tls_exporter(
            $channel
                .get_ref()
                .1
                .export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(b""))
                .unwrap(),
        )
    };
}

async fn handshake(
    channel: &mut (impl AsyncRead + AsyncWrite + Unpin),
    mut output: impl FnMut(&mut BytesMut) -> (Result<Progress, HandshakeError>, bytes::Bytes),
) -> Result<(), HandshakeError> {
    let mut input = BytesMut::new();
    loop {
        let (progress, bytes) = output(&mut input);
        within("the peer to take bytes", channel.write_all(&bytes)).await.unwrap();
        if let Progress::Done(_) = progress? {
            return Ok(());
        }
        assert_ne!(within("bytes of the peer", channel.read_buf(&mut input)).await.unwrap(), 0);
    }
}

async fn prove(
    channel: &mut (impl AsyncRead + AsyncWrite + Unpin),
    binding: Option<ChannelBinding>,
) -> Result<(), HandshakeError> {
    let mut client = ClientHandshake::new(ClientParameters { binding, ..client_parameters() });
    handshake(channel, |input| (client.handle_input(input), client.output())).await
}

#[tokio::test]
async fn specified_client_is_accepted() {
    let (server, _events) = server().await;
    let mut channel = connect(&server, &Arc::new(client_config())).await.unwrap();
    let binding = binding!(channel);
    prove(&mut channel, Some(binding)).await.unwrap();
}

#[tokio::test]
async fn channel_without_close_notify_is_lost() {
    let (server, mut events) = server().await;
    let mut channel = connect(&server, &Arc::new(client_config())).await.unwrap();
    let binding = binding!(channel);
    prove(&mut channel, Some(binding)).await.unwrap();
    // The socket ends without close_notify.
    channel.get_mut().0.shutdown().await.unwrap();
    assert_eq!(close_reason(&mut events).await.to_string(), "the connection was lost");
    // The server ends its half with close_notify.
    let mut rest = Vec::new();
    within("the end of the connection", channel.read_to_end(&mut rest)).await.unwrap();
}

#[tokio::test]
async fn client_with_wrong_binding_is_refused() {
    let (server, mut events) = server().await;
    let config = Arc::new(client_config());
    let mut channel = connect(&server, &config).await.unwrap();
    let error = prove(&mut channel, None).await.unwrap_err();
    assert!(matches!(error, HandshakeError::BindingRequired { .. }), "{error:?}");
    drop(channel);
    refusal(&mut events).await;

    let other = connect(&server, &config).await.unwrap();
    let mut channel = connect(&server, &config).await.unwrap();
    let error = prove(&mut channel, Some(binding!(other))).await.unwrap_err();
    assert_eq!(error, HandshakeError::RejectedByPeer);
    let reason = refusal(&mut events).await.reason;
    assert!(reason.contains("its proof of the secret is wrong"), "{reason}");
}

fn server_config(key: CertifiedKey) -> ServerConfig {
    #[derive(Debug)]
    struct One(Arc<CertifiedKey>);
    impl ResolvesServerCert for One {
        fn resolve(&self, _: rustls::server::ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
            Some(Arc::clone(&self.0))
        }
    }
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(One(Arc::new(key))));
    config.alpn_protocols = vec![b"kaa-rpc/1".to_vec()];
    config
}

/// A certificate with a private key, which may belong to another certificate.
fn certified(chain: &[u8], key: &[u8]) -> CertifiedKey {
    let chain = CertificateDer::pem_slice_iter(chain).collect::<Result<_, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_slice(key).unwrap();
    CertifiedKey::new(chain, provider().key_provider.load_private_key(key).unwrap())
}

fn good_key() -> CertifiedKey {
    certified(include_bytes!("certificates/localhost.pem"), include_bytes!("certificates/localhost.key"))
}

/// The runtime's client at a foreign server, and the result of the server's TLS handshake.
async fn served_by(
    config: ServerConfig,
) -> (kaa_rpc_runtime::Client, io::Result<accepted::TlsStream<TcpStream>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = client_at(format!("tls:{}", listener.local_addr().unwrap()));
    let (stream, _) = within("a client to connect", listener.accept()).await.unwrap();
    let accepted = within("the TLS handshake", TlsAcceptor::from(Arc::new(config)).accept(stream)).await;
    (client, accepted)
}

#[tokio::test]
async fn specified_server_is_accepted() {
    // The server offers tickets and early data, which the client must not use.
    let mut config = server_config(good_key());
    config.max_early_data_size = 1024;
    let (client, channel) = served_by(config).await;
    let mut channel = channel.unwrap();
    let binding = Some(binding!(channel));
    let mut server = ServerHandshake::new(ServerParameters { binding, ..server_parameters() });
    handshake(&mut channel, |input| (server.handle_input(input), server.output())).await.unwrap();
    // The server sends no schema, so the client is not ready. But a frame follows, so the client accepted the
    // proof.
    let mut frame = [0; 24];
    within("bytes of the peer", channel.read_exact(&mut frame)).await.unwrap();
    drop(client);
    // The client ends its half with close_notify.
    let mut rest = Vec::new();
    within("the end of the connection", channel.read_to_end(&mut rest)).await.unwrap();
}

#[tokio::test]
async fn certificate_requires_its_key() {
    let stolen =
        certified(include_bytes!("certificates/localhost.pem"), include_bytes!("certificates/expired.key"));
    let (client, channel) = served_by(server_config(stolen)).await;
    assert!(channel.is_err(), "{channel:?}");
    let error = error_of(&client).await;
    assert!(matches!(&error, ConnectError::Transport(_)), "{error:?}");
    assert!(error.to_string().contains("the server's certificate is not accepted"), "{error}");
}

#[tokio::test]
async fn server_with_other_alpn_is_refused() {
    for protocols in [vec![], vec![b"h2".to_vec()]] {
        let mut config = server_config(good_key());
        config.alpn_protocols = protocols;
        let (client, _channel) = served_by(config).await;
        let error = error_of(&client).await.to_string();
        assert!(error.contains("the other end speaks TLS, but not kaa-rpc over it"), "{error}");
    }
}

#[tokio::test]
async fn client_with_other_alpn_is_refused() {
    let (server, mut events) = server().await;
    for protocols in [vec![], vec![b"h2".to_vec()]] {
        let mut config = client_config();
        config.alpn_protocols = protocols;
        let _channel = connect(&server, &Arc::new(config)).await;
        let reason = refusal(&mut events).await.reason;
        assert_eq!(reason, "the other end speaks TLS, but not kaa-rpc over it");
    }
}

/// A store of sessions that counts the tickets it receives.
struct CountingStore {
    sessions: rustls::client::ClientSessionMemoryCache,
    tickets: std::sync::atomic::AtomicUsize,
}

impl fmt::Debug for CountingStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CountingStore")
    }
}

impl rustls::client::ClientSessionStore for CountingStore {
    fn set_kx_hint(&self, name: ServerName<'static>, group: rustls::NamedGroup) {
        self.sessions.set_kx_hint(name, group);
    }

    fn kx_hint(&self, name: &ServerName<'_>) -> Option<rustls::NamedGroup> {
        self.sessions.kx_hint(name)
    }

    fn set_tls12_session(&self, _: ServerName<'static>, _: rustls::client::Tls12ClientSessionValue) {
        panic!("TLS 1.3 only")
    }

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<rustls::client::Tls12ClientSessionValue> {
        None
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {}

    fn insert_tls13_ticket(
        &self,
        name: ServerName<'static>,
        session: rustls::client::Tls13ClientSessionValue,
    ) {
        self.tickets.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.sessions.insert_tls13_ticket(name, session);
    }

    fn take_tls13_ticket(
        &self,
        name: &ServerName<'static>,
    ) -> Option<rustls::client::Tls13ClientSessionValue> {
        self.sessions.take_tls13_ticket(name)
    }
}

#[tokio::test]
async fn server_resumes_no_session() {
    let (server, _events) = server().await;
    let mut config = client_config();
    let store = Arc::new(CountingStore {
        sessions: rustls::client::ClientSessionMemoryCache::new(8),
        tickets: std::sync::atomic::AtomicUsize::new(0),
    });
    config.resumption = rustls::client::Resumption::store(Arc::clone(&store) as _);
    config.enable_early_data = true;
    let config = Arc::new(config);
    for _ in 0..2 {
        let mut channel = connect(&server, &config).await.unwrap();
        assert_ne!(channel.get_ref().1.handshake_kind(), Some(HandshakeKind::Resumed));
        assert!(!channel.get_ref().1.is_early_data_accepted(), "the server accepts early data");
        let binding = binding!(channel);
        // Tickets of the server would arrive with its messages of the handshake.
        prove(&mut channel, Some(binding)).await.unwrap();
    }
    assert_eq!(store.tickets.load(std::sync::atomic::Ordering::Relaxed), 0);
}

#[tokio::test]
async fn client_resumes_no_session() {
    // The server offers tickets, and would resume sessions.
    let config = server_config(good_key());
    assert!(config.send_tls13_tickets > 0, "the server offers no tickets");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let backoff = kaa_rpc_runtime::Backoff::default().initial(Duration::from_millis(1));
    let address = format!("tls:{}", listener.local_addr().unwrap());
    let _client = client_with(address, |client| client.reconnect(backoff));
    for _ in 0..3 {
        let (stream, _) = within("a client to connect", listener.accept()).await.unwrap();
        let mut channel = within("the TLS handshake", acceptor.accept(stream)).await.unwrap();
        assert_eq!(
            channel.get_ref().1.handshake_kind().map(|kind| kind == HandshakeKind::Resumed),
            Some(false)
        );
        let mut hello = [0; 3];
        within("bytes of the peer", channel.read_exact(&mut hello)).await.unwrap();
        assert_eq!(hello[2], 1, "HELLO comes first");
    }
}

/// rustls reports a half that ends without close_notify as an error.
#[tokio::test]
async fn shutdown_sends_close_notify() {
    let (server, mut events) = server().await;
    let mut channels = Vec::new();
    for _ in 0..2 {
        let mut channel = connect(&server, &Arc::new(client_config())).await.unwrap();
        let binding = binding!(channel);
        prove(&mut channel, Some(binding)).await.unwrap();
        channels.push(channel);
    }
    let mut ended = channels.pop().unwrap();
    within("the channel to end", ended.shutdown()).await.unwrap();
    assert_eq!(close_reason(&mut events).await, CloseReason::ConnectionLost(None));

    let mut other = channels.pop().unwrap();
    let shutdown = tokio::spawn(async move {
        within("the server to shut down", server.shutdown(Duration::from_secs(60))).await
    });
    // A Goodbye and a Ping arrive. After the Pong the server names the last call and ends its half.
    within("bytes of the peer", other.read_exact(&mut [0; 48])).await.unwrap();
    let mut pong = [0; 24];
    (pong[0], pong[4], pong[6]) = (24, 11, 24);
    within("the peer to take bytes", other.write_all(&pong)).await.unwrap();
    let mut rest = Vec::new();
    within("the end of the connection", other.read_to_end(&mut rest)).await.expect("close_notify");
    assert_eq!(rest.len(), 24, "the last Goodbye");
    drop(other);
    assert_eq!(within("the shutdown", shutdown).await.unwrap().aborted, 0);
}
