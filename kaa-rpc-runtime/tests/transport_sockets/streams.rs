//! Every kind of stream behaves alike: nothing is lost, also if a future is dropped before it is ready.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::BytesMut;
use kaa_rpc_runtime::transport::{Address, PeerAddress, Stream, pair};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use kaa_rpc_test_support::byte_streams::{
    bind, connect_and_greet, flush, read, read_exactly, read_to_end, shutdown_write, write_all,
};
use kaa_rpc_test_support::waiting::{eventually, within};

/// A connected pair of each kind, by name.
async fn every_kind() -> Vec<(&'static str, Stream, Stream)> {
    let directory = tempfile::tempdir().unwrap();
    let unix = Address::Unix(directory.path().join("s"));
    let listener = bind(&unix).await;
    let (unix_server, unix_client) = connect_and_greet(&listener, &unix).await;
    let listener = bind(&"tcp:localhost:0".parse().unwrap()).await;
    let (tcp_server, tcp_client) = connect_and_greet(&listener, listener.local_address()).await;
    let (one, other) = pair(1000);
    let (tight, tighter) = pair(1);
    let (slow, slower) = tokio::io::duplex(700);
    vec![
        ("unix", unix_server, unix_client),
        ("tcp", tcp_server, tcp_client),
        ("memory", one, other),
        ("memory of one byte", tight, tighter),
        (
            "buffered",
            Stream::from_io(tokio::io::BufStream::new(slow), "slow"),
            Stream::from_io(slower, "slower"),
        ),
    ]
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from(at * 7 % 251).unwrap()).collect()
}

#[tokio::test]
async fn large_transfers_run_in_both_directions() {
    for (kind, one, other) in every_kind().await {
        let length = if kind.ends_with("one byte") { 20_000 } else { 3_000_000 };
        let sent = pattern(length);
        let half = |from: Arc<Stream>, to: Arc<Stream>| {
            let sent = sent.clone();
            async move {
                let writing = tokio::spawn(async move {
                    write_all(&from, &sent).await.unwrap();
                    shutdown_write(&from).await.unwrap();
                });
                let received = read_to_end(&to).await.unwrap();
                within("the writer to end", writing).await.unwrap();
                received
            }
        };
        let (one, other) = (Arc::new(one), Arc::new(other));
        let there = half(Arc::clone(&one), Arc::clone(&other));
        let back = half(Arc::clone(&other), Arc::clone(&one));
        let both = async { tokio::join!(there, back) };
        let (there, back) = within(&format!("the transfers over {kind}"), both).await;
        assert!(there == sent[..] && back == sent[..], "{kind}");
    }
}

#[tokio::test]
async fn dropped_read_futures_lose_nothing() {
    for (kind, one, other) in every_kind().await {
        let sent = pattern(5000);
        let writer = async {
            for piece in sent.chunks(37) {
                write_all(&one, piece).await.unwrap();
                tokio::task::yield_now().await;
            }
        };
        let reader = async {
            let mut received = BytesMut::new();
            while received.len() < sent.len() {
                // If the yield comes first, the reading future is dropped.
                tokio::select! {
                    biased;
                    result = read(&other, &mut received) => assert_ne!(result.unwrap(), 0, "{kind}"),
                    () = tokio::task::yield_now() => {}
                }
            }
            received
        };
        let ((), received) = tokio::join!(writer, reader);
        assert!(received == sent[..], "{kind}");
    }
}

#[tokio::test]
async fn failed_attempts_transfer_nothing() {
    for (kind, one, other) in every_kind().await {
        let mut buffer = BytesMut::from("kept");
        assert_eq!(other.try_read(&mut buffer).unwrap_err().kind(), io::ErrorKind::WouldBlock, "{kind}");
        assert_eq!(buffer, "kept");
        // Until nothing more is taken: all that was reported as written must arrive.
        let chunk = pattern(100_000);
        let mut sent = Vec::new();
        loop {
            match one.try_write_vectored(&[IoSlice::new(b""), IoSlice::new(&chunk)]) {
                Ok(written) => sent.extend_from_slice(&chunk[..written]),
                Err(error) => {
                    assert_eq!(error.kind(), io::ErrorKind::WouldBlock, "{kind}");
                    break;
                }
            }
        }
        assert!(!sent.is_empty(), "{kind}");
        let flush = async {
            flush(&one).await.unwrap();
        };
        let receive = async { read_exactly(&other, sent.len()).await.unwrap() };
        let ((), received) = tokio::join!(flush, receive);
        assert!(received == sent[..], "{kind}");
    }
}

