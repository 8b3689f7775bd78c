//! Services as programs register them, and inbound calls as generated dispatch code handles them.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::codec::{DecodeError, Decoder, Encoded, Encoder, Wire};
use crate::connection::{
    Answer, HandlerFuture, InboundCall, InboundState, Instance, Instantiate, Placement, Registered,
};
use crate::context::Context;
use crate::descriptor::ServiceDescriptor;
use crate::error::{Failure, Fault};
use crate::peer::{Peer, Proxy};
use crate::protocol::frame::Status;
use crate::stream::{Incoming, StreamFailure, StreamSink, Streamed};

/// The sides that serve: the type parameter of [`Service`] and of proxies.
pub mod role {
    use crate::connection::Side;
    use crate::descriptor::{MethodDescriptor, ServiceDescriptor};

    /// The accepting side.
    #[derive(Debug, Clone, Copy)]
    pub struct Server;
    /// The connecting side.
    #[derive(Debug, Clone, Copy)]
    pub struct Client;

    type Methods = &'static [&'static MethodDescriptor];

    pub(crate) trait Role {
        /// The side of a connection that serves.
        const SIDE: Side;
        /// The methods that this side serves.
        fn methods(descriptor: &'static ServiceDescriptor) -> Methods;
    }

    impl Role for Server {
        const SIDE: Side = Side::Accepting;

        fn methods(descriptor: &'static ServiceDescriptor) -> Methods {
            descriptor.server_methods
        }
    }

    impl Role for Client {
        const SIDE: Side = Side::Connecting;

        fn methods(descriptor: &'static ServiceDescriptor) -> Methods {
            descriptor.client_methods
        }
    }
}

/// A service that can be registered: the result of `Epg::server(…)` and `Epg::client(…)`. `R` is the side
/// that serves it.
pub struct Service<R> {
    registered: Registered,
    role: PhantomData<fn() -> R>,
}

/// The result of dispatching a call: its handler, or nothing if the call is answered already.
pub struct Handling(Option<HandlerFuture>);

impl fmt::Debug for Handling {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Handling").field("is_running", &self.0.is_some()).finish()
    }
}

/// A generated function that looks up the method of a call and runs it.
pub(crate) type Dispatch<S> = fn(&Arc<S>, InboundCall) -> Handling;

#[expect(private_bounds, reason = "there are only two roles")]
impl<R: role::Role> Service<R> {
    /// A service with one implementation for all connections.
    pub fn shared<S: Send + Sync + 'static>(
        descriptor: &'static ServiceDescriptor,
        service: S,
        dispatch: Dispatch<S>,
    ) -> Self {
        let instance: Arc<dyn Instance> = Arc::new(Served { service: Arc::new(service), dispatch });
        Self::new(descriptor, Arc::new(move |_| Arc::clone(&instance)))
    }

    /// A service with a new implementation for each connection, created when the connection is authenticated.
    pub fn per_connection<P: Proxy, S: Send + Sync + 'static>(
        descriptor: &'static ServiceDescriptor,
        factory: impl Fn(P) -> S + Send + Sync + 'static,
        dispatch: Dispatch<S>,
    ) -> Self {
        Self::new(
            descriptor,
            Arc::new(move |link| {
                let service = Arc::new(factory(P::from_peer(Peer::of_link(Arc::clone(link)))));
                Arc::new(Served { service, dispatch })
            }),
        )
    }

    fn new(descriptor: &'static ServiceDescriptor, instantiate: Instantiate) -> Self {
        let methods = R::methods(descriptor);
        let registered = Registered { descriptor, methods, instantiate, placement: Placement::default() };
        Self { registered, role: PhantomData }
    }

    /// Runs each handler as a separate task from the start. By default the connection's task polls a handler
    /// once: this is faster for short handlers, and delays the connection for long ones. Arguments are
    /// decoded in the order of the calls in both cases, but the runtime decides in which order the tasks run.
    #[must_use]
    pub fn spawned(mut self) -> Self {
        self.registered.placement = Placement::Task;
        self
    }

    /// Runs each handler on a thread of tokio's blocking pool, so that it may wait for files, for locks, or
    /// for calls with [`Call::wait`](crate::Call::wait). A blocked handler is not dropped before it awaits
    /// something or returns, even if its caller is gone. As with [`Service::spawned`], the order in which
    /// handlers run is not defined. The pool has 512 threads by default. When all are in use, handlers wait
    /// for one, including those of nested calls.
    #[must_use]
    pub fn blocking(mut self) -> Self {
        self.registered.placement = Placement::Blocking;
        self
    }

    /// The service's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.registered.descriptor.name
    }

    pub(crate) fn into_registered(self) -> Registered {
        self.registered
    }
}

