//! Pairs in which one `Thing` crosses: it is given to the other generation, which looks at it and gives it back.

use std::fmt::Debug;
use std::sync::Arc;

use kaa_rpc_runtime::{CallError, Peer, Service, role};
use kaa_rpc_tests::fixture::{self, Locked, Pair};

/// One generation of a pair whose `Meeting.give` takes a `Thing` and returns it, on both sides.
pub(crate) trait Echoing {
    type Thing: Clone + Debug + PartialEq + Send + Sync + 'static;
    fn server(seen: Seen<Self::Thing>) -> Service<role::Server>;
    fn client(seen: Seen<Self::Thing>) -> Service<role::Client>;
    /// Calls `give` of the server, or of the client.
    fn give(to: Peer, thing: Self::Thing) -> impl Future<Output = Result<Self::Thing, CallError>> + Send;
}

/// What handlers were given.
pub(crate) type Seen<T> = Arc<Locked<Vec<T>>>;

/// Gives a thing from one generation to the other: from client to server and from server to client.
async fn give<From: Echoing, To: Echoing>(
    thing: &From::Thing,
) -> [(Result<From::Thing, CallError>, Vec<To::Thing>); 2] {
    let mut outcomes = Vec::new();
    for from_client in [true, false] {
        let (seen, unused) = (Seen::<To::Thing>::default(), Seen::<From::Thing>::default());
        let (server, client) = if from_client {
            (To::server(Arc::clone(&seen)), From::client(unused))
        } else {
            (From::server(unused), To::client(Arc::clone(&seen)))
        };
        let server = fixture::server().unwrap().register(server);
        let met = Pair::over_unix(server, fixture::client().unwrap().register(client)).await.unwrap();
        let to = if from_client { met.client.peer() } else { met.peer.clone() };
        let outcome = From::give(to, thing.clone()).await;
        // Whatever became of it, the connection is well.
        assert!(met.client.peer().is_connected());
        outcomes.push((outcome, seen.with(std::mem::take)));
    }
    outcomes.try_into().unwrap_or_else(|_| unreachable!())
}

/// Sends a thing, which the other generation sees as this and gives back as that.
pub(crate) async fn cross<From: Echoing, To: Echoing>(sent: From::Thing, seen: To::Thing, back: From::Thing) {
    cross_as::<From, To>(sent, |saw| assert_eq!(*saw, seen), back).await;
}

/// The same where what is seen cannot be written down.
pub(crate) async fn cross_as<From: Echoing, To: Echoing>(
    sent: From::Thing,
    look: impl Fn(&To::Thing),
    back: From::Thing,
) {
    for (outcome, seen) in give::<From, To>(&sent).await {
        assert_eq!(outcome.as_ref(), Ok(&back));
        assert_eq!(seen.len(), 1);
        look(&seen[0]);
    }
}

/// Sends a thing that does not arrive: the call fails, and no handler sees it.
pub(crate) async fn fail<From: Echoing, To: Echoing>(sent: From::Thing, look: impl Fn(&CallError)) {
    for (outcome, seen) in give::<From, To>(&sent).await {
        look(&outcome.unwrap_err());
        assert_eq!(seen, []);
    }
}

/// Makes `Old` and `New` of a pair's generations.
macro_rules! echoes {
    () => {
        crate::echo::echoes!(Old, old);
        crate::echo::echoes!(New, new);
    };
    ($name:ident, $generation:ident) => {
        struct $name(crate::echo::Seen<$generation::Thing>);

        impl $name {
            fn echo(&self, thing: $generation::Thing) -> Result<$generation::Thing, kaa_rpc_runtime::Fault> {
                self.0.with(|seen| seen.push(thing.clone()));
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

        impl crate::echo::Echoing for $name {
            type Thing = $generation::Thing;

            fn server(
                seen: crate::echo::Seen<Self::Thing>,
            ) -> kaa_rpc_runtime::Service<kaa_rpc_runtime::role::Server> {
                $generation::Meeting::server(Self(seen))
            }

            fn client(
                seen: crate::echo::Seen<Self::Thing>,
            ) -> kaa_rpc_runtime::Service<kaa_rpc_runtime::role::Client> {
                $generation::Meeting::client(Self(seen))
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

pub(crate) use echoes;
