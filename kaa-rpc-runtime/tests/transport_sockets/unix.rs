//! Unix sockets: modes, directories, which files are replaced, and which are removed.

use kaa_rpc_test_support::assert_matches;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener as StdListener, UnixStream as StdStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

use kaa_rpc_runtime::transport::{
    Address, ConnectOptions, ListenOptions, Listener, PeerAddress, TransportError, connect,
};

use kaa_rpc_test_support::byte_streams::{bind, connect_and_greet, read_to_end};
use kaa_rpc_test_support::waiting::within;

fn socket_path() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.sock");
    (directory, path)
}

fn at(path: &Path) -> Address {
    Address::Unix(path.to_owned())
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

fn uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

async fn error_of(path: &Path) -> TransportError {
    Listener::bind(&at(path), &ListenOptions::new()).await.unwrap_err()
}

#[tokio::test]
async fn both_ends_know_address_and_credentials() {
    let (_directory, path) = socket_path();
    let listener = bind(&at(&path)).await;
    assert_eq!(listener.local_address(), &at(&path));
    let (accepted, connected) = connect_and_greet(&listener, &at(&path)).await;
    for stream in [&accepted, &connected] {
        assert_eq!(stream.peer_address(), &PeerAddress::Unix(at(&path)));
        let credentials = stream.peer_credentials().unwrap();
        assert_eq!(credentials.uid, uid());
        assert_eq!(credentials.pid, Some(i32::try_from(std::process::id()).unwrap()));
    }
}

#[tokio::test]
async fn mode_is_0600_unless_set() {
    let (_directory, path) = socket_path();
    let listener = bind(&at(&path)).await;
    assert_eq!(mode(&path), 0o600);
    drop(listener);
    for chosen in [0o660, 0o666, 0o620] {
        let options = ListenOptions::new().socket_mode(chosen);
        let _listener = Listener::bind(&at(&path), &options).await.unwrap();
        assert_eq!(mode(&path), chosen, "the process's umask does not apply");
    }
}

/// A client that connects finds the mode that was set.
#[tokio::test]
async fn mode_applies_before_first_connection() {
    const ROUNDS: usize = 400;
    let (directory, _) = socket_path();
    let folder = directory.path().to_owned();
    let path = move |round: usize| folder.join(round.to_string());
    let round = Arc::new(AtomicUsize::new(0));
    let client = {
        let (path, round) = (path.clone(), Arc::clone(&round));
        std::thread::spawn(move || {
            let mut early = 0;
            loop {
                match round.load(Ordering::Relaxed) {
                    ROUNDS => break early,
                    now if StdStream::connect(path(now)).is_ok() => {
                        // The file may have been removed meanwhile.
                        let found = fs::symlink_metadata(path(now)).map(|found| found.permissions().mode());
                        early += u32::from(found.is_ok_and(|mode| mode & 0o7777 != 0o640));
                    }
                    _ => {}
                }
            }
        })
    };
    for now in 0..ROUNDS {
        let options = ListenOptions::new().socket_mode(0o640);
        drop(Listener::bind(&at(&path(now)), &options).await.unwrap());
        round.store(now + 1, Ordering::Relaxed);
    }
    assert_eq!(client.join().unwrap(), 0);
}

#[tokio::test]
async fn missing_directories_are_created_private() {
    let (directory, _) = socket_path();
    let outer = directory.path().join("new");
    let path = outer.join("also new/app.sock");
    let _listener = bind(&at(&path)).await;
    assert_eq!((mode(&outer), mode(path.parent().unwrap())), (0o700, 0o700));
    let existing = directory.path().join("existing");
    fs::create_dir(&existing).unwrap();
    fs::set_permissions(&existing, fs::Permissions::from_mode(0o755)).unwrap();
    let _other = bind(&at(&existing.join("app.sock"))).await;
    assert_eq!(mode(&existing), 0o755);
}

#[tokio::test]
async fn closing_removes_all_files() {
    let (directory, path) = socket_path();
    let listener = bind(&at(&path)).await;
    let (accepted, connected) = connect_and_greet(&listener, &at(&path)).await;
    drop(listener);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    // Connections outlive the listener.
    drop(accepted);
    assert_eq!(read_to_end(&connected).await.unwrap(), "");
    let error = connect(&at(&path), &ConnectOptions::new()).await.unwrap_err();
    assert_eq!(std::io::Error::from(error).kind(), std::io::ErrorKind::NotFound);
    bind(&at(&path)).await;
}

#[tokio::test]
async fn live_socket_is_not_replaced() {
    let (_directory, path) = socket_path();
    let listener = bind(&at(&path)).await;
    assert_matches!(error_of(&path).await, TransportError::AddressInUse { address } if *address == at(&path));
    connect_and_greet(&listener, &at(&path)).await;
}

/// The socket of a program that does not use the lock.
#[tokio::test]
async fn foreign_live_socket_is_not_replaced() {
    let (_directory, path) = socket_path();
    let stranger = StdListener::bind(&path).unwrap();
    let inode = fs::metadata(&path).unwrap().ino();
    assert_matches!(error_of(&path).await, TransportError::AddressInUse { .. });
    assert_eq!(fs::metadata(&path).unwrap().ino(), inode);
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "the lock file is removed");
    drop(stranger);
}

