//! Peers of another make, which know TLS and `docs/wire.md`; and what they may not do.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use kaa_rpc_runtime::protocol::handshake::{
    Audience, ChannelBinding, ClientHandshake, ClientParameters, HandshakeError, InstanceId, Progress,
    ServerHandshake, ServerParameters,
};
use kaa_rpc_runtime::{CloseReason, ConnectError, KeyId, Keys, Limits, Server};
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

use crate::streams::{secret, within};
use crate::support::*;

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls_graviola::default_provider())
}

/// Takes any certificate.
#[derive(Debug)]
struct Any;

impl ServerCertVerifier for Any {
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
        .with_custom_certificate_verifier(Arc::new(Any))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"kaa-rpc/1".to_vec()];
    config
}

async fn connect(server: &Server, config: &Arc<ClientConfig>) -> io::Result<client::TlsStream<TcpStream>> {
    let stream = TcpStream::connect(socket_address(server)).await.unwrap();
    let name = ServerName::try_from("some.name").unwrap();
    within(TlsConnector::from(Arc::clone(config)).connect(name, stream)).await
}

/// What RFC 9266 makes of a session.
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
        within(channel.write_all(&bytes)).await.unwrap();
        if let Progress::Done(_) = progress? {
            return Ok(());
        }
        assert_ne!(within(channel.read_buf(&mut input)).await.unwrap(), 0);
    }
}

async fn prove(
    channel: &mut (impl AsyncRead + AsyncWrite + Unpin),
    binding: Option<ChannelBinding>,
) -> Result<(), HandshakeError> {
    let mut client = ClientHandshake::new(ClientParameters {
        nonce: [1; 32],
        instance: InstanceId::new([2; 16]),
        key_id: KeyId::default(),
        secret: secret(),
        audience: Audience::default(),
        binding,
        limits: Limits::default(),
        schema: [0; 32],
    });
    handshake(channel, |input| (client.handle_input(input), client.output())).await
}

#[tokio::test]
async fn a_client_by_the_specification_is_let_in() {
    let (server, _events) = server().await;
    let mut channel = connect(&server, &Arc::new(client_config())).await.unwrap();
    let binding = binding!(channel);
    prove(&mut channel, Some(binding)).await.unwrap();
}

#[tokio::test]
async fn a_channel_that_is_cut_is_lost_as_any_connection_would_be() {
    let (server, mut events) = server().await;
    let mut channel = connect(&server, &Arc::new(client_config())).await.unwrap();
    let binding = binding!(channel);
    prove(&mut channel, Some(binding)).await.unwrap();
    // The end of the socket, without one of the channel.
    channel.get_mut().0.shutdown().await.unwrap();
    assert_eq!(end(&mut events).await.to_string(), "the connection was lost");
    // Our half has ended properly.
    let mut rest = Vec::new();
    within(channel.read_to_end(&mut rest)).await.unwrap();
}

#[tokio::test]
async fn a_client_without_the_binding_or_with_another_is_not() {
    let (server, mut events) = server().await;
    let config = Arc::new(client_config());
    let mut channel = connect(&server, &config).await.unwrap();
    let error = prove(&mut channel, None).await.unwrap_err();
    assert!(matches!(error, HandshakeError::BindingRequired { .. }), "{error:?}");
    drop(channel);
    refused(&mut events).await;

    let other = connect(&server, &config).await.unwrap();
    let mut channel = connect(&server, &config).await.unwrap();
    let error = prove(&mut channel, Some(binding!(other))).await.unwrap_err();
    assert_eq!(error, HandshakeError::RejectedByPeer);
    assert!(refused(&mut events).await.reason.contains("its proof of the secret is wrong"));
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

/// The certificate of one key pair with the private key of another, where those differ.
fn certified(chain: &[u8], key: &[u8]) -> CertifiedKey {
    let chain = CertificateDer::pem_slice_iter(chain).collect::<Result<_, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_slice(key).unwrap();
    CertifiedKey::new(chain, provider().key_provider.load_private_key(key).unwrap())
}

fn good_key() -> CertifiedKey {
    certified(include_bytes!("certificates/localhost.pem"), include_bytes!("certificates/localhost.key"))
}

/// A client of ours at a server of another make, and what the server's side of TLS comes to.
async fn served_by(
    config: ServerConfig,
) -> (kaa_rpc_runtime::Client, io::Result<accepted::TlsStream<TcpStream>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = client_at(format!("tls:{}", listener.local_addr().unwrap()));
    let (stream, _) = within(listener.accept()).await.unwrap();
    let accepted = within(TlsAcceptor::from(Arc::new(config)).accept(stream)).await;
    (client, accepted)
}

#[tokio::test]
async fn a_server_by_the_specification_is_taken() {
    // Tickets and early data, which the client must not take up.
    let mut config = server_config(good_key());
    config.max_early_data_size = 1024;
    let (client, channel) = served_by(config).await;
    let mut channel = channel.unwrap();
    let mut server = ServerHandshake::new(ServerParameters {
        nonce: [3; 32],
        decoy: secret(),
        instance: InstanceId::new([4; 16]),
        keys: Arc::new(Keys::from(secret())),
        audience: Audience::default(),
        binding: Some(binding!(channel)),
        limits: Limits::default(),
        schema: [0; 32],
    });
    handshake(&mut channel, |input| (server.handle_input(input), server.output())).await.unwrap();
    // Its schema is not told here, so the connection is not ready; that the proof was taken shows in what follows it.
    let mut frame = [0; 24];
    within(channel.read_exact(&mut frame)).await.unwrap();
    drop(client);
    // However it ends, its half of the channel does so properly.
    let mut rest = Vec::new();
    within(channel.read_to_end(&mut rest)).await.unwrap();
}

#[tokio::test]
async fn a_certificate_is_taken_only_with_its_key() {
    let stolen =
        certified(include_bytes!("certificates/localhost.pem"), include_bytes!("certificates/expired.key"));
    let (client, channel) = served_by(server_config(stolen)).await;
    assert!(channel.is_err());
    let error = error_of(&client).await;
    assert!(matches!(&error, ConnectError::Transport(_)), "{error:?}");
    assert!(error.to_string().contains("the server's certificate is not accepted"), "{error}");
}

#[tokio::test]
async fn a_server_of_something_else_within_tls_is_not_taken() {
    for protocols in [vec![], vec![b"h2".to_vec()]] {
        let mut config = server_config(good_key());
        config.alpn_protocols = protocols;
        let (client, _channel) = served_by(config).await;
        let error = error_of(&client).await.to_string();
        assert!(error.contains("the other end speaks TLS, but not kaa-rpc over it"), "{error}");
    }
}

#[tokio::test]
async fn a_client_of_something_else_within_tls_is_not_let_in() {
    let (server, mut events) = server().await;
    for protocols in [vec![], vec![b"h2".to_vec()]] {
        let mut config = client_config();
        config.alpn_protocols = protocols;
        let _channel = connect(&server, &Arc::new(config)).await;
        let reason = refused(&mut events).await.reason;
        assert_eq!(reason, "the other end speaks TLS, but not kaa-rpc over it");
    }
}

/// A store that keeps what it is given, and says whether that was anything.
struct Watched {
    kept: rustls::client::ClientSessionMemoryCache,
    tickets: std::sync::atomic::AtomicUsize,
}

impl fmt::Debug for Watched {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Watched")
    }
}

