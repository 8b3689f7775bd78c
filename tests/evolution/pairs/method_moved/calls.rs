//! A method moves to the other side: there it is another method.

crate::pair!(method_moved, Compatible);

use kaa_rpc_runtime::CallError;

use crate::calls::meet;

#[tokio::test]
async fn crossing() {
    let met = meet(new::Meeting::server(Nobody), old::Meeting::client(Nobody)).await;
    let to_server: old::MeetingServerProxy = met.proxy();
    let to_client: new::MeetingClientProxy = met.peer.proxy();
    let unknown = CallError::UnknownMethod { method: "pair.Meeting.enter".to_owned() };
    assert_eq!(to_server.enter("me").await, Err(unknown.clone()));
    assert_eq!(to_client.enter("me").await, Err(unknown));
}
