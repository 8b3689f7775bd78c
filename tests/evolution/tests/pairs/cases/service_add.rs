//! A service is added: peers without it are not affected, and their other services work.

crate::pair!(service_add, Equal);

use kaa_rpc_runtime::{Context, Fault};
use kaa_rpc_tests::fixture::{self, Pair};

use crate::calls::unknown_method;

struct Handlers;

impl old::MeetingServer for Handlers {
    async fn enter(&self, _: Context<old::MeetingClientProxy>, name: String) -> Result<String, Fault> {
        Ok(name)
    }
}

#[tokio::test]
async fn server_without_the_service_returns_unknown_method() {
    let server = fixture::server().unwrap().register(old::Meeting::server(Handlers));
    let client = fixture::client().unwrap();
    let client = client.register(new::Meeting::client(Stub)).register(new::Archive::client(ArchiveStub));
    let pair = Pair::over_unix(server, client).await.unwrap();
    let archive: new::ArchiveServerProxy = pair.proxy();
    assert_eq!(archive.find("me").await, unknown_method("Archive.find"));
    let meeting: new::MeetingServerProxy = pair.proxy();
    assert_eq!(meeting.enter("me").await, Ok("me".to_owned()));
}

#[tokio::test]
async fn client_without_the_service_returns_unknown_method() {
    let server = fixture::server().unwrap();
    let server = server.register(new::Meeting::server(Stub)).register(new::Archive::server(ArchiveStub));
    let client = fixture::client().unwrap().register(old::Meeting::client(Stub));
    let pair = Pair::over_unix(server, client).await.unwrap();
    let archive: new::ArchiveClientProxy = pair.peer.proxy();
    assert_eq!(archive.found("me").await, unknown_method("Archive.found"));
    let meeting: old::MeetingServerProxy = pair.proxy();
    assert_eq!(meeting.enter("me").await, unknown_method("Meeting.enter"), "its stub answers");
}

struct ArchiveStub;

impl new::ArchiveServer for ArchiveStub {}
impl new::ArchiveClient for ArchiveStub {}
