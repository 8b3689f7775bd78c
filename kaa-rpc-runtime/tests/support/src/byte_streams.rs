//! The transport's streams as a driver uses them, in the simplest form.

use std::future::poll_fn;
use std::io::{self, IoSlice};

use bytes::BytesMut;
use kaa_rpc_runtime::transport::{Address, ConnectOptions, ListenOptions, Listener, Stream, connect};

use crate::waiting::within;

/// Writes and flushes all bytes.
pub async fn write_all(stream: &Stream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match stream.try_write_vectored(&[IoSlice::new(bytes)]) {
            Ok(written) => bytes = &bytes[written..],
            Err(error) => writable(stream, error).await?,
        }
    }
    flush(stream).await
}

pub async fn flush(stream: &Stream) -> io::Result<()> {
    while let Err(error) = stream.try_flush() {
        writable(stream, error).await?;
    }
    Ok(())
}

/// Closes the sending half.
pub async fn shutdown_write(stream: &Stream) -> io::Result<()> {
    while let Err(error) = stream.shutdown_write() {
        writable(stream, error).await?;
    }
    Ok(())
}

/// Waits until the stream may be written to, if that is all that `error` says.
async fn writable(stream: &Stream, error: io::Error) -> io::Result<()> {
    if error.kind() != io::ErrorKind::WouldBlock {
        return Err(error);
    }
    within("the stream to take bytes", poll_fn(|context| stream.poll_write_ready(context))).await
}

/// Reads once. 0 is the end of the stream.
pub async fn read(stream: &Stream, buffer: &mut BytesMut) -> io::Result<usize> {
    loop {
        match stream.try_read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let readable = poll_fn(|context| stream.poll_read_ready(context));
                within("the stream to have bytes", readable).await?;
            }
            result => return result,
        }
    }
}

pub async fn read_to_end(stream: &Stream) -> io::Result<BytesMut> {
    let mut buffer = BytesMut::new();
    while read(stream, &mut buffer).await? > 0 {}
    Ok(buffer)
}

/// Reads until there are this many bytes.
pub async fn read_exactly(stream: &Stream, length: usize) -> io::Result<BytesMut> {
    let mut buffer = BytesMut::new();
    while buffer.len() < length {
        if read(stream, &mut buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(buffer)
}

pub async fn bind(address: &Address) -> Listener {
    Listener::bind(address, &ListenOptions::new()).await.unwrap()
}

/// Connects and sends a word each way: the listener is alive, and the two streams are the ends of one
/// connection. Returns the accepted stream and the connected one.
pub async fn connect_and_greet(listener: &Listener, address: &Address) -> (Stream, Stream) {
    let options = ConnectOptions::new();
    let accepting = async { listener.accept().await.unwrap().secure().await };
    let connecting = async { tokio::join!(accepting, connect(address, &options)) };
    let (accepted, connected) = within("a connection of both ends", connecting).await;
    let (accepted, connected) = (accepted.unwrap(), connected.unwrap());
    for (from, to) in [(&accepted, &connected), (&connected, &accepted)] {
        write_all(from, b"hello").await.unwrap();
        assert_eq!(read_exactly(to, 5).await.unwrap(), "hello");
    }
    (accepted, connected)
}
