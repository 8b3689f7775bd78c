//! A service is removed: who calls it is told, the other services are as they were.

crate::pair!(service_remove, Equal);

use kaa_rpc_runtime::CallError;
use kaa_rpc_tests::fixture::{self, Pair};

struct Librarian;

impl old::ArchiveServer for Librarian {}
impl old::ArchiveClient for Librarian {}

#[tokio::test]
async fn crossing() {
    let unknown = |method: &str| Err(CallError::UnknownMethod { method: format!("pair.{method}") });
    let server = fixture::server().unwrap().register(new::Meeting::server(Nobody));
    let client = fixture::client().unwrap();
    let client = client.register(old::Meeting::client(Nobody)).register(old::Archive::client(Librarian));
    let met = Pair::over_unix(server, client).await.unwrap();
    assert_eq!(met.proxy::<old::ArchiveServerProxy>().find("me").await, unknown("Archive.find"));
    assert_eq!(met.proxy::<old::MeetingServerProxy>().enter("me").await, unknown("Meeting.enter"));

    let server = fixture::server().unwrap();
    let server = server.register(old::Meeting::server(Nobody)).register(old::Archive::server(Librarian));
    let client = fixture::client().unwrap().register(new::Meeting::client(Nobody));
    let met = Pair::over_unix(server, client).await.unwrap();
    let peer = met.peer.clone();
    assert_eq!(peer.proxy::<old::ArchiveClientProxy>().found("me").await, unknown("Archive.found"));
    assert_eq!(peer.proxy::<old::MeetingClientProxy>().enter("me").await, unknown("Meeting.enter"));
}
