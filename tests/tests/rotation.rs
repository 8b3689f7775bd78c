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
use kaa_rpc_tests::fixture::{Place, TestResult, run};
use kaa_rpc_tests::workshop::Bench;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

fn may() -> TestResult<(KeyId, Secret)> {
    Ok((KeyId::new("may")?, Secret::new(*b"the secret of the month of May")?))
}

fn june() -> TestResult<(KeyId, Secret)> {
    Ok((KeyId::new("june")?, Secret::new(*b"the secret of the month of June")?))
}

async fn serve(place: &Place, (key_id, secret): (KeyId, Secret)) -> TestResult<Server> {
    let workshop = Workshop::server(Bench::default());
    Ok(Server::builder().key(key_id, secret).register(workshop).listen(place.address()).await?)
}

fn connect(place: &Place, (key_id, secret): (KeyId, Secret)) -> Result<Client, SetupError> {
    Client::builder().key_id(key_id).secret(secret).connect(place.address())
}

fn is_rejected(result: &Result<(), ConnectError>) -> bool {
    matches!(result, Err(ConnectError::Authentication(AuthenticationError::RejectedByPeer)))
}

/// Waits until the server, too, is done with the handshakes of so many.
async fn wait_for_peers(server: &Server, count: usize) -> TestResult {
    let mut peers = server.peers();
    for _ in 0..count {
        peers.next().await.ok_or("the server is shut down")?;
    }
    Ok(())
}

#[test]
fn old_and_new_are_valid_together_then_only_the_new() -> TestResult {
    run(async {
        let place = Place::new()?;
        let server = serve(&place, may()?).await?;
        let old = connect(&place, may()?)?;
        old.ready().await?;
        wait_for_peers(&server, 1).await?;
        assert!(is_rejected(&connect(&place, june()?)?.ready().await), "nobody has accepted it yet");

        let (key_id, secret) = june()?;
        assert!(server.insert_key(key_id.clone(), secret).is_none());
        connect(&place, june()?)?.ready().await?;
        connect(&place, may()?)?.ready().await?;

        assert!(server.remove_key(&may()?.0).is_some());
        assert!(server.remove_key(&may()?.0).is_none());
        connect(&place, june()?)?.ready().await?;
        assert!(is_rejected(&connect(&place, may()?)?.ready().await), "it was removed");
        // Who is there stays.
        let workshop: WorkshopServerProxy = old.proxy();
        assert_eq!(workshop.add(1, 1).await?, 2);

        // The same id with another secret is another key.
        assert!(server.insert_key(key_id.clone(), may()?.1).is_some());
        assert!(is_rejected(&connect(&place, june()?)?.ready().await), "it was replaced");
        connect(&place, (key_id, may()?.1))?.ready().await?;
        Ok(())
    })
}

#[test]
fn connections_of_one_key_are_closed_and_no_others() -> TestResult {
    run(async {
        let place = Place::new()?;
        let server = serve(&place, may()?).await?;
        server.insert_key(june()?.0, june()?.1);
        let (old, new) = (connect(&place, may()?)?, connect(&place, june()?)?);
        old.ready().await?;
        new.ready().await?;
        wait_for_peers(&server, 2).await?;
        server.remove_key(&may()?.0);
        assert_eq!(server.close_key(&may()?.0), 1);
        assert!(matches!(old.closed().await, CloseReason::ClosedByPeer { .. }));
        let workshop: WorkshopServerProxy = new.proxy();
        assert_eq!(workshop.add(1, 1).await?, 2);
        Ok(())
    })
}

/// Passes on one message of the handshake.
async fn pass_on(from: &mut DuplexStream, to: &mut DuplexStream) -> TestResult {
    let length = from.read_u16().await?;
    let mut message = vec![0; usize::from(length)];
    from.read_exact(&mut message).await?;
    to.write_u16(length).await?;
    Ok(to.write_all(&message).await?)
}

