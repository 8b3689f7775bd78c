//! Pairs whose method `give` sends a `Thing` to the other generation, which returns it unchanged.

use std::fmt::Debug;
use std::sync::Arc;

use kaa_rpc_runtime::{CallError, Peer, Service, role};
use kaa_rpc_tests::fixture::Locked;

/// One generation of a pair whose `Meeting.give` takes a `Thing` and returns it, on both sides.
pub(crate) trait EchoGeneration {
    type Thing: Clone + Debug + PartialEq + Send + Sync + 'static;
    fn server(received: Received<Self::Thing>) -> Service<role::Server>;
    fn client(received: Received<Self::Thing>) -> Service<role::Client>;
    /// Calls `give` of a server or a client.
    fn give(to: Peer, thing: Self::Thing) -> impl Future<Output = Result<Self::Thing, CallError>> + Send;
}

/// The arguments that handlers received.
pub(crate) type Received<T> = Arc<Locked<Vec<T>>>;

/// Sends a thing from one generation to the other, from client to server and from server to client. Returns the result
/// and the received things of each call.
async fn give<From: EchoGeneration, To: EchoGeneration>(
    thing: &From::Thing,
) -> [(Result<From::Thing, CallError>, Vec<To::Thing>); 2] {
    let mut outcomes = Vec::new();
    for from_client in [true, false] {
        let (received, unused) = (Received::<To::Thing>::default(), Received::<From::Thing>::default());
        let (server, client) = if from_client {
            (To::server(Arc::clone(&received)), From::client(unused))
        } else {
            (From::server(unused), To::client(Arc::clone(&received)))
        };
        let pair = crate::calls::connect(server, client).await;
        let to = if from_client { pair.client.peer() } else { pair.peer.clone() };
        let result = From::give(to, thing.clone()).await;
        // A call that fails must not close the connection.
        crate::calls::assert_connected(&pair).await;
        outcomes.push((result, received.with(std::mem::take)));
    }
    outcomes.try_into().unwrap_or_else(|_| unreachable!())
}

/// Sends a thing. The other generation receives `received`, and the caller gets `returned`.
pub(crate) async fn cross<From: EchoGeneration, To: EchoGeneration>(
    sent: From::Thing,
    received: To::Thing,
    returned: From::Thing,
) {
    cross_as::<From, To>(sent, |thing| assert_eq!(*thing, received), returned).await;
}

/// As [`cross`], where the received thing cannot be written as a value: `check` looks at it.
pub(crate) async fn cross_as<From: EchoGeneration, To: EchoGeneration>(
    sent: From::Thing,
    check: impl Fn(&To::Thing),
    returned: From::Thing,
) {
    for (result, received) in give::<From, To>(&sent).await {
        assert_eq!(result.as_ref(), Ok(&returned));
        assert_eq!(received.len(), 1, "{received:?}");
        check(&received[0]);
    }
}

/// Sends a thing that the other generation does not accept: the call fails, and no handler receives it.
pub(crate) async fn fail<From: EchoGeneration, To: EchoGeneration>(
    sent: From::Thing,
    check: impl Fn(&CallError),
) {
    for (result, received) in give::<From, To>(&sent).await {
        check(&result.unwrap_err());
        assert_eq!(received, []);
    }
}

/// Defines `Old` and `New`, the two generations of a pair.
macro_rules! echo_both_generations {
    () => {
        crate::echo::echo_both_generations!(Old, old);
        crate::echo::echo_both_generations!(New, new);
    };
    ($name:ident, $generation:ident) => {
        struct $name(crate::echo::Received<$generation::Thing>);

        impl $name {
            fn echo(&self, thing: $generation::Thing) -> Result<$generation::Thing, kaa_rpc_runtime::Fault> {
                self.0.with(|received| received.push(thing.clone()));
                Ok(thing)
            }
        }

        impl $generation::MeetingServer for $name {
            async fn give(
                &self,
                _: kaa_rpc_runtime::Context<$generation::MeetingClientProxy>,
                thing: $generation::Thing,
            ) -> Result<$generation::Thing, kaa_rpc_runtime::Fault> {
                self.echo(thing)
            }
        }

        impl $generation::MeetingClient for $name {
            async fn give(
                &self,
                _: kaa_rpc_runtime::Context<$generation::MeetingServerProxy>,
                thing: $generation::Thing,
            ) -> Result<$generation::Thing, kaa_rpc_runtime::Fault> {
                self.echo(thing)
            }
        }

        impl crate::echo::EchoGeneration for $name {
            type Thing = $generation::Thing;

            fn server(
                received: crate::echo::Received<Self::Thing>,
            ) -> kaa_rpc_runtime::Service<kaa_rpc_runtime::role::Server> {
                $generation::Meeting::server(Self(received))
            }

            fn client(
                received: crate::echo::Received<Self::Thing>,
            ) -> kaa_rpc_runtime::Service<kaa_rpc_runtime::role::Client> {
                $generation::Meeting::client(Self(received))
            }

            async fn give(
                to: kaa_rpc_runtime::Peer,
                thing: Self::Thing,
            ) -> Result<Self::Thing, kaa_rpc_runtime::CallError> {
                if to.is_accepted() {
                    to.proxy::<$generation::MeetingClientProxy>().give(thing).await
                } else {
                    to.proxy::<$generation::MeetingServerProxy>().give(thing).await
                }
            }
        }
    };
}

pub(crate) use echo_both_generations;