#[tokio::test]
async fn socket_with_full_backlog_is_live() {
    let (_directory, path) = socket_path();
    let stranger = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
    stranger.bind(&socket2::SockAddr::unix(&path).unwrap()).unwrap();
    stranger.listen(0).unwrap();
    let mut waiting = Vec::new();
    loop {
        let socket = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
        socket.set_nonblocking(true).unwrap();
        if socket.connect(&socket2::SockAddr::unix(&path).unwrap()).is_err() {
            break;
        }
        waiting.push(socket);
    }
    assert_matches!(error_of(&path).await, TransportError::AddressInUse { .. });
    assert!(path.exists(), "the socket file was removed");
}

#[tokio::test]
async fn client_waits_for_backlog_room() {
    let (_directory, path) = socket_path();
    let full = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
    full.bind(&socket2::SockAddr::unix(&path).unwrap()).unwrap();
    full.listen(0).unwrap();
    let full = StdListener::from(full);
    let options = ConnectOptions::new();
    let mut waiting = Vec::new();
    // One client more than the backlog holds. When the first is accepted, there is room for it.
    let address = at(&path);
    loop {
        let mut connecting = Box::pin(connect(&address, &options));
        tokio::select! {
            biased;
            stream = &mut connecting => waiting.push(stream.unwrap()),
            () = std::future::ready(()) => {
                full.accept().unwrap();
                waiting.push(within("the client to find room", connecting).await.unwrap());
                break;
            }
        }
    }
    assert!(waiting.len() > 1, "{} clients", waiting.len());
}

#[tokio::test]
async fn other_files_are_not_replaced() {
    let (_directory, path) = socket_path();
    fs::write(&path, "precious").unwrap();
    assert_matches!(error_of(&path).await, TransportError::NotASocket { path: named } if *named == path);
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    fs::remove_file(&path).unwrap();
    // A link is not followed: its target may belong to another program.
    let target = path.with_extension("target");
    let stale = StdListener::bind(&target).unwrap();
    drop(stale);
    std::os::unix::fs::symlink(&target, &path).unwrap();
    assert_matches!(error_of(&path).await, TransportError::NotASocket { .. });
    assert!(target.exists(), "the target was removed");
    assert!(path.is_symlink(), "the link was removed");
}

#[tokio::test]
async fn closing_keeps_foreign_socket_file() {
    let (_directory, path) = socket_path();
    let listener = bind(&at(&path)).await;
    // Another program replaces the file.
    fs::remove_file(&path).unwrap();
    let _other = StdListener::bind(&path).unwrap();
    let theirs = fs::metadata(&path).unwrap().ino();
    drop(listener);
    assert_eq!(fs::metadata(&path).unwrap().ino(), theirs);
}

#[tokio::test]
async fn closing_keeps_foreign_lock_file() {
    let (_directory, path) = socket_path();
    let lock = path.with_extension("sock.lock");
    let listener = bind(&at(&path)).await;
    assert_eq!(mode(&lock), 0o600);
    fs::rename(&lock, path.with_extension("moved")).unwrap();
    fs::write(&lock, "theirs").unwrap();
    drop(listener);
    assert_eq!(fs::read_to_string(&lock).unwrap(), "theirs");
}

#[tokio::test]
async fn overlong_path_is_reported() {
    let (directory, _) = socket_path();
    let max_length = 107 - directory.path().as_os_str().len() - 1;
    let path = directory.path().join("x".repeat(max_length));
    let listener = bind(&at(&path)).await;
    connect_and_greet(&listener, &at(&path)).await;
    let too_long = directory.path().join("x".repeat(max_length + 1));
    let connecting = connect(&at(&too_long), &ConnectOptions::new()).await.unwrap_err();
    for error in [error_of(&too_long).await, connecting] {
        assert!(matches!(error, TransportError::NameTooLong { length: 108, limit: 107, .. }), "{error}");
        let text = error.to_string();
        assert!(text.ends_with("has a name of 108 bytes, and the system allows at most 107"), "{text}");
    }
    assert!(!too_long.with_extension("lock").exists(), "a lock file was created");
}