#[tokio::test]
async fn vectored_writes_keep_their_order() {
    for (kind, one, other) in every_kind().await {
        let parts = [&b"one "[..], b"", b"two ", b"three"];
        let mut sent = Vec::new();
        let mut rest: &mut [IoSlice<'_>] = &mut parts.map(IoSlice::new);
        let mut received = BytesMut::new();
        while sent.len() < 13 || received.len() < 13 {
            if sent.len() < 13
                && let Ok(written) = one.try_write_vectored(rest)
            {
                sent.resize(sent.len() + written, 0);
                IoSlice::advance_slices(&mut rest, written);
            }
            let _ = one.try_flush();
            let _ = other.try_read(&mut received);
            tokio::task::yield_now().await;
        }
        assert_eq!(received, "one two three", "{kind}");
    }
}

#[tokio::test]
async fn half_closed_stream_still_reads() {
    for (kind, one, other) in every_kind().await {
        let closing = async {
            write_all(&one, b"a request").await.unwrap();
            shutdown_write(&one).await.unwrap();
            assert_eq!(read_exactly(&one, 9).await.unwrap(), "an answer", "{kind}");
        };
        let answering = async {
            assert_eq!(read_to_end(&other).await.unwrap(), "a request", "{kind}");
            write_all(&other, b"an answer").await.unwrap();
        };
        tokio::join!(closing, answering);
    }
}

#[tokio::test]
async fn dropping_peer_ends_stream() {
    for (kind, one, other) in every_kind().await {
        drop(one);
        assert_eq!(read_to_end(&other).await.unwrap(), "", "{kind}");
    }
}

#[tokio::test]
async fn reader_and_writer_wait_independently() {
    for (kind, one, other) in every_kind().await {
        let (one, other) = (Arc::new(one), Arc::new(other));
        // `one` waits in both directions at once: it receives nothing, and its peer reads nothing.
        let waiting = tokio::spawn({
            let one = Arc::clone(&one);
            async move { read(&one, &mut BytesMut::new()).await.unwrap() }
        });
        tokio::task::yield_now().await;
        let chunk = pattern(100_000);
        let mut sent = 0;
        while let Ok(written) = one.try_write_vectored(&[IoSlice::new(&chunk)]) {
            sent += written;
        }
        let writable = tokio::spawn({
            let one = Arc::clone(&one);
            async move { poll_fn(|context| one.poll_write_ready(context)).await.unwrap() }
        });
        tokio::task::yield_now().await;
        assert!(!writable.is_finished(), "{kind}: a full stream may be written to");
        assert!(!waiting.is_finished(), "{kind}: an empty stream was read");
        let mut received = BytesMut::new();
        while received.len() < sent && !writable.is_finished() {
            read(&other, &mut received).await.unwrap();
            tokio::task::yield_now().await;
        }
        within("the stream to take bytes", writable).await.unwrap();
        assert!(!waiting.is_finished(), "{kind}: an empty stream was read");
        write_all(&other, b"!").await.unwrap();
        assert_eq!(within("the reader", waiting).await.unwrap(), 1, "{kind}");
    }
}

/// A stream that always has bytes to read.
struct Endless;

impl AsyncRead for Endless {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        buffer.put_slice(b"x");
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Endless {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::ErrorKind::NotConnected.into()))
    }
}

#[tokio::test]
async fn endless_stream_does_not_starve_others() {
    let stream = Stream::from_io(Endless, "endless");
    let count = Arc::new(AtomicUsize::new(0));
    let reading = tokio::spawn({
        let count = Arc::clone(&count);
        async move {
            let mut buffer = BytesMut::new();
            loop {
                poll_fn(|context| stream.poll_read_ready(context)).await.unwrap();
                count.fetch_add(stream.try_read(&mut buffer).unwrap(), Ordering::Relaxed);
                buffer.clear();
            }
        }
    });
    // On this runtime with one thread, this ends only if the reader yields, and is polled again.
    eventually("the reader to read", || count.load(Ordering::Relaxed), |count| *count >= 10_000).await;
    reading.abort();
}

#[tokio::test]
async fn errors_of_wrapped_stream_are_returned() {
    let stream = Stream::from_io(Endless, "endless");
    assert_eq!(stream.shutdown_write().unwrap_err().kind(), io::ErrorKind::NotConnected);
    assert_eq!(stream.peer_address(), &PeerAddress::Other("endless".into()));
    assert_eq!(stream.peer_address().to_string(), "endless");
    assert_eq!(stream.peer_credentials(), None);
    assert_eq!(pair(1).0.peer_address().to_string(), "memory");
}
