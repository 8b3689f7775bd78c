//! A secret is replaced while server and clients run.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kaa_rpc_runtime::secret::SecretError;
use kaa_rpc_runtime::transport::Stream;
use kaa_rpc_runtime::{
    AuthenticationError, Backoff, Client, ClientBuilder, CloseReason, ConnectError, KeyId, Outcome, Secret,
    Server, ServerEvent, SetupError,
};
use kaa_rpc_tests::api::workshop::*;
use kaa_rpc_tests::fixture::{SocketDirectory, TestResult, run, until, within};
use kaa_rpc_tests::workshop::Bench;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

fn may() -> TestResult<(KeyId, Secret)> {
    Ok((KeyId::new("may")?, Secret::new(*b"the secret of the month of May")?))
}

fn june() -> TestResult<(KeyId, Secret)> {
    Ok((KeyId::new("june")?, Secret::new(*b"the secret of the month of June")?))
}

async fn serve(directory: &SocketDirectory, (key_id, secret): (KeyId, Secret)) -> TestResult<Server> {
    let workshop = Workshop::server(Bench::default());
    Ok(Server::builder().key(key_id, secret).register(workshop).listen(directory.address()).await?)
}

fn connect(directory: &SocketDirectory, (key_id, secret): (KeyId, Secret)) -> Result<Client, SetupError> {
    Client::builder().key_id(key_id).secret(secret).connect(directory.address())
}

/// Connects a client, and waits until it has finished the handshake.
async fn connected(directory: &SocketDirectory, key: (KeyId, Secret)) -> TestResult<Client> {
    let client = connect(directory, key)?;
    within("the client to be connected", client.ready()).await?;
    Ok(client)
}

/// A client with this key is rejected.
async fn assert_rejected(directory: &SocketDirectory, key: (KeyId, Secret)) -> TestResult {
    let client = connect(directory, key)?;
    let result = within("the handshake to fail", client.ready()).await;
    let rejected = matches!(result, Err(ConnectError::Authentication(AuthenticationError::RejectedByPeer)));
    if rejected { Ok(()) } else { Err(format!("the client was not rejected: {result:?}").into()) }
}

/// Waits until the server has finished the handshakes of `count` clients.
async fn wait_for_peers(server: &Server, count: usize) -> TestResult {
    let mut peers = server.peers();
    for number in 1..=count {
        let peer = within(&format!("the server to have peer {number}"), peers.next()).await;
        peer.ok_or("the server is shut down")?;
    }
    Ok(())
}

#[test]
fn old_and_new_key_both_work_until_the_old_is_removed() -> TestResult {
    run(async {
        let directory = SocketDirectory::new()?;
        let server = serve(&directory, may()?).await?;
        let old = connected(&directory, may()?).await?;
        wait_for_peers(&server, 1).await?;
        assert_rejected(&directory, june()?).await?;

        let (key_id, secret) = june()?;
        assert!(server.insert_key(key_id.clone(), secret).is_none());
        connected(&directory, june()?).await?;
        connected(&directory, may()?).await?;

        assert!(server.remove_key(&may()?.0).is_some());
        assert!(server.remove_key(&may()?.0).is_none());
        connected(&directory, june()?).await?;
        assert_rejected(&directory, may()?).await?;
        // A client that has connected with the removed key stays connected.
        let workshop: WorkshopServerProxy = old.proxy();
        assert_eq!(workshop.add(1, 1).await?, 2);

        // The same key id with another secret is another key.
        assert!(server.insert_key(key_id.clone(), may()?.1).is_some());
        assert_rejected(&directory, june()?).await?;
        connected(&directory, (key_id, may()?.1)).await?;
        Ok(())
    })
}

#[test]
fn close_key_closes_only_connections_of_that_key() -> TestResult {
    run(async {
        let directory = SocketDirectory::new()?;
        let server = serve(&directory, may()?).await?;
        server.insert_key(june()?.0, june()?.1);
        let (old, new) = (connected(&directory, may()?).await?, connected(&directory, june()?).await?);
        wait_for_peers(&server, 2).await?;
        server.remove_key(&may()?.0);
        assert_eq!(server.close_key(&may()?.0), 1);
        let reason = within("the client with the closed key to be closed", old.closed()).await;
        assert!(matches!(reason, CloseReason::ClosedByPeer { .. }), "{reason:?}");
        let workshop: WorkshopServerProxy = new.proxy();
        assert_eq!(workshop.add(1, 1).await?, 2);
        Ok(())
    })
}

/// Forwards one message of the handshake.
async fn forward_message(from: &mut DuplexStream, to: &mut DuplexStream) -> TestResult {
    let length = within("a handshake message", from.read_u16()).await?;
    let mut message = vec![0; usize::from(length)];
    from.read_exact(&mut message).await?;
    to.write_u16(length).await?;
    Ok(to.write_all(&message).await?)
}

