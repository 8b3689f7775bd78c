//! Secrets: which bytes are refused, and how files hold them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

use kaa_rpc_test_support::assert_matches;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use kaa_rpc_runtime::secret::{KeyId, Keys, Secret, SecretError};

fn secret_path() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.secret");
    (directory, path)
}

fn write(path: &Path, content: &[u8], mode: u32) {
    fs::write(path, content).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// The bytes of a secret: only a file shows them.
fn bytes_of(secret: &Secret) -> Vec<u8> {
    let (_directory, path) = secret_path();
    secret.write_new_file(&path).unwrap();
    let mut written = fs::read(&path).unwrap();
    assert_eq!(written.pop(), Some(b'\n'));
    written
}

#[test]
fn short_secrets_are_refused() {
    for length in 0..Secret::MIN_LENGTH {
        assert_matches!(Secret::new(vec![b'x'; length]), Err(SecretError::TooShort { length: l }) if *l == length);
    }
    assert_eq!(bytes_of(&Secret::new([b'x'; 16]).unwrap()), [b'x'; 16]);
    assert_matches!(Secret::new(vec![0; Secret::MAX_LENGTH]), Ok(_));
    assert_matches!(Secret::new(vec![0; Secret::MAX_LENGTH + 1]), Err(SecretError::TooLong));
}

#[test]
fn generated_secrets_are_64_distinct_hexadecimal_digits() {
    let (one, other) = (bytes_of(&Secret::generate().unwrap()), bytes_of(&Secret::generate().unwrap()));
    assert_ne!(one, other);
    for secret in [one, other] {
        assert_eq!(secret.len(), 64);
        assert!(secret.iter().all(|byte| b"0123456789abcdef".contains(byte)), "{secret:?}");
    }
}

#[test]
fn written_secret_is_read_back() {
    for content in [
        &b"sixteen bytes ok"[..],
        b"ends with newlines\n\n",
        b"\r\nbinary \0\xff\xfe to the end\r",
        &[b'x'; 4096],
    ] {
        let (_directory, path) = secret_path();
        Secret::new(content).unwrap().write_new_file(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        assert_eq!(bytes_of(&Secret::from_file(&path).unwrap()), content);
    }
}

#[test]
fn final_newline_is_not_part_of_secret() {
    let (_directory, path) = secret_path();
    for (content, expected) in [
        (&b"sixteen bytes ok"[..], &b"sixteen bytes ok"[..]),
        (b"sixteen bytes ok\n", b"sixteen bytes ok"),
        (b"sixteen bytes ok\n\n", b"sixteen bytes ok\n"),
    ] {
        write(&path, content, 0o600);
        assert_eq!(bytes_of(&Secret::from_file(&path).unwrap()), expected);
    }
}

#[test]
fn file_open_to_others_is_refused() {
    let (_directory, path) = secret_path();
    for mode in [0o640, 0o604, 0o620, 0o602, 0o644, 0o666, 0o610, 0o601] {
        write(&path, b"sixteen bytes ok", mode);
        match Secret::from_file(&path) {
            Err(SecretError::OpenToOthers { path: named, mode: reported }) => {
                assert_eq!((named, reported), (path.clone(), mode));
            }
            other => panic!("{mode:o}: {other:?}"),
        }
    }
    let error = Secret::from_file(&path).unwrap_err().to_string();
    assert!(
        error.ends_with("is open to other users (its mode is 0601); make it private with `chmod 600`"),
        "{error}"
    );
    for mode in [0o600, 0o400, 0o700] {
        write(&path, b"sixteen bytes ok", 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert!(Secret::from_file(&path).is_ok(), "{mode:o}");
    }
}

#[test]
fn link_is_checked_by_its_target() {
    let (directory, path) = secret_path();
    let link = directory.path().join("link");
    symlink(&path, &link).unwrap();
    write(&path, b"sixteen bytes ok", 0o600);
    assert_matches!(Secret::from_file(&link), Ok(_));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert_matches!(Secret::from_file(&link), Err(SecretError::OpenToOthers { .. }));
}

#[test]
fn unusable_files_are_reported() {
    let (directory, path) = secret_path();
    assert_matches!(Secret::from_file(&path), Err(SecretError::Read { .. }));
    assert_matches!(Secret::from_file(directory.path()), Err(SecretError::NotAFile { .. }));
    // Opening a pipe without a writer must not block.
    let pipe = directory.path().join("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    assert_matches!(Secret::from_file(&pipe), Err(SecretError::NotAFile { .. }));
    write(&path, b"fifteen bytes!!\n", 0o600);
    match Secret::from_file(&path) {
        Err(SecretError::Unusable { source, .. }) => {
            assert_matches!(*source, SecretError::TooShort { length: 15 })
        }
        other => panic!("{other:?}"),
    }
    write(&path, &[b'x'; 100_000], 0o600);
    match Secret::from_file(&path) {
        Err(SecretError::Unusable { source, .. }) => assert_matches!(*source, SecretError::TooLong),
        other => panic!("{other:?}"),
    }
}

#[test]
fn existing_file_is_never_overwritten() {
    let (directory, path) = secret_path();
    write(&path, b"precious", 0o600);
    let secret = Secret::generate().unwrap();
    assert_matches!(secret.write_new_file(&path), Err(SecretError::AlreadyExists { .. }));
    assert_eq!(fs::read(&path).unwrap(), b"precious");
    // Nor is the missing target of a link created.
    let link = directory.path().join("link");
    symlink(directory.path().join("elsewhere"), &link).unwrap();
    assert_matches!(secret.write_new_file(&link), Err(SecretError::AlreadyExists { .. }));
    assert!(!directory.path().join("elsewhere").exists(), "the target of the link was created");
    let missing = directory.path().join("no/such/directory");
    assert_matches!(secret.write_new_file(missing), Err(SecretError::Write { .. }));
}

#[test]
fn concurrent_writers_leave_one_secret() {
    for _ in 0..40 {
        let (directory, path) = secret_path();
        let barrier = std::sync::Barrier::new(8);
        let read: Vec<_> = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        let secret = Secret::generate().unwrap();
                        barrier.wait();
                        match secret.write_new_file(&path) {
                            Ok(()) | Err(SecretError::AlreadyExists { .. }) => {}
                            Err(error) => panic!("{error:?}"),
                        }
                        // A file that exists is complete.
                        bytes_of(&Secret::from_file(&path).unwrap())
                    })
                })
                .collect();
            writers.into_iter().map(|writer| writer.join().unwrap()).collect()
        });
        assert!(read.iter().all(|secret| *secret == read[0]), "{read:?}");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "a temporary file was not removed");
    }
}

#[test]
fn debug_output_hides_secrets() {
    let secret = Secret::new(*b"correct horse battery").unwrap();
    let keys = Keys::from(secret.clone());
    assert_eq!(format!("{secret:?}"), "Secret(redacted)");
    assert_eq!(format!("{keys:?}"), r#"Keys { secrets: {KeyId(""): Secret(redacted)} }"#);
}

#[test]
fn key_id_has_at_most_32_bytes() {
    assert_eq!(KeyId::new([b'k'; 32]).unwrap().as_bytes(), [b'k'; 32]);
    assert_eq!(KeyId::new([b'k'; 33]).unwrap_err().length, 33);
    assert_eq!(KeyId::new(b"a\n\xff").unwrap().to_string(), r"a\n\xff");
    assert_eq!(KeyId::default(), KeyId::new("").unwrap());
}
