//! Starts a program whose stdin and stdout are the other end of a stream (clause 1.8).
//!
//! Invariant: this process keeps no copy of the child's end, so that the stream ends with the child.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::process::Stdio;

use tokio::net::UnixStream;
use tokio::process::{Child, Command};

use super::error::TransportError;
use super::stream::{PeerAddress, Stream};

/// Starts a program with one end of a pair of unix sockets as both its stdin and its stdout; the other end is the stream.
/// The child is killed when its handle is dropped.
///
/// `ClientBuilder::connect_process` and `Server::spawn` use it, and look after the child as well.
///
/// # Errors
/// [`TransportError::Spawn`]: the program cannot be started.
pub fn spawn(command: &mut Command) -> Result<(Stream, Child), TransportError> {
    let program = command.as_std().get_program().to_string_lossy().into_owned();
    match try_spawn(command) {
        Ok((stream, child, pid)) => {
            Ok((Stream::over_unix(stream, PeerAddress::Process { program, pid }, None), child))
        }
        Err(source) => Err(TransportError::Spawn { program, source }),
    }
}

fn try_spawn(command: &mut Command) -> io::Result<(UnixStream, Child, u32)> {
    let (ours, theirs) = StdUnixStream::pair()?;
    ours.set_nonblocking(true)?;
    let ours = UnixStream::from_std(ours)?;
    let theirs = OwnedFd::from(theirs);
    command.stdin(theirs.try_clone()?).stdout(theirs).kill_on_drop(true);
    let child = command.spawn();
    // The command holds on to what it was given.
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let child = child?;
    let pid = child.id().ok_or(io::ErrorKind::NotFound)?;
    Ok((ours, child, pid))
}
