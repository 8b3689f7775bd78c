//! A service is added: peers without it do not notice, the other services are as they were.

crate::pair!(service_add, Equal);

use kaa_rpc_runtime::{CallError, Context, Fault};
use kaa_rpc_tests::fixture::{self, Pair};

struct Desk;

impl old::MeetingServer for Desk {
    async fn enter(&self, _: Context<old::MeetingClientProxy>, name: String) -> Result<String, Fault> {
        Ok(name)
    }
}

#[tokio::test]
async fn server_without_the_service_returns_unknown_method() {
    let server = fixture::server().unwrap().register(old::Meeting::server(Desk));
    let client = fixture::client().unwrap();
    let client = client.register(new::Meeting::client(Nobody)).register(new::Archive::client(Librarian));
    let met = Pair::over_unix(server, client).await.unwrap();
    let archive: new::ArchiveServerProxy = met.proxy();
    let unknown = CallError::UnknownMethod { method: "pair.Archive.find".to_owned() };
    assert_eq!(archive.find("me").await, Err(unknown));
    let meeting: new::MeetingServerProxy = met.proxy();
    assert_eq!(meeting.enter("me").await, Ok("me".to_owned()));
}

#[tokio::test]
async fn client_without_the_service_returns_unknown_method() {
    let server = fixture::server().unwrap();
    let server = server.register(new::Meeting::server(Nobody)).register(new::Archive::server(Librarian));
    let client = fixture::client().unwrap().register(old::Meeting::client(Nobody));
    let met = Pair::over_unix(server, client).await.unwrap();
    let archive: new::ArchiveClientProxy = met.peer.proxy();
    let unknown = CallError::UnknownMethod { method: "pair.Archive.found".to_owned() };
    assert_eq!(archive.found("me").await, Err(unknown));
    let meeting: old::MeetingServerProxy = met.proxy();
    let unknown = CallError::UnknownMethod { method: "pair.Meeting.enter".to_owned() };
    assert_eq!(meeting.enter("me").await, Err(unknown), "the service is there, its stub answers");
}

struct Librarian;

impl new::ArchiveServer for Librarian {}
impl new::ArchiveClient for Librarian {}