#[test]
fn a_key_that_is_removed_during_a_handshake_lets_nobody_in() -> TestResult {
    run(async {
        let place = Place::new()?;
        let (key_id, secret) = may()?;
        let server = serve(&place, (key_id.clone(), secret.clone())).await?;
        let mut events = server.events();
        let (client_end, mut near) = tokio::io::duplex(1024);
        let (server_end, mut far) = tokio::io::duplex(1024);
        server.accept(Stream::from_io(server_end, "client"));
        let client = Client::builder()
            .key_id(key_id.clone())
            .secret(secret)
            .connect_stream(Stream::from_io(client_end, "server"))?;
        pass_on(&mut near, &mut far).await?;
        pass_on(&mut far, &mut near).await?;
        // What is proved now was asked for when it still counted.
        server.remove_key(&key_id);
        let relay = tokio::spawn(async move { tokio::io::copy_bidirectional(&mut near, &mut far).await });
        let reason = client.closed().await;
        assert!(
            matches!(reason, CloseReason::ClosedByPeer { .. } | CloseReason::ConnectionLost(_)),
            "{reason}"
        );
        let event = events.next().await;
        assert!(matches!(event, Some(ServerEvent::Disconnected { .. })), "{event:?}");
        // It broke off with the server, as it should.
        let _broken = relay.await?;
        Ok(())
    })
}

/// A file with a secret that its client reads again and again.
fn reader(path: PathBuf, reads: &Arc<AtomicUsize>) -> ClientBuilder {
    let reads = Arc::clone(reads);
    Client::builder().reconnect(Backoff::default()).secret_source(move || {
        reads.fetch_add(1, Ordering::Relaxed);
        Ok((KeyId::default(), Secret::from_file(&path)?))
    })
}

#[test]
fn a_client_that_connects_again_takes_up_the_new_secret() -> TestResult {
    run(async {
        let place = Place::new()?;
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("secret");
        let reads = Arc::default();
        may()?.1.write_new_file(&path)?;
        let key_id = KeyId::default();
        let server = serve(&place, (key_id.clone(), may()?.1)).await?;
        let mut events = server.events();
        let client = reader(path.clone(), &reads).connect(place.address())?;
        let workshop: WorkshopServerProxy = client.proxy();
        assert_eq!(workshop.add(1, 1).await?, 2);
        assert_eq!(reads.load(Ordering::Relaxed), 1);

        // The file is replaced under its name, so that nobody finds half of it.
        june()?.1.write_new_file(folder.path().join("new"))?;
        std::fs::rename(folder.path().join("new"), &path)?;
        server.insert_key(key_id.clone(), june()?.1);
        assert_eq!(workshop.add(2, 2).await?, 4, "the old connection is as good as it was");
        assert_eq!(server.close_key(&key_id), 1);
        // A call may have left as the connection was closed, and is not sent again unasked.
        let sum = loop {
            match workshop.add(3, 3).await {
                Err(error) if error.outcome() == Outcome::NotSent => {}
                answer => break answer?,
            }
        };
        assert_eq!(sum, 6);
        assert_eq!(reads.load(Ordering::Relaxed), 2);
        while let Some(event) = events.next().await {
            match event {
                ServerEvent::Connected(peer) if peer.is_connected() => break,
                ServerEvent::Refused(refused) => return Err(refused.reason.into()),
                _ => {}
            }
        }
        Ok(())
    })
}

#[test]
fn where_the_source_fails_another_try_is_made() -> TestResult {
    run(async {
        let place = Place::new()?;
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("secret");
        let missing = path.clone();
        let client = Client::builder()
            .secret_source(move || Ok((KeyId::default(), Secret::from_file(&missing)?)))
            .connect(place.address())?;
        let error = client.ready().await.err().ok_or("it is connected")?;
        assert!(error.is_transient());
        assert!(
            error.to_string().starts_with("the secret is not available: cannot read the secret in "),
            "{error}"
        );
        let ConnectError::Secret(cause) = &error else { return Err(error.into()) };
        assert!(matches!(**cause, SecretError::Read { .. }));

        let reads = Arc::default();
        let server = serve(&place, (KeyId::default(), may()?.1)).await?;
        let client = reader(path.clone(), &reads).connect(place.address())?;
        while reads.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        may()?.1.write_new_file(&path)?;
        client.ready().await?;
        assert_eq!(server.refused(), 0);
        Ok(())
    })
}