#[tokio::test]
async fn uncreatable_directory_is_reported() {
    let (directory, path) = socket_path();
    fs::write(directory.path().join("file"), "").unwrap();
    let below = directory.path().join("file/app.sock");
    let error = error_of(&below).await;
    // There is a file where the directory should be, so the lock cannot be created.
    assert!(matches!(error, TransportError::Lock { .. }), "{error:?}");
    let below = directory.path().join("file/directory/app.sock");
    let error = error_of(&below).await;
    assert!(
        matches!(&error, TransportError::Directory { path, .. } if path.ends_with("file/directory")),
        "{error:?}"
    );
    drop(path);
}

#[tokio::test]
async fn abstract_names_leave_no_file() {
    let name = Address::UnixAbstract(format!("kaa-rpc-test-{}", std::process::id()));
    let listener = bind(&name).await;
    let (accepted, _connected) = connect_and_greet(&listener, &name).await;
    assert_eq!(accepted.peer_credentials().unwrap().uid, uid());
    assert_eq!(accepted.peer_address(), &PeerAddress::Unix(name.clone()));
    let second = Listener::bind(&name, &ListenOptions::new()).await;
    assert_matches!(second, Err(TransportError::AddressInUse { .. }));
    drop(listener);
    bind(&name).await;
    let too_long = Address::UnixAbstract("n".repeat(108));
    let error = Listener::bind(&too_long, &ListenOptions::new()).await.unwrap_err();
    assert_matches!(error, TransportError::NameTooLong { length: 108, limit: 107, .. });
    // With the process id, because this test may run in several processes at a time.
    bind(&Address::UnixAbstract(format!("{:n>107}", std::process::id()))).await;
}

#[tokio::test]
async fn disallowed_users_are_disconnected() {
    let (directory, _) = socket_path();
    let is_allowed = async |name: &str, uids: Vec<u32>| {
        let path = directory.path().join(name);
        let listener = Listener::bind(&at(&path), &ListenOptions::new().allowed_uids(uids)).await.unwrap();
        let client = connect(&at(&path), &ConnectOptions::new()).await.unwrap();
        tokio::select! {
            accepted = listener.accept() => accepted.is_ok(),
            // The client reads the end of the stream: it was disconnected before it was accepted.
            _end = read_to_end(&client) => false,
        }
    };
    assert!(is_allowed("me", vec![uid()]).await, "the own user");
    assert!(is_allowed("us", vec![uid() + 1, uid()]).await, "the second user of two");
    assert!(!is_allowed("others", vec![uid() + 1]).await, "another user");
    assert!(!is_allowed("none", vec![]).await, "no user");
}

#[test]
fn one_racer_for_stale_socket_wins() {
    const RACERS: usize = 8;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for _ in 0..30 {
        let (_directory, path) = socket_path();
        drop(StdListener::bind(&path).unwrap());
        let barrier = Arc::new(Barrier::new(RACERS));
        let racers: Vec<_> = (0..RACERS)
            .map(|_| {
                let (barrier, path, handle) = (Arc::clone(&barrier), path.clone(), runtime.handle().clone());
                std::thread::spawn(move || {
                    let _runtime = handle.enter();
                    barrier.wait();
                    // Binding a unix socket never waits.
                    handle.block_on(Listener::bind(&at(&path), &ListenOptions::new()))
                })
            })
            .collect();
        let results: Vec<_> = racers.into_iter().map(|racer| racer.join().unwrap()).collect();
        let won: Vec<_> = results.iter().filter_map(|result| result.as_ref().ok()).collect();
        assert_eq!(won.len(), 1, "{results:?}");
        assert!(
            results.iter().all(|result| matches!(result, Ok(_) | Err(TransportError::AddressInUse { .. }))),
            "{results:?}"
        );
        runtime.block_on(connect_and_greet(won[0], &at(&path)));
    }
}

#[test]
fn at_most_one_of_many_listens() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (_directory, path) = socket_path();
    let (listening, listened) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let _runtime = runtime.enter();
                while listened.load(Ordering::Relaxed) < 3000 {
                    match runtime.handle().block_on(Listener::bind(&at(&path), &ListenOptions::new())) {
                        Ok(listener) => {
                            assert_eq!(listening.fetch_add(1, Ordering::SeqCst), 0);
                            assert!(path.exists(), "there is no socket file");
                            listening.fetch_sub(1, Ordering::SeqCst);
                            listened.fetch_add(1, Ordering::Relaxed);
                            drop(listener);
                        }
                        Err(TransportError::AddressInUse { .. }) => {}
                        Err(error) => panic!("{error:?}"),
                    }
                }
            });
        }
    });
    assert!(!path.exists(), "the socket file was not removed");
}
