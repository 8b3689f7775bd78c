//! Calls from one generation to the other. Both sides of their service `Meeting` have the same methods.

use kaa_rpc_runtime::codegen::{EncodeError, Encoder, Method, MethodDescriptor};
use kaa_rpc_runtime::{Call, CallError, Incoming, Service, role};
use kaa_rpc_tests::fixture::{self, Pair};

/// Connects a server and a client.
pub(crate) async fn connect(server: Service<role::Server>, client: Service<role::Client>) -> Pair {
    let server = fixture::server().unwrap().register(server);
    Pair::over_unix(server, fixture::client().unwrap().register(client)).await.unwrap()
}

/// A call of a method that no service has.
pub(crate) struct UnknownCall;

impl Method for UnknownCall {
    type Returns = ();
    type Throws = std::convert::Infallible;
    const DESCRIPTOR: &'static MethodDescriptor = &MethodDescriptor::new(0, "pair.Meeting", "unknown");

    fn encode_arguments(&self, _: &mut Encoder<'_>) -> Result<(), EncodeError> {
        Ok(())
    }
}

/// The connection still works in both directions.
pub(crate) async fn assert_connected(pair: &Pair) {
    for peer in [pair.client.peer(), pair.peer.clone()] {
        let result = Call::new(&peer, UnknownCall).await;
        assert!(matches!(result, Err(CallError::UnknownMethod { .. })), "{result:?}");
    }
}

/// All items of a stream; the last is the error that ended it, if any.
pub(crate) async fn collect<T, E>(mut stream: Incoming<T, E>) -> Vec<Result<T, CallError<E>>> {
    let mut items = Vec::new();
    while let Some(item) = stream.next().await {
        items.push(item);
    }
    items
}

/// Implements the same methods for server and client. Methods after `echo` return their argument.
macro_rules! both_sides {
    ($who:ident, $generation:ident: echo $($name:ident),+ $(; $($methods:tt)*)?) => {
        crate::calls::both_sides!($who, $generation:
            $(fn $name(name: String) -> Result<String, kaa_rpc_runtime::Fault> {
                Ok(name)
            })+
            $($($methods)*)?
        );
    };
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

/// The result of a call from one generation to the other: the same from client to server and from server to client.
macro_rules! call {
    ($who:ident: $from:ident => $to:ident, |$proxy:ident| $call:expr) => {{
        let pair = crate::calls::connect($to::Meeting::server($who), $from::Meeting::client($who)).await;
        let $proxy: $from::MeetingServerProxy = pair.proxy();
        let by_client = $call.await;
        crate::calls::assert_connected(&pair).await;
        let pair = crate::calls::connect($from::Meeting::server($who), $to::Meeting::client($who)).await;
        let $proxy: $from::MeetingClientProxy = pair.peer.proxy();
        let by_server = $call.await;
        crate::calls::assert_connected(&pair).await;
        assert_eq!(by_client, by_server);
        by_client
    }};
}

/// A method that returns its argument works from either generation to the other.
macro_rules! assert_echo {
    ($who:ident, $name:ident) => {
        assert_eq!(crate::calls::call!($who: new => old, |to| to.$name("me")), Ok("me".to_owned()));
        assert_eq!(crate::calls::call!($who: old => new, |to| to.$name("me")), Ok("me".to_owned()));
    };
}

/// A method that the other generation lacks.
pub(crate) fn unknown_method<T, E>(method: &str) -> Result<T, CallError<E>> {
    Err(CallError::UnknownMethod { method: format!("pair.{method}") })
}

pub(crate) use {assert_echo, both_sides, call};
