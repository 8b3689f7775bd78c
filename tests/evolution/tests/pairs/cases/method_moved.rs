//! A method moves to the other side, where it is another method.

crate::pair!(method_moved, Compatible);

use crate::calls::{connect, unknown_method};

#[tokio::test]
async fn generations_interoperate() {
    let pair = connect(new::Meeting::server(Stub), old::Meeting::client(Stub)).await;
    let to_server: old::MeetingServerProxy = pair.proxy();
    let to_client: new::MeetingClientProxy = pair.peer.proxy();
    assert_eq!(to_server.enter("me").await, unknown_method("Meeting.enter"));
    assert_eq!(to_client.enter("me").await, unknown_method("Meeting.enter"));
}
