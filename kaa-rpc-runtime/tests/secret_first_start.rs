//! The secret file of a server that starts for the first time.

use kaa_rpc_runtime::Secret;
use kaa_rpc_runtime::secret::SecretError;

#[test]
fn first_start_creates_file_and_second_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    Secret::from_file_or_generate(&path).unwrap();
    let created = std::fs::read(&path).unwrap();
    Secret::from_file_or_generate(&path).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), created, "the second start changed the file");
}

#[test]
fn unusable_file_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    std::fs::write(&path, "0123456789abcdef0123").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(&path, mode).unwrap();
    let error = Secret::from_file_or_generate(&path).unwrap_err();
    assert!(matches!(error, SecretError::OpenToOthers { .. }), "{error}");
    let missing = folder.path().join("no such folder").join("secret");
    let error = Secret::from_file_or_generate(missing).unwrap_err();
    assert!(matches!(error, SecretError::Write { .. }), "{error}");
}