impl<R> fmt::Debug for Service<R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Service").field(&self.registered.descriptor.name).finish()
    }
}

/// An implementation with its dispatch function.
struct Served<S> {
    service: Arc<S>,
    dispatch: Dispatch<S>,
}

impl<S: Send + Sync + 'static> Instance for Served<S> {
    #[inline]
    fn dispatch(&self, call: InboundCall) -> Option<HandlerFuture> {
        (self.dispatch)(&self.service, call).0
    }
}

impl InboundCall {
    /// The method's id.
    #[must_use]
    #[inline]
    pub fn method_id(&self) -> u32 {
        self.state.method.0
    }

    /// Handles a call that can fail with a fault only.
    #[inline]
    pub fn unary<P, W, A, F>(
        self,
        decode: impl FnOnce(&mut Decoder<'_>) -> Result<A, DecodeError>,
        run: impl FnOnce(Context<P>, A) -> F,
    ) -> Handling
    where
        P: Proxy,
        W: Wire,
        F: Future<Output = Result<W::Value, Fault>> + Send + 'static,
    {
        self.handle(decode, run, |state, result| match result {
            Ok(value) => answer_value::<W>(state, Status::Ok, &value),
            Err(fault) => answer_fault(state, &fault),
        })
    }

    /// Handles a call whose method declares an error.
    #[inline]
    pub fn unary_throws<P, W, E, A, F>(
        self,
        decode: impl FnOnce(&mut Decoder<'_>) -> Result<A, DecodeError>,
        run: impl FnOnce(Context<P>, A) -> F,
    ) -> Handling
    where
        P: Proxy,
        W: Wire,
        E: Wire,
        F: Future<Output = Result<W::Value, Failure<E::Value>>> + Send + 'static,
    {
        self.handle(decode, run, |state, result| match result {
            Ok(value) => answer_value::<W>(state, Status::Ok, &value),
            Err(failure) => answer_failure::<E>(state, failure),
        })
    }

    /// Handles a oneway call. A failure is logged.
    pub fn oneway<P, A, F>(
        self,
        decode: impl FnOnce(&mut Decoder<'_>) -> Result<A, DecodeError>,
        run: impl FnOnce(Context<P>, A) -> F,
    ) -> Handling
    where
        P: Proxy,
        F: Future<Output = Result<(), Fault>> + Send + 'static,
    {
        self.handle(decode, run, |state, result| match result {
            Ok(()) => state.answer(Answer::Text(Status::Ok, "")),
            Err(fault) => {
                tracing::warn!(method = state.method.0, %fault, "a oneway call failed");
                state.answer(Answer::Text(Status::Fault, ""));
            }
        })
    }

    /// The stream parameter of this call. It must be taken before the call is handled.
    pub fn incoming<I: Wire>(&self) -> Incoming<I::Value> {
        Incoming::of_call::<I>(Arc::clone(&self.state))
    }

    /// Handles a call that returns a stream and can fail with a fault only.
    #[inline]
    pub fn stream<P, W, A, F>(
        self,
        decode: impl FnOnce(&mut Decoder<'_>) -> Result<A, DecodeError>,
        run: impl FnOnce(Context<P>, A, StreamSink<W>) -> F,
    ) -> Handling
    where
        P: Proxy,
        W: Wire,
        F: Future<Output = Streamed<Fault>> + Send + 'static,
    {
        self.handle_stream(decode, run, |state, fault| answer_fault(state, &fault))
    }

    /// Handles a call that returns a stream and whose method declares an error.
    #[inline]
    pub fn stream_throws<P, W, E, A, F>(
        self,
        decode: impl FnOnce(&mut Decoder<'_>) -> Result<A, DecodeError>,
        run: impl FnOnce(Context<P>, A, StreamSink<W, Failure<E::Value>>) -> F,
    ) -> Handling
    where
        P: Proxy,
        W: Wire,
        E: Wire,
        E::Value: 'static,
        F: Future<Output = Streamed<Failure<E::Value>>> + Send + 'static,
    {
        self.handle_stream(decode, run, answer_failure::<E>)
    }

    #[inline]
    fn handle_stream<P, W, A, F, X>(
        self,
        decode: impl FnOnce(&mut Decoder<'_>) -> Result<A, DecodeError>,
        run: impl FnOnce(Context<P>, A, StreamSink<W, X>) -> F,
        answer_failure: fn(&InboundState, X),
    ) -> Handling
    where
        P: Proxy,
        W: Wire,
        X: 'static,
        F: Future<Output = Streamed<X>> + Send + 'static,
    {
        let sink_call = Arc::clone(&self.state);
        let run = |context, arguments| run(context, arguments, StreamSink::new(sink_call));
        self.handle(decode, run, move |state, Streamed(end)| match end {
            Ok(()) => state.answer(Answer::Text(Status::Ok, "")),
            Err(StreamFailure::Unencodable(error)) => {
                state.answer(Answer::Value(Status::Ok, &mut |_| Err(error.clone())));
            }
            Err(StreamFailure::Closed) => state.answer(Answer::Text(Status::Cancelled, "")),
            Err(StreamFailure::Producer(failure)) => answer_failure(state, failure),
        })
    }

    /// Decodes the arguments and runs the handler, then answers with its result.
    #[inline]
    fn handle<P, A, F>(
        self,
        decode: impl FnOnce(&mut Decoder<'_>) -> Result<A, DecodeError>,
        run: impl FnOnce(Context<P>, A) -> F,
        answer: impl FnOnce(&InboundState, F::Output) + Send + 'static,
    ) -> Handling
    where
        P: Proxy,
        F: Future + Send + 'static,
    {
        let Some(arguments) = self.arguments(decode) else { return Handling(None) };
        let work = run(Context::new(Arc::clone(&self.state)), arguments);
        let state = self.state;
        Handling(Some(Box::pin(async move {
            let result = work.await;
            answer(&state, result);
        })))
    }

    /// Answers that the method is unknown.
    #[must_use]
    pub fn unknown_method(self) -> Handling {
        self.state.answer(Answer::Text(Status::UnknownMethod, ""));
        Handling(None)
    }

    #[inline]
    fn arguments<A>(&self, decode: impl FnOnce(&mut Decoder<'_>) -> Result<A, DecodeError>) -> Option<A> {
        match decode(&mut Decoder::new(&self.payload, self.state.link.settings.decode)) {
            Ok(arguments) => Some(arguments),
            Err(error) => {
                if self.state.oneway {
                    self.state.link.count_dropped_oneway();
                    tracing::debug!(method = self.method_id(), %error, "dropped a oneway call: undecodable arguments");
                }
                self.state.answer(Answer::Text(Status::BadRequest, &error.to_string()));
                None
            }
        }
    }
}

#[inline]
fn answer_value<W: Wire>(state: &InboundState, status: Status, value: &W::Value) {
    if W::FOREIGN {
        let encoded = Encoded::new(state.link.frame_limit(), |encoder| W::encode(value, encoder));
        state.answer(Answer::Value(status, &mut |encoder: &mut Encoder<'_>| encoded.write(encoder)));
        return;
    }
    state.answer(Answer::Value(status, &mut |encoder: &mut Encoder<'_>| W::encode(value, encoder)));
}

#[inline]
fn answer_failure<E: Wire>(state: &InboundState, failure: Failure<E::Value>) {
    match failure {
        Failure::Declared(error) => answer_value::<E>(state, Status::Declared, &error),
        Failure::Fault(fault) => answer_fault(state, &fault),
    }
}

#[cold]
fn answer_fault(state: &InboundState, fault: &Fault) {
    if fault.is_unknown_method() {
        return state.answer(Answer::Text(Status::UnknownMethod, ""));
    }
    if state.link.settings.hides_faults {
        let id = uuid::Uuid::from_bytes(crate::random::bytes().unwrap_or_default());
        tracing::warn!(method = state.method.0, fault = %fault, %id, "a handler failed");
        return state.answer(Answer::Text(Status::Fault, &format!("internal error {id}")));
    }
    state.answer(Answer::Text(Status::Fault, fault.message()));
}
