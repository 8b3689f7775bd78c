//! Calls of one generation at the other, whose `Meeting` has the same methods on both sides.

use kaa_rpc_runtime::codegen::{EncodeError, Encoder, Method, MethodDescriptor};
use kaa_rpc_runtime::{Call, CallError, Incoming, Service, role};
use kaa_rpc_tests::fixture::{self, Pair};

/// Lets a server and a client meet.
pub(crate) async fn meet(server: Service<role::Server>, client: Service<role::Client>) -> Pair {
    let server = fixture::server().unwrap().register(server);
    Pair::over_unix(server, fixture::client().unwrap().register(client)).await.unwrap()
}

/// A call of a method that nobody has.
pub(crate) struct Anything;

impl Method for Anything {
    type Returns = ();
    type Throws = std::convert::Infallible;
    const DESCRIPTOR: &'static MethodDescriptor = &MethodDescriptor::new(0, "pair.Meeting", "anything");

    fn encode_arguments(&self, _: &mut Encoder<'_>) -> Result<(), EncodeError> {
        Ok(())
    }
}

/// The connection is well, in both directions.
pub(crate) async fn lives(met: &Pair) {
    for peer in [met.client.peer(), met.peer.clone()] {
        let answer = Call::new(&peer, Anything).await;
        assert!(matches!(answer, Err(CallError::UnknownMethod { .. })), "{answer:?}");
    }
}

/// All items of a stream, and what ended it if it was an error.
pub(crate) async fn collect<T, E>(mut stream: Incoming<T, E>) -> Vec<Result<T, CallError<E>>> {
    let mut items = Vec::new();
    while let Some(item) = stream.next().await {
        items.push(item);
    }
    items
}

/// Serves the same as server and as client.
macro_rules! both_sides {
    ($who:ident, $generation:ident:
     $(fn $name:ident($($argument:ident: $ty:ty),*) -> $result:ty $body:block)*) => {
        impl $generation::MeetingServer for $who {
            $(async fn $name(
                &self,
                _: kaa_rpc_runtime::Context<$generation::MeetingClientProxy>,
                $($argument: $ty),*
            ) -> $result $body)*
        }

        impl $generation::MeetingClient for $who {
            $(async fn $name(
                &self,
                _: kaa_rpc_runtime::Context<$generation::MeetingServerProxy>,
                $($argument: $ty),*
            ) -> $result $body)*
        }
    };
}

/// What one generation's call of the other ends with, the same from client to server and from server to client.
macro_rules! call {
    ($who:ident: $from:ident => $to:ident, |$proxy:ident| $call:expr) => {{
        let met = crate::calls::meet($to::Meeting::server($who), $from::Meeting::client($who)).await;
        let $proxy: $from::MeetingServerProxy = met.proxy();
        let by_client = $call.await;
        crate::calls::lives(&met).await;
        let met = crate::calls::meet($from::Meeting::server($who), $to::Meeting::client($who)).await;
        let $proxy: $from::MeetingClientProxy = met.peer.proxy();
        let by_server = $call.await;
        crate::calls::lives(&met).await;
        assert_eq!(by_client, by_server);
        by_client
    }};
}

pub(crate) use {both_sides, call};