#[test]
fn key_removed_during_handshake_rejects_the_client() -> TestResult {
    run(async {
        let directory = SocketDirectory::new()?;
        let (key_id, secret) = may()?;
        let server = serve(&directory, (key_id.clone(), secret.clone())).await?;
        let mut events = server.events();
        let (client_stream, mut to_client) = tokio::io::duplex(1024);
        let (server_stream, mut to_server) = tokio::io::duplex(1024);
        server.accept(Stream::from_io(server_stream, "client"));
        let client = Client::builder()
            .key_id(key_id.clone())
            .secret(secret)
            .connect_stream(Stream::from_io(client_stream, "server"))?;
        forward_message(&mut to_client, &mut to_server).await?;
        forward_message(&mut to_server, &mut to_client).await?;
        // The server has sent its CHALLENGE for this key, and the client has not sent its PROOF.
        server.remove_key(&key_id);
        let relay =
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut to_client, &mut to_server).await });
        let reason = within("the client to be closed", client.closed()).await;
        assert!(
            matches!(reason, CloseReason::ClosedByPeer { .. } | CloseReason::ConnectionLost(_)),
            "{reason}"
        );
        let event = within("the server's Disconnected event", events.next()).await;
        assert!(matches!(event, Some(ServerEvent::Disconnected { .. })), "{event:?}");
        // The relay ends with the connection; whether with an error depends on who closes first.
        let _result = within("the relay to end", relay).await?;
        Ok(())
    })
}

/// A client that reads its secret from a file each time it connects, and counts the reads.
fn client_with_secret_file(path: PathBuf, reads: &Arc<AtomicUsize>) -> ClientBuilder {
    let reads = Arc::clone(reads);
    Client::builder().reconnect(Backoff::default()).secret_source(move || {
        reads.fetch_add(1, Ordering::Relaxed);
        Ok((KeyId::default(), Secret::from_file(&path)?))
    })
}

#[test]
fn reconnecting_client_reads_the_new_secret() -> TestResult {
    run(async {
        let directory = SocketDirectory::new()?;
        let path = directory.file("secret");
        let reads = Arc::default();
        may()?.1.write_new_file(&path)?;
        let key_id = KeyId::default();
        let server = serve(&directory, (key_id.clone(), may()?.1)).await?;
        let mut events = server.events();
        let client = client_with_secret_file(path.clone(), &reads).connect(directory.address())?;
        let workshop: WorkshopServerProxy = client.proxy();
        assert_eq!(workshop.add(1, 1).await?, 2);
        assert_eq!(reads.load(Ordering::Relaxed), 1);

        // The file is renamed into place, so that the client cannot read a part of it.
        june()?.1.write_new_file(directory.file("new"))?;
        std::fs::rename(directory.file("new"), &path)?;
        server.insert_key(key_id.clone(), june()?.1);
        assert_eq!(workshop.add(2, 2).await?, 4, "the old connection still works");
        assert_eq!(server.close_key(&key_id), 1);
        // A call that is made while the connection closes fails, and is not repeated by the client.
        let sum = within("a call on the new connection", async {
            loop {
                match workshop.add(3, 3).await {
                    Err(error) if error.outcome() == Outcome::NotSent => {}
                    answer => break answer,
                }
            }
        });
        assert_eq!(sum.await?, 6);
        assert_eq!(reads.load(Ordering::Relaxed), 2);
        loop {
            match within("the server's second Connected event", events.next()).await {
                Some(ServerEvent::Connected(peer)) if peer.is_connected() => return Ok(()),
                Some(ServerEvent::Refused(refused)) => return Err(refused.reason.into()),
                Some(_) => {}
                None => return Err("the server's events have ended".into()),
            }
        }
    })
}

#[test]
fn failed_secret_source_is_retried() -> TestResult {
    run(async {
        let directory = SocketDirectory::new()?;
        let path = directory.file("secret");
        let missing = path.clone();
        let client = Client::builder()
            .secret_source(move || Ok((KeyId::default(), Secret::from_file(&missing)?)))
            .connect(directory.address())?;
        let ready = within("the client to give up", client.ready()).await;
        let error = ready.err().ok_or("the client is connected")?;
        assert!(error.is_transient(), "{error:?}");
        assert!(
            error.to_string().starts_with("the secret is not available: cannot read the secret in "),
            "{error}"
        );
        let ConnectError::Secret(cause) = &error else { return Err(error.into()) };
        assert!(matches!(**cause, SecretError::Read { .. }));

        let reads: Arc<AtomicUsize> = Arc::default();
        let server = serve(&directory, (KeyId::default(), may()?.1)).await?;
        let client = client_with_secret_file(path.clone(), &reads).connect(directory.address())?;
        until("the client to read the missing file", || reads.load(Ordering::Relaxed) > 0).await;
        may()?.1.write_new_file(&path)?;
        within("the client to be connected", client.ready()).await?;
        assert_eq!(server.refused(), 0);
        Ok(())
    })
}
