//! The effect of faults on bytes, and on calls.

use std::io::ErrorKind;
use std::time::Duration;

use kaa_rpc_runtime::testing::{Cut, Faults, Pair};
use kaa_rpc_runtime::transport::Stream;
use kaa_rpc_runtime::{CallError, Client, CloseReason, Outcome, Secret, Server};
use kaa_rpc_tests::api::epg::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::Instant;

use kaa_rpc_tests::fixture::{until, within, within_paused};

use crate::fakes::{FakeGuide, FakeScreen};

fn wrapped(faults: &Faults) -> (impl AsyncReadExt + AsyncWriteExt + Unpin + Send + 'static, DuplexStream) {
    let (near, far) = tokio::io::duplex(4096);
    (faults.wrap(near), far)
}

async fn read_to_end(mut from: impl AsyncReadExt + Unpin) -> (Vec<u8>, Option<ErrorKind>) {
    let mut bytes = Vec::new();
    let error = within_paused("the end of the bytes", from.read_to_end(&mut bytes)).await.err();
    (bytes, error.map(|error| error.kind()))
}

#[tokio::test(start_paused = true)]
async fn no_faults_change_nothing() {
    let faults = Faults::new();
    let (mut near, mut far) = wrapped(&faults);
    near.write_all(b"there").await.unwrap();
    far.write_all(b"and back").await.unwrap();
    near.shutdown().await.unwrap();
    far.shutdown().await.unwrap();
    assert_eq!(read_to_end(&mut far).await, (b"there".to_vec(), None));
    assert_eq!(read_to_end(&mut near).await, (b"and back".to_vec(), None));
    assert_eq!((faults.outgoing().passed(), faults.incoming().passed()), (5, 8));
    assert_eq!(faults.connections(), 1);
    drop(near);
    assert_eq!(faults.connections(), 0);
}

