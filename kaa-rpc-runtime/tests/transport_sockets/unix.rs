//! Unix sockets: modes, directories, what may be replaced, and what is removed.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener as StdListener, UnixStream as StdStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

use kaa_rpc_runtime::transport::{
    Address, ConnectOptions, ListenOptions, Listener, PeerAddress, TransportError, connect,
};

use crate::talk::{bind, converse, read_to_end};

fn place() -> (tempfile::TempDir, PathBuf) {
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
async fn two_ends_talk_and_know_each_other() {
    let (_directory, path) = place();
    let listener = bind(&at(&path)).await;
    assert_eq!(listener.local_address(), &at(&path));
    let (accepted, connected) = converse(&listener, &at(&path)).await;
    for stream in [&accepted, &connected] {
        assert_eq!(stream.peer_address(), &PeerAddress::Unix(at(&path)));
        let credentials = stream.peer_credentials().unwrap();
        assert_eq!(credentials.uid, uid());
        assert_eq!(credentials.pid, Some(i32::try_from(std::process::id()).unwrap()));
    }
}

#[tokio::test]
async fn the_mode_is_0600_unless_another_is_chosen() {
    let (_directory, path) = place();
    let listener = bind(&at(&path)).await;
    assert_eq!(mode(&path), 0o600);
    drop(listener);
    for chosen in [0o660, 0o666, 0o620] {
        let options = ListenOptions::new().socket_mode(chosen);
        let _listener = Listener::bind(&at(&path), &options).await.unwrap();
        assert_eq!(mode(&path), chosen, "the process's mask takes nothing away");
    }
}

/// Whoever gets through finds the mode that was chosen.
#[tokio::test]
async fn nobody_can_connect_before_the_mode_is_in_force() {
    const ROUNDS: usize = 400;
    let (directory, _) = place();
    let folder = directory.path().to_owned();
    let path = move |round: usize| folder.join(round.to_string());
    let round = Arc::new(AtomicUsize::new(0));
    let watcher = {
        let (path, round) = (path.clone(), Arc::clone(&round));
        std::thread::spawn(move || {
            let mut early = 0;
            loop {
                match round.load(Ordering::Relaxed) {
                    ROUNDS => break early,
                    now if StdStream::connect(path(now)).is_ok() => {
                        // It may be gone again by now.
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
    assert_eq!(watcher.join().unwrap(), 0);
}

#[tokio::test]
async fn a_missing_directory_is_made_private_and_an_existing_one_is_left_alone() {
    let (directory, _) = place();
    let outer = directory.path().join("made");
    let path = outer.join("also made/app.sock");
    let _listener = bind(&at(&path)).await;
    assert_eq!((mode(&outer), mode(path.parent().unwrap())), (0o700, 0o700));
    let stands = directory.path().join("stands");
    fs::create_dir(&stands).unwrap();
    fs::set_permissions(&stands, fs::Permissions::from_mode(0o755)).unwrap();
    let _other = bind(&at(&stands.join("app.sock"))).await;
    assert_eq!(mode(&stands), 0o755);
}

#[tokio::test]
async fn nothing_is_left_behind() {
    let (directory, path) = place();
    let listener = bind(&at(&path)).await;
    let (accepted, connected) = converse(&listener, &at(&path)).await;
    drop(listener);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    // Connections that stand are not the listener's.
    drop(accepted);
    assert_eq!(read_to_end(&connected).await.unwrap(), "");
    let error = connect(&at(&path), &ConnectOptions::new()).await.unwrap_err();
    assert_eq!(std::io::Error::from(error).kind(), std::io::ErrorKind::NotFound);
    bind(&at(&path)).await;
}

#[tokio::test]
async fn a_live_socket_is_not_taken_over() {
    let (_directory, path) = place();
    let listener = bind(&at(&path)).await;
    assert!(
        matches!(error_of(&path).await, TransportError::AddressInUse { address } if address == at(&path))
    );
    converse(&listener, &at(&path)).await;
}

/// Another program's socket, which knows nothing of our lock.
#[tokio::test]
async fn a_strangers_live_socket_is_not_taken_over() {
    let (_directory, path) = place();
    let stranger = StdListener::bind(&path).unwrap();
    let inode = fs::metadata(&path).unwrap().ino();
    assert!(matches!(error_of(&path).await, TransportError::AddressInUse { .. }));
    assert_eq!(fs::metadata(&path).unwrap().ino(), inode);
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no lock file stays");
    drop(stranger);
}

#[tokio::test]
async fn a_live_socket_with_a_full_backlog_is_alive() {
    let (_directory, path) = place();
    let stranger = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
    stranger.bind(&socket2::SockAddr::unix(&path).unwrap()).unwrap();
    stranger.listen(0).unwrap();
    let mut knocking = Vec::new();
    loop {
        let socket = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
        socket.set_nonblocking(true).unwrap();
        if socket.connect(&socket2::SockAddr::unix(&path).unwrap()).is_err() {
            break;
        }
        knocking.push(socket);
    }
    assert!(matches!(error_of(&path).await, TransportError::AddressInUse { .. }));
    assert!(path.exists());
}

#[tokio::test]
async fn a_client_waits_for_room_in_the_backlog() {
    let (_directory, path) = place();
    let full = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
    full.bind(&socket2::SockAddr::unix(&path).unwrap()).unwrap();
    full.listen(0).unwrap();
    let full = StdListener::from(full);
    let options = ConnectOptions::new();
    let mut waiting = Vec::new();
    // One more than fits, for whom the first that is accepted makes room.
    let address = at(&path);
    loop {
        let mut connecting = Box::pin(connect(&address, &options));
        tokio::select! {
            biased;
            stream = &mut connecting => waiting.push(stream.unwrap()),
            () = std::future::ready(()) => {
                full.accept().unwrap();
                waiting.push(connecting.await.unwrap());
                break;
            }
        }
    }
    assert!(waiting.len() > 1);
}

#[tokio::test]
async fn what_is_no_socket_is_left_as_it_is() {
    let (_directory, path) = place();
    fs::write(&path, "precious").unwrap();
    assert!(matches!(error_of(&path).await, TransportError::NotASocket { path: named } if named == path));
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    fs::remove_file(&path).unwrap();
    // A link is not followed: what it leads to is somebody else's.
    let target = path.with_extension("target");
    let stale = StdListener::bind(&target).unwrap();
    drop(stale);
    std::os::unix::fs::symlink(&target, &path).unwrap();
    assert!(matches!(error_of(&path).await, TransportError::NotASocket { .. }));
    assert!(target.exists() && path.is_symlink());
}

#[tokio::test]
async fn only_our_own_socket_file_is_removed() {
    let (_directory, path) = place();
    let listener = bind(&at(&path)).await;
    // Somebody else takes the place by force.
    fs::remove_file(&path).unwrap();
    let _stranger = StdListener::bind(&path).unwrap();
    let theirs = fs::metadata(&path).unwrap().ino();
    drop(listener);
    assert_eq!(fs::metadata(&path).unwrap().ino(), theirs);
}

#[tokio::test]
async fn only_our_own_lock_file_is_removed() {
    let (_directory, path) = place();
    let lock = path.with_extension("sock.lock");
    let listener = bind(&at(&path)).await;
    assert_eq!(mode(&lock), 0o600);
    fs::rename(&lock, path.with_extension("moved")).unwrap();
    fs::write(&lock, "theirs").unwrap();
    drop(listener);
    assert_eq!(fs::read_to_string(&lock).unwrap(), "theirs");
}

#[tokio::test]
async fn a_path_too_long_is_an_error_that_says_so() {
    let (directory, _) = place();
    let fits = 107 - directory.path().as_os_str().len() - 1;
    let longest = directory.path().join("x".repeat(fits));
    let listener = bind(&at(&longest)).await;
    converse(&listener, &at(&longest)).await;
    let too_long = directory.path().join("x".repeat(fits + 1));
    let connecting = connect(&at(&too_long), &ConnectOptions::new()).await.unwrap_err();
    for error in [error_of(&too_long).await, connecting] {
        assert!(matches!(error, TransportError::NameTooLong { length: 108, limit: 107, .. }), "{error}");
        assert!(error.to_string().ends_with("has a name of 108 bytes, and the system allows at most 107"));
    }
    assert!(!too_long.with_extension("lock").exists());
}

#[tokio::test]
async fn a_directory_that_cannot_be_made_is_an_error_that_names_it() {
    let (directory, path) = place();
    fs::write(directory.path().join("file"), "").unwrap();
    let below = directory.path().join("file/app.sock");
    let error = error_of(&below).await;
    // A file stands in the directory's place, so the lock cannot be made there.
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
async fn abstract_names_work_and_leave_no_file() {
    let name = Address::UnixAbstract(format!("kaa-rpc-test-{}", std::process::id()));
    let listener = bind(&name).await;
    let (accepted, _connected) = converse(&listener, &name).await;
    assert_eq!(accepted.peer_credentials().unwrap().uid, uid());
    assert_eq!(accepted.peer_address(), &PeerAddress::Unix(name.clone()));
    let second = Listener::bind(&name, &ListenOptions::new()).await;
    assert!(matches!(second, Err(TransportError::AddressInUse { .. })));
    drop(listener);
    bind(&name).await;
    let too_long = Address::UnixAbstract("n".repeat(108));
    let error = Listener::bind(&too_long, &ListenOptions::new()).await.unwrap_err();
    assert!(matches!(error, TransportError::NameTooLong { length: 108, limit: 107, .. }));
    // With our process id in it, for there may be another such test at the same time.
    bind(&Address::UnixAbstract(format!("{:n>107}", std::process::id()))).await;
}

#[tokio::test]
async fn users_who_are_not_allowed_are_cut_off() {
    let (directory, _) = place();
    let try_with = async |name: &str, uids: Vec<u32>| {
        let path = directory.path().join(name);
        let listener = Listener::bind(&at(&path), &ListenOptions::new().allowed_uids(uids)).await.unwrap();
        let client = connect(&at(&path), &ConnectOptions::new()).await.unwrap();
        tokio::select! {
            accepted = listener.accept() => accepted.is_ok(),
            // The client reads the end: it was cut off. (Who is admitted and then dropped would have been seen above.)
            end = read_to_end(&client) => { let _ = end; false }
        }
    };
    assert!(try_with("me", vec![uid()]).await);
    assert!(try_with("us", vec![uid() + 1, uid()]).await);
    assert!(!try_with("others", vec![uid() + 1]).await);
    assert!(!try_with("nobody", vec![]).await);
}

#[test]
fn of_two_that_race_for_a_stale_socket_one_wins() {
    const RACERS: usize = 8;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for _ in 0..30 {
        let (_directory, path) = place();
        drop(StdListener::bind(&path).unwrap());
        let barrier = Arc::new(Barrier::new(RACERS));
        let racers: Vec<_> = (0..RACERS)
            .map(|_| {
                let (barrier, path, handle) = (Arc::clone(&barrier), path.clone(), runtime.handle().clone());
                std::thread::spawn(move || {
                    let _runtime = handle.enter();
                    barrier.wait();
                    // Binding a unix socket waits for nothing.
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
        runtime.block_on(converse(won[0], &at(&path)));
    }
}

#[test]
fn of_many_that_come_and_go_never_two_listen() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (_directory, path) = place();
    let (listening, listened) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let _runtime = runtime.enter();
                while listened.load(Ordering::Relaxed) < 3000 {
                    match runtime.handle().block_on(Listener::bind(&at(&path), &ListenOptions::new())) {
                        Ok(listener) => {
                            assert_eq!(listening.fetch_add(1, Ordering::SeqCst), 0);
                            assert!(path.exists());
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
    assert!(!path.exists());
}
