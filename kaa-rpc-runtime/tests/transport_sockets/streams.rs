//! Every kind of stream behaves alike: nothing is lost, whatever is dropped half-way.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use kaa_rpc_runtime::transport::{Address, PeerAddress, Stream, pair};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::talk::{bind, converse, read, read_to_end, write_all};

/// A connected pair of each kind, by name.
async fn every_kind() -> Vec<(&'static str, Stream, Stream)> {
    let directory = tempfile::tempdir().unwrap();
    let unix = Address::Unix(directory.path().join("s"));
    let listener = bind(&unix).await;
    let (unix_server, unix_client) = converse(&listener, &unix).await;
    let listener = bind(&"tcp:localhost:0".parse().unwrap()).await;
    let (tcp_server, tcp_client) = converse(&listener, listener.local_address()).await;
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
async fn both_directions_carry_more_than_fits_at_once() {
    for (kind, one, other) in every_kind().await {
        let length = if kind.ends_with("one byte") { 20_000 } else { 3_000_000 };
        let sent = pattern(length);
        let half = |from: Arc<Stream>, to: Arc<Stream>| {
            let sent = sent.clone();
            async move {
                let writing = tokio::spawn(async move {
                    write_all(&from, &sent).await.unwrap();
                    while let Err(error) = from.shutdown_write() {
                        crate::talk::writable(&from, error).await.unwrap();
                    }
                });
                let received = read_to_end(&to).await.unwrap();
                writing.await.unwrap();
                received
            }
        };
        let (one, other) = (Arc::new(one), Arc::new(other));
        let there = half(Arc::clone(&one), Arc::clone(&other));
        let back = half(Arc::clone(&other), Arc::clone(&one));
        let (there, back) =
            tokio::time::timeout(Duration::from_secs(60), async { tokio::join!(there, back) })
                .await
                .unwrap_or_else(|_| panic!("{kind} stalls"));
        assert!(there == sent[..] && back == sent[..], "{kind}");
    }
}

#[tokio::test]
async fn a_reader_that_is_dropped_again_and_again_loses_nothing() {
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
                // Whichever comes first; the reading future is dropped when it is the yield.
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
async fn a_try_does_not_wait_and_takes_nothing_when_it_fails() {
    for (kind, one, other) in every_kind().await {
        let mut buffer = BytesMut::from("kept");
        assert_eq!(other.try_read(&mut buffer).unwrap_err().kind(), io::ErrorKind::WouldBlock, "{kind}");
        assert_eq!(buffer, "kept");
        // Until nothing more is taken; a writer that is dropped here has lost nothing that it was told was written.
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
            while let Err(error) = one.try_flush() {
                crate::talk::writable(&one, error).await.unwrap();
            }
        };
        let receive = async {
            let mut received = BytesMut::new();
            while received.len() < sent.len() {
                assert_ne!(read(&other, &mut received).await.unwrap(), 0);
            }
            received
        };
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
async fn a_half_closed_stream_still_reads() {
    for (kind, one, other) in every_kind().await {
        let closing = async {
            write_all(&one, b"last words").await.unwrap();
            while let Err(error) = one.shutdown_write() {
                crate::talk::writable(&one, error).await.unwrap();
            }
            let mut answer = BytesMut::new();
            while answer.len() < 9 {
                assert_ne!(read(&one, &mut answer).await.unwrap(), 0, "{kind}");
            }
            assert_eq!(answer, "an answer", "{kind}");
        };
        let answering = async {
            assert_eq!(read_to_end(&other).await.unwrap(), "last words", "{kind}");
            write_all(&other, b"an answer").await.unwrap();
        };
        tokio::join!(closing, answering);
    }
}

#[tokio::test]
async fn the_end_is_told_when_the_peer_is_dropped() {
    for (kind, one, other) in every_kind().await {
        drop(one);
        assert_eq!(read_to_end(&other).await.unwrap(), "", "{kind}");
    }
}

#[tokio::test]
async fn a_reader_and_a_writer_wait_each_for_their_own() {
    for (kind, one, other) in every_kind().await {
        let (one, other) = (Arc::new(one), Arc::new(other));
        // `one` waits in both directions at once: to read, where nothing comes, and to write, where nothing is taken.
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
        assert!(!writable.is_finished() && !waiting.is_finished(), "{kind}");
        let mut received = BytesMut::new();
        while received.len() < sent && !writable.is_finished() {
            read(&other, &mut received).await.unwrap();
            tokio::task::yield_now().await;
        }
        writable.await.unwrap();
        assert!(!waiting.is_finished(), "{kind}");
        write_all(&other, b"!").await.unwrap();
        assert_eq!(waiting.await.unwrap(), 1, "{kind}");
    }
}

/// A stream that always has something to say.
struct Chatter;

impl AsyncRead for Chatter {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        buffer.put_slice(b"x");
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Chatter {
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
async fn a_peer_that_never_stops_does_not_starve_others() {
    let stream = Stream::from_io(Chatter, "chatter");
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
    // On this one-threaded runtime, this goes on only if the reader lets go of its turn, and succeeds only if the reader
    // gets it back.
    let mut turns = 0;
    while count.load(Ordering::Relaxed) < 10_000 {
        turns += 1;
        assert!(turns < 100_000, "the reader sleeps");
        tokio::task::yield_now().await;
    }
    reading.abort();
}

#[tokio::test]
async fn errors_of_the_stream_beneath_come_through() {
    let stream = Stream::from_io(Chatter, "chatter");
    assert_eq!(stream.shutdown_write().unwrap_err().kind(), io::ErrorKind::NotConnected);
    assert_eq!(stream.peer_address(), &PeerAddress::Other("chatter".into()));
    assert_eq!(stream.peer_address().to_string(), "chatter");
    assert_eq!(stream.peer_credentials(), None);
    assert_eq!(pair(1).0.peer_address().to_string(), "memory");
}
