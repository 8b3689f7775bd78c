//! What a driver does with a stream, in its simplest form.

use std::future::poll_fn;
use std::io::{self, IoSlice};

use bytes::BytesMut;
use kaa_rpc_runtime::transport::{Address, ConnectOptions, ListenOptions, Listener, Stream, connect};

pub(crate) async fn write_all(stream: &Stream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match stream.try_write_vectored(&[IoSlice::new(bytes)]) {
            Ok(written) => bytes = &bytes[written..],
            Err(error) => writable(stream, error).await?,
        }
    }
    while let Err(error) = stream.try_flush() {
        writable(stream, error).await?;
    }
    Ok(())
}

pub(crate) async fn writable(stream: &Stream, error: io::Error) -> io::Result<()> {
    if error.kind() != io::ErrorKind::WouldBlock {
        return Err(error);
    }
    poll_fn(|context| stream.poll_write_ready(context)).await
}

/// Reads once; 0 is the end.
pub(crate) async fn read(stream: &Stream, buffer: &mut BytesMut) -> io::Result<usize> {
    loop {
        match stream.try_read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                poll_fn(|context| stream.poll_read_ready(context)).await?;
            }
            result => return result,
        }
    }
}

pub(crate) async fn read_to_end(stream: &Stream) -> io::Result<BytesMut> {
    let mut buffer = BytesMut::new();
    while read(stream, &mut buffer).await? > 0 {}
    Ok(buffer)
}

pub(crate) async fn bind(address: &Address) -> Listener {
    Listener::bind(address, &ListenOptions::new()).await.unwrap()
}

/// Connects and exchanges a word each way: proof that somebody listens and that both ends are each other's.
pub(crate) async fn converse(listener: &Listener, address: &Address) -> (Stream, Stream) {
    let options = ConnectOptions::new();
    let accepting = async { listener.accept().await.unwrap().secure().await };
    let (accepted, connected) = tokio::join!(accepting, connect(address, &options));
    let (accepted, connected) = (accepted.unwrap(), connected.unwrap());
    for (from, to) in [(&accepted, &connected), (&connected, &accepted)] {
        write_all(from, b"hello").await.unwrap();
        let mut buffer = BytesMut::new();
        while buffer.len() < 5 {
            assert_ne!(read(to, &mut buffer).await.unwrap(), 0);
        }
        assert_eq!(buffer, "hello");
    }
    (accepted, connected)
}
