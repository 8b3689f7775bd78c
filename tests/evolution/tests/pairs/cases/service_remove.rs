//! A service is removed: its callers get `UnknownMethod`, and the other services work.

crate::pair!(service_remove, Equal);

use kaa_rpc_tests::fixture::{self, Pair};

use crate::calls::unknown_method;

struct ArchiveStub;

impl old::ArchiveServer for ArchiveStub {}
impl old::ArchiveClient for ArchiveStub {}

#[tokio::test]
async fn generations_interoperate() {
    let server = fixture::server().unwrap().register(new::Meeting::server(Stub));
    let client = fixture::client().unwrap();
    let client = client.register(old::Meeting::client(Stub)).register(old::Archive::client(ArchiveStub));
    let pair = Pair::over_unix(server, client).await.unwrap();
    assert_eq!(pair.proxy::<old::ArchiveServerProxy>().find("me").await, unknown_method("Archive.find"));
    assert_eq!(pair.proxy::<old::MeetingServerProxy>().enter("me").await, unknown_method("Meeting.enter"));

    let server = fixture::server().unwrap();
    let server = server.register(old::Meeting::server(Stub)).register(old::Archive::server(ArchiveStub));
    let client = fixture::client().unwrap().register(new::Meeting::client(Stub));
    let pair = Pair::over_unix(server, client).await.unwrap();
    let peer = &pair.peer;
    assert_eq!(peer.proxy::<old::ArchiveClientProxy>().found("me").await, unknown_method("Archive.found"));
    assert_eq!(peer.proxy::<old::MeetingClientProxy>().enter("me").await, unknown_method("Meeting.enter"));
}