#[tokio::test(start_paused = true)]
async fn cut_happens_after_the_given_byte_in_each_direction() {
    for at in 0..=10 {
        for (how, read, written) in [
            (Cut::Closed, None, ErrorKind::BrokenPipe),
            (Cut::Reset, Some(ErrorKind::ConnectionReset), ErrorKind::ConnectionReset),
        ] {
            for delay in [0, 20] {
                let faults = Faults::new();
                faults.outgoing().cut_after(at, how).delay(Duration::from_secs(delay));
                let (mut near, far) = wrapped(&faults);
                let mut writing = near.write_all(b"ten bytes!").await;
                if writing.is_ok() {
                    writing = within_paused("the first flush", near.flush()).await;
                }
                if writing.is_ok() {
                    let flushed = near.write_all(b"more").await;
                    writing = flushed.and(within_paused("the second flush", near.flush()).await);
                }
                let case = format!("{how:?} after {at} bytes, {delay} s late");
                assert_eq!(writing.unwrap_err().kind(), written, "{case}");
                assert_eq!(read_to_end(&mut near).await, (Vec::new(), read), "{case}");
                assert_eq!(read_to_end(far).await.0.len() as u64, at, "{case}");

                let faults = Faults::new();
                faults.incoming().cut_after(at, how).delay(Duration::from_secs(delay));
                let (mut near, mut far) = wrapped(&faults);
                far.write_all(b"ten bytes and more").await.unwrap();
                let (bytes, error) = read_to_end(&mut near).await;
                assert_eq!((bytes.len() as u64, error), (at, read), "{case}");
                assert_eq!(near.write_all(b"x").await.unwrap_err().kind(), written, "{case}");
                assert!(far.write_all(b"x").await.is_err(), "{case}: the other end can still write");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn cut_happens_once_and_wakes_pending_reads() {
    let faults = Faults::new();
    let (mut near, mut far) = wrapped(&faults);
    let reading = tokio::spawn(async move { near.read_u8().await.map_err(|error| error.kind()) });
    tokio::task::yield_now().await;
    faults.cut();
    let read = within_paused("the pending read to fail", reading).await;
    assert_eq!(read.unwrap(), Err(ErrorKind::ConnectionReset));
    assert_eq!(far.read(&mut [0]).await.unwrap(), 0);

    let (mut near, mut far) = wrapped(&faults);
    let reading = tokio::spawn(async move { near.read_u8().await.map_err(|error| error.kind()) });
    tokio::task::yield_now().await;
    faults.outgoing().cut_after(0, Cut::Closed);
    let read = within_paused("the pending read to end", reading).await;
    assert_eq!(read.unwrap(), Err(ErrorKind::UnexpectedEof), "the cut needs no further byte");
    assert_eq!(far.read(&mut [0]).await.unwrap(), 0);

    let (near, far) = wrapped(&faults);
    let (mut reader, mut writer) = tokio::io::split(near);
    let reading = tokio::spawn(async move { reader.read_u8().await.map_err(|error| error.kind()) });
    tokio::task::yield_now().await;
    faults.outgoing().cut_after(3, Cut::Reset);
    writer.write_all(b"three").await.unwrap_err();
    let read = within_paused("the pending read in the other direction to fail", reading).await;
    assert_eq!(read.unwrap(), Err(ErrorKind::ConnectionReset));
    assert_eq!(read_to_end(far).await.0, b"thr");

    let (mut near, mut far) = wrapped(&faults);
    near.write_all(b"lives").await.unwrap();
    far.read_exact(&mut [0; 5]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn delay_keeps_the_order_of_bytes() {
    let faults = Faults::new();
    faults.outgoing().delay(Duration::from_secs(10));
    faults.incoming().delay(Duration::from_secs(100));
    let (near, mut far) = wrapped(&faults);
    let (mut reader, mut writer) = tokio::io::split(near);
    let start = Instant::now();
    let echo = tokio::spawn(async move {
        for _ in 0..3 {
            let byte = far.read_u8().await.unwrap();
            far.write_u8(byte).await.unwrap();
        }
    });
    let writing = tokio::spawn(async move {
        for byte in 0..3 {
            writer.write_u8(byte).await.unwrap();
            writer.flush().await.unwrap();
        }
        writer
    });
    for byte in 0..3 {
        assert_eq!(within_paused("a delayed byte", reader.read_u8()).await.unwrap(), byte);
        assert_eq!(start.elapsed().as_secs(), 110 + 10 * u64::from(byte));
    }
    within_paused("the echo task", echo).await.unwrap();
    within_paused("the writing task", writing).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn delayed_bytes_arrive_after_a_drop_but_not_after_a_cut() {
    for with_cut in [false, true] {
        let faults = Faults::new();
        faults.outgoing().delay(Duration::from_secs(10));
        let (mut near, far) = wrapped(&faults);
        near.write_all(b"late").await.unwrap();
        let start = Instant::now();
        if with_cut {
            faults.cut();
        }
        drop(near);
        let expected: &[u8] = if with_cut { b"" } else { b"late" };
        assert_eq!(read_to_end(far).await.0, expected);
        assert_eq!(start.elapsed().as_secs(), if with_cut { 0 } else { 10 });
    }
}

#[tokio::test(start_paused = true)]
async fn rate_limits_bytes_per_second() {
    for rate in [1, 10, 1000] {
        let faults = Faults::new();
        faults.outgoing().rate(rate);
        let (mut near, far) = wrapped(&faults);
        let start = Instant::now();
        let bytes = vec![7; 4 * rate as usize];
        within_paused("the limited writes", near.write_all(&bytes)).await.unwrap();
        assert!((3..=4).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
        drop(near);
        assert_eq!(read_to_end(far).await.0, bytes);
        let faults = Faults::new();
        faults.incoming().rate(rate);
        let (mut near, mut far) = wrapped(&faults);
        far.write_all(&bytes).await.unwrap();
        let start = Instant::now();
        within_paused("the limited reads", near.read_exact(&mut vec![0; bytes.len()])).await.unwrap();
        assert!((3..=4).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn stall_holds_both_directions_until_resumed() {
    let faults = Faults::new();
    let (near, mut far) = wrapped(&faults);
    let (mut reader, mut writer) = tokio::io::split(near);
    faults.stall();
    far.write_u8(1).await.unwrap();
    let reading = tokio::spawn(async move { reader.read_u8().await.unwrap() });
    let writing = tokio::spawn(async move {
        writer.write_u8(2).await.unwrap();
        writer
    });
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert!(!reading.is_finished() && !writing.is_finished());
    faults.resume();
    assert_eq!(within_paused("the stalled read", reading).await.unwrap(), 1);
    assert_eq!(within_paused("the stalled byte", far.read_u8()).await.unwrap(), 2);
    within_paused("the stalled write", writing).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn stall_happens_after_the_given_byte() {
    for delay in [0, 5] {
        let faults = Faults::new();
        faults.outgoing().stall_after(3).delay(Duration::from_secs(delay));
        faults.incoming().stall_after(2).delay(Duration::from_secs(delay));
        let (near, mut far) = wrapped(&faults);
        let (mut reader, mut writer) = tokio::io::split(near);
        far.write_all(b"back").await.unwrap();
        let reading = tokio::spawn(async move {
            let mut bytes = [0; 4];
            reader.read_exact(&mut bytes).await.unwrap();
            bytes
        });
        let writing = tokio::spawn(async move {
            writer.write_all(b"there").await.unwrap();
            writer.flush().await.unwrap();
            writer
        });
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert!(!reading.is_finished() && !writing.is_finished());
        assert_eq!((faults.outgoing().passed(), faults.incoming().passed()), (3, 2));
        faults.resume();
        assert_eq!(&within_paused("the stalled read", reading).await.unwrap(), b"back");
        within_paused("the stalled write", writing).await.unwrap();
        let mut bytes = [0; 5];
        within_paused("the stalled bytes", far.read_exact(&mut bytes)).await.unwrap();
        assert_eq!(&bytes, b"there");
    }
}

#[tokio::test(start_paused = true)]
async fn session_works_in_single_byte_chunks() {
    let faults = Faults::new();
    faults.outgoing().chunks(1);
    faults.incoming().chunks(1);
    let (screen, mut syncs) = FakeScreen::new();
    let pair = Pair::builder()
        .register(Epg::server(FakeGuide::default()))
        .register(Epg::client(screen))
        .capacity(1)
        .faults(&faults)
        .connect()
        .await
        .unwrap();
    let epg: EpgServerProxy = pair.proxy();
    assert_eq!(within_paused("the update", epg.update()).await, Ok(1));
    assert_eq!(within_paused("`on_sync`", syncs.recv()).await, Some(1));
    let long = "x".repeat(63);
    let call = epg.get_keywords(KeywordOptions::default().prefix(long.clone()));
    assert_eq!(within_paused("a long call", call).await, Ok(vec![format!("{long}!")]));
}

#[tokio::test(start_paused = true)]
async fn call_takes_the_latency_of_both_directions() {
    let faults = Faults::new();
    let pair = Pair::builder().register(Epg::server(FakeGuide::default())).faults(&faults);
    let pair = pair.connect().await.unwrap();
    faults.outgoing().delay(Duration::from_secs(3));
    faults.incoming().delay(Duration::from_secs(4));
    let epg: EpgServerProxy = pair.proxy();
    let start = Instant::now();
    let (one, other) = tokio::join!(
        epg.get_keywords(KeywordOptions::default()),
        epg.get_keywords(KeywordOptions::default())
    );
    assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
    assert_eq!(start.elapsed().as_secs(), 7, "concurrent calls share the latency");
}

#[tokio::test(start_paused = true)]
async fn stalled_call_continues_after_resume() {
    let faults = Faults::new();
    let pair = Pair::builder().register(Epg::server(FakeGuide::default())).faults(&faults);
    let pair = pair.connect().await.unwrap();
    let epg: EpgServerProxy = pair.proxy();
    faults.outgoing().stall();
    let call = tokio::spawn(epg.get_keywords(KeywordOptions::default()));
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert!(!call.is_finished());
    faults.outgoing().resume();
    let result = within_paused("the stalled call", call).await.unwrap();
    assert!(result.is_ok(), "{result:?}");
    faults.outgoing().cut_after(10, Cut::Reset);
    let call = epg.get_keywords(KeywordOptions::default());
    let error = within_paused("the call to fail", call).await.unwrap_err();
    assert!(matches!(error, CallError::Disconnected { .. }), "{error}");
    assert_eq!(error.outcome(), Outcome::Unknown);
}

/// In real time: paused time would advance while bytes are in the socket.
#[tokio::test]
async fn faults_work_on_sockets() {
    let faults = Faults::new();
    faults.outgoing().chunks(3);
    let (near, far) = tokio::net::UnixStream::pair().unwrap();
    let secret = Secret::generate().unwrap();
    let server = Server::builder().secret(secret.clone()).register(Epg::server(FakeGuide::default()));
    let server = server.start().unwrap();
    server.accept(Stream::from_io(far, "the client"));
    let client = Client::builder().secret(secret);
    let client = client.connect_stream(Stream::from_io(faults.wrap(near), "the server")).unwrap();
    let epg: EpgServerProxy = client.proxy();
    within("a call", epg.get_keywords(KeywordOptions::default())).await.unwrap();
    let call = tokio::spawn(epg.get_keywords(KeywordOptions::default().prefix("wait")));
    let peer = within("the server to have a peer", server.peers().next()).await.unwrap();
    until("the handler to run", || peer.running_handlers() > 0).await;
    faults.cut();
    let error = within("the call to fail", call).await.unwrap().unwrap_err();
    assert_eq!(error.outcome(), Outcome::Unknown);
    let reason = within("the server to close the connection", peer.closed()).await;
    assert!(matches!(reason, CloseReason::ConnectionLost(_)), "{reason:?}");
}