impl rustls::client::ClientSessionStore for Watched {
    fn set_kx_hint(&self, name: ServerName<'static>, group: rustls::NamedGroup) {
        self.kept.set_kx_hint(name, group);
    }

    fn kx_hint(&self, name: &ServerName<'_>) -> Option<rustls::NamedGroup> {
        self.kept.kx_hint(name)
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
        ticket: rustls::client::Tls13ClientSessionValue,
    ) {
        self.tickets.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.kept.insert_tls13_ticket(name, ticket);
    }

    fn take_tls13_ticket(
        &self,
        name: &ServerName<'static>,
    ) -> Option<rustls::client::Tls13ClientSessionValue> {
        self.kept.take_tls13_ticket(name)
    }
}

#[tokio::test]
async fn no_channel_is_resumed() {
    let (server, _events) = server().await;
    let mut config = client_config();
    let store = Arc::new(Watched {
        kept: rustls::client::ClientSessionMemoryCache::new(8),
        tickets: std::sync::atomic::AtomicUsize::new(0),
    });
    config.resumption = rustls::client::Resumption::store(Arc::clone(&store) as _);
    config.enable_early_data = true;
    let config = Arc::new(config);
    for _ in 0..2 {
        let mut channel = connect(&server, &config).await.unwrap();
        assert_ne!(channel.get_ref().1.handshake_kind(), Some(HandshakeKind::Resumed));
        assert!(!channel.get_ref().1.is_early_data_accepted());
        let binding = binding!(channel);
        // Whatever tickets the server had would have come with its half of these.
        prove(&mut channel, Some(binding)).await.unwrap();
    }
    assert_eq!(store.tickets.load(std::sync::atomic::Ordering::Relaxed), 0);
}

#[tokio::test]
async fn our_client_resumes_nothing_where_it_could() {
    // The server gives out tickets, and would know one again.
    let config = server_config(good_key());
    assert!(config.send_tls13_tickets > 0);
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let backoff = kaa_rpc_runtime::Backoff::default().initial(Duration::from_millis(1));
    let address = format!("tls:{}", listener.local_addr().unwrap());
    let _client = client_with(address, |client| client.reconnect(backoff));
    for _ in 0..3 {
        let (stream, _) = within(listener.accept()).await.unwrap();
        let mut channel = within(acceptor.accept(stream)).await.unwrap();
        assert_eq!(
            channel.get_ref().1.handshake_kind().map(|kind| kind == HandshakeKind::Resumed),
            Some(false)
        );
        let mut hello = [0; 3];
        within(channel.read_exact(&mut hello)).await.unwrap();
        assert_eq!(hello[2], 1, "HELLO is the first that comes");
    }
}

/// Whether a half of a channel has ended as such: rustls tells one that was cut by an error.
#[tokio::test]
async fn a_half_ends_with_close_notify() {
    let (server, mut events) = server().await;
    let mut channels = Vec::new();
    for _ in 0..2 {
        let mut channel = connect(&server, &Arc::new(client_config())).await.unwrap();
        let binding = binding!(channel);
        prove(&mut channel, Some(binding)).await.unwrap();
        channels.push(channel);
    }
    let mut ended = channels.pop().unwrap();
    within(ended.shutdown()).await.unwrap();
    assert_eq!(end(&mut events).await, CloseReason::ConnectionLost(None));

    let mut left = channels.pop().unwrap();
    let shutdown = tokio::spawn(async move { within(server.shutdown(Duration::from_secs(60))).await });
    // A Goodbye and a Ping; then the Pong, which lets the server name the last call and end its half.
    within(left.read_exact(&mut [0; 48])).await.unwrap();
    let mut pong = [0; 24];
    (pong[0], pong[4], pong[6]) = (24, 11, 24);
    within(left.write_all(&pong)).await.unwrap();
    let mut rest = Vec::new();
    within(left.read_to_end(&mut rest)).await.expect("an end, and no cut");
    assert_eq!(rest.len(), 24, "the last Goodbye");
    drop(left);
    assert_eq!(shutdown.await.unwrap().aborted, 0);
}
