//! What can go wrong, from a user's side: a call ([`CallError`]), a handler ([`Fault`], [`Failure`]), a connection
//! ([`ConnectError`], [`CloseReason`]).
//!
//! Invariant: a message that crosses the connection is an error's own `Display` text, never its source chain, its
//! `Debug` form, a backtrace or a panic's payload.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::io;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use crate::codec::{DecodeError, EncodeError};
use crate::protocol::error::ProtocolError;
use crate::secret::SecretError;
use crate::service::RegisterError;
use crate::transport::{AddressError, TransportError};

/// Marks the error types that a schema declares. Implemented by generated code.
pub trait DeclaredError: Error + Send + Sync + 'static {}

impl DeclaredError for Infallible {}

/// Why a call did not return a value. `E` is the error type the method declares, [`Infallible`] if it has none.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum CallError<E = Infallible> {
    /// The handler returned the error that its method declares.
    Declared(E),
    /// The handler failed with something else; this is what it said.
    Fault(String),
    /// The peer has no service with this method.
    UnknownMethod {
        /// The method, as `package.Service.method`.
        method: String,
    },
    /// The peer could not decode the arguments.
    BadRequest(String),
    /// The arguments could not be encoded; the call was not made.
    Unencodable(EncodeError),
    /// The reply could not be decoded.
    BadReply(DecodeError),
    /// An item of a stream could not be decoded. The stream was stopped.
    BadItem(DecodeError),
    /// The peer's stream broke off before its end; this is why.
    Broken(String),
    /// A limit of the peer was reached; the text says which.
    ResourceExhausted(String),
    /// An interceptor of either side refused the call before its handler was run; the text says why.
    Refused(String),
    /// The time given to the call has passed.
    DeadlineExceeded {
        /// Whether the call was run.
        outcome: Outcome,
    },
    /// The peer cancelled the call.
    Cancelled,
    /// The call or its reply is larger than a frame may be.
    TooLarge {
        /// Which of them.
        what: MessageKind,
        /// Its bytes, as far as they were counted.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The connection is gone, or never came to be.
    Disconnected {
        /// Whether the call was run.
        outcome: Outcome,
        /// Why there is no connection.
        reason: CloseReason,
    },
}

/// The messages of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// The call with its arguments.
    Call,
    /// The reply with its result.
    Reply,
    /// One item of a stream.
    Item,
}

/// Whether a failed call had an effect at the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Its handler ran to an end, and this failure is that end.
    Run,
    /// Its handler did not run and will not: the call can be made again.
    NotSent,
    /// Its handler may have run, in part or in whole.
    Unknown,
}

impl<E> CallError<E> {
    /// Whether the call's handler was run, was not, or whether nobody can tell. Where an idempotent call was sent again,
    /// what the peer said is of the last time.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Declared(_) | Self::Fault(_) | Self::BadReply(_) => Outcome::Run,
            Self::UnknownMethod { .. } | Self::BadRequest(_) | Self::Unencodable(_) | Self::Refused(_) => {
                Outcome::NotSent
            }
            Self::TooLarge { what: MessageKind::Call, .. } => Outcome::NotSent,
            Self::TooLarge { what: MessageKind::Reply, .. } => Outcome::Run,
            Self::TooLarge { what: MessageKind::Item, .. } => Outcome::Unknown,
            Self::BadItem(_) | Self::Broken(_) | Self::ResourceExhausted(_) | Self::Cancelled => {
                Outcome::Unknown
            }
            Self::DeadlineExceeded { outcome } | Self::Disconnected { outcome, .. } => *outcome,
        }
    }
}

impl<E: fmt::Display> fmt::Display for CallError<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Declared(error) => error.fmt(formatter),
            Self::Fault(message) => write!(formatter, "the remote handler failed: {message}"),
            Self::UnknownMethod { method } => {
                write!(
                    formatter,
                    "the peer does not know the method {method}, or its service is not registered there"
                )
            }
            Self::BadRequest(message) => {
                write!(formatter, "the peer could not decode the arguments: {message}")
            }
            Self::Unencodable(error) => write!(formatter, "the arguments could not be encoded: {error}"),
            Self::BadReply(error) => write!(formatter, "the reply could not be decoded: {error}"),
            Self::BadItem(error) => write!(formatter, "an item of the stream could not be decoded: {error}"),
            Self::Broken(message) => write!(formatter, "the stream broke off: {message}"),
            Self::ResourceExhausted(what) => write!(formatter, "the peer has reached a limit: {what}"),
            Self::Refused(why) => write!(formatter, "the call was refused: {why}"),
            Self::DeadlineExceeded { .. } => formatter.write_str("the call's deadline has passed"),
            Self::Cancelled => formatter.write_str("the peer cancelled the call"),
            Self::TooLarge { what: MessageKind::Call, size, limit } => {
                write!(formatter, "the call has {size} bytes or more, over the limit of {limit}")
            }
            Self::TooLarge { what: MessageKind::Reply, size, limit } => {
                write!(formatter, "the reply has {size} bytes or more, over the limit of {limit}")
            }
            Self::TooLarge { what: MessageKind::Item, size, limit } => {
                write!(formatter, "an item of the stream has {size} bytes or more, over the limit of {limit}")
            }
            Self::Disconnected { outcome, reason } => {
                let state = match outcome {
                    Outcome::NotSent => "the call was not sent",
                    Outcome::Run | Outcome::Unknown => "the call may have been run",
                };
                write!(formatter, "{reason}; {state}")
            }
        }
    }
}

impl<E: Error + 'static> Error for CallError<E> {
    /// What is behind a declared error. All others say everything themselves.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Declared(error) => error.source(),
            _ => None,
        }
    }
}

/// Why a connection is over, or why a call found none.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum CloseReason {
    /// This side closed it, or its [`Client`](crate::Client) or [`Server`](crate::Server) was dropped.
    ClosedLocally,
    /// The peer said goodbye; with its reason if it gave one.
    ClosedByPeer {
        /// What the peer said.
        message: String,
    },
    /// The transport ended without a goodbye.
    ConnectionLost(Option<Arc<io::Error>>),
    /// The connection never came to be.
    NotConnected(ConnectError),
    /// The peer broke the protocol and was cut off.
    Protocol(ProtocolError),
    /// The peer did not take or send anything for too long.
    PeerStalled,
}

impl CloseReason {
    /// How the child process ended at the other end, where that is why the connection is over: it was not closed by either
    /// side. Needs the feature `process`, or there are no child processes.
    #[must_use]
    pub fn exit_status(&self) -> Option<ExitStatus> {
        let (Self::ConnectionLost(Some(error)) | Self::NotConnected(ConnectError::Io(error))) = self else {
            return None;
        };
        error.get_ref()?.downcast_ref::<ProcessEnded>().map(|ended| ended.status)
    }
}

/// A child process ended: the cause of a [`CloseReason::ConnectionLost`], or of a [`ConnectError::Io`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the child process {pid} ended with {status}")]
#[non_exhaustive]
pub struct ProcessEnded {
    /// Its process id.
    pub pid: u32,
    /// How it ended.
    pub status: ExitStatus,
}

impl PartialEq for CloseReason {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::ClosedLocally, Self::ClosedLocally) | (Self::PeerStalled, Self::PeerStalled) => true,
            (Self::ClosedByPeer { message: a }, Self::ClosedByPeer { message: b }) => a == b,
            (Self::ConnectionLost(a), Self::ConnectionLost(b)) => {
                a.as_ref().map(|error| error.kind()) == b.as_ref().map(|error| error.kind())
            }
            (Self::NotConnected(a), Self::NotConnected(b)) => a.to_string() == b.to_string(),
            (Self::Protocol(a), Self::Protocol(b)) => a == b,
            _ => false,
        }
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClosedLocally => formatter.write_str(
                "the connection was closed on this side: it was shut down, or what held it dropped",
            ),
            Self::ClosedByPeer { message } if message.is_empty() => {
                formatter.write_str("the peer closed the connection")
            }
            Self::ClosedByPeer { message } => write!(formatter, "the peer closed the connection: {message}"),
            Self::ConnectionLost(None) => formatter.write_str("the connection was lost"),
            Self::ConnectionLost(Some(error)) => write!(formatter, "the connection was lost: {error}"),
            Self::NotConnected(error) => write!(formatter, "there is no connection: {error}"),
            Self::Protocol(error) => write!(formatter, "the connection was cut: {error}"),
            Self::PeerStalled => formatter.write_str("the peer stalled"),
        }
    }
}

/// The text says everything, the cause included.
impl Error for CloseReason {}

/// Why a client has no connection.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// Authentication failed.
    #[error("authentication failed: {0}")]
    Authentication(AuthenticationError),
    /// The peers have no protocol version in common.
    #[error("no protocol version in common: this side speaks {ours:?}, the peer {theirs:?}")]
    Version {
        /// Versions of this side.
        ours: Vec<u8>,
        /// Versions of the peer.
        theirs: Vec<u8>,
    },
    /// The two schemas contradict each other.
    #[error("the peers' schemas do not fit together: {0}")]
    Schema(String),
    /// The peer takes no more connections now.
    #[error("the peer is busy")]
    Busy {
        /// When to try again, if the peer said.
        retry_after: Option<Duration>,
    },
    /// There has been no connection yet, and the caller would not wait: [`Peer::fail_fast`](crate::Peer::fail_fast).
    #[error("it is still being made")]
    StillConnecting,
    /// The peer is this very program object.
    #[error("a connection to oneself was refused")]
    SelfConnection,
    /// The peer did not answer in time.
    #[error("the handshake did not finish within {0:?}")]
    Timeout(Duration),
    /// What answered does not speak this protocol, or speaks it wrongly.
    #[error("{0}")]
    Protocol(String),
    /// The transport gave no connection.
    #[error("{}", Chain(.0.as_ref()))]
    Transport(Arc<TransportError>),
    /// The source of secrets gave none.
    #[error("no secret to prove: {0}")]
    Secret(Arc<SecretError>),
    /// The connection was lost during the handshake.
    #[error("the connection was lost during the handshake: {0}")]
    Io(Arc<io::Error>),
}

impl ConnectError {
    /// Whether trying again later may help without anybody changing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Busy { .. } | Self::Timeout(_) | Self::Io(_) | Self::Secret(_) | Self::StillConnecting => {
                true
            }
            Self::Transport(error) => match error.as_ref() {
                TransportError::Connect { .. } | TransportError::Resolve { .. } => true,
                TransportError::Tls { source, .. } => source.is_transient(),
                // A program that is not there, or may not be run, does not change by itself.
                TransportError::Spawn { source, .. } => {
                    !matches!(source.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied)
                }
                _ => false,
            },
            Self::Authentication(_)
            | Self::Version { .. }
            | Self::Schema(_)
            | Self::SelfConnection
            | Self::Protocol(_) => false,
        }
    }
}

/// An error with all its causes in one line.
struct Chain<'a>(&'a dyn Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.0, formatter)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(formatter, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

/// Why a client or server cannot be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The address is no address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// No secret was given.
    #[error("no secret was given: call secret(…), for instance with Secret::from_file")]
    MissingSecret,
    /// A service cannot be registered.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// There is no tokio runtime to run on.
    #[error("there is no tokio runtime here: call this within one, for instance under #[tokio::main]")]
    NoRuntime,
    /// The thread that works for programs without async cannot be started.
    #[error("the thread that does the work cannot be started")]
    NoThread(#[source] io::Error),
    /// The server takes no one more.
    #[error("the server is shut down")]
    ShutDown,
    /// The operating system gives no random bytes.
    #[error("the operating system gives no random bytes")]
    NoRandomness(#[source] io::Error),
    /// Nothing listens at the address.
    #[error("{}", Chain(.0))]
    Transport(TransportError),
}

impl From<TransportError> for SetupError {
    fn from(error: TransportError) -> Self {
        Self::Transport(error)
    }
}

impl From<Infallible> for SetupError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// How authentication failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum AuthenticationError {
    /// The peer did not accept this side's proof: the secrets, the key id or the audience differ.
    #[error(
        "the peer did not accept our proof of the shared secret: perhaps its secret, key id or audience is another"
    )]
    RejectedByPeer,
    /// The server could not prove that it has the secret. Nothing was sent to it.
    #[error("the server could not prove that it has the shared secret")]
    ServerProofInvalid,
    /// A connection without channel binding where one is required.
    #[error("the peer requires channel binding")]
    BindingRequired,
}

/// A handler's failure that its method does not declare: a message for the caller.
///
/// Any `std::error::Error` becomes one through `?`; like `anyhow::Error` it is therefore none itself.
pub struct Fault {
    kind: FaultKind,
}

enum FaultKind {
    Message(String),
    UnknownMethod,
}

impl Fault {
    /// A fault that tells the caller this.
    pub fn new(message: impl Into<String>) -> Self {
        Self { kind: FaultKind::Message(message.into()) }
    }

    /// A fault that tells the caller that the method does not exist here.
    #[must_use]
    pub fn unknown_method() -> Self {
        Self { kind: FaultKind::UnknownMethod }
    }

    /// What the caller is told.
    #[must_use]
    pub fn message(&self) -> &str {
        match &self.kind {
            FaultKind::Message(message) => message,
            FaultKind::UnknownMethod => "the method is not implemented",
        }
    }

    pub(crate) fn is_unknown_method(&self) -> bool {
        matches!(self.kind, FaultKind::UnknownMethod)
    }
}

impl fmt::Debug for Fault {
    /// The message as it is, so that `fn main() -> Result<(), Fault>` ends with words for people.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.message())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.message())
    }
}

impl<E: Error> From<E> for Fault {
    fn from(error: E) -> Self {
        Self::new(error.to_string())
    }
}

impl<E: DeclaredError> From<Failure<E>> for Fault {
    /// For whoever calls a handler directly, such as a test or another handler, and does not tell its errors apart.
    fn from(failure: Failure<E>) -> Self {
        match failure {
            Failure::Declared(error) => Self::from(error),
            Failure::Fault(fault) => fault,
        }
    }
}

impl<E: fmt::Display> fmt::Display for Failure<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Declared(error) => error.fmt(formatter),
            Self::Fault(fault) => fault.fmt(formatter),
        }
    }
}

/// How a method with `throws E` fails: with the declared error, or with a fault.
#[derive(Debug)]
pub enum Failure<E> {
    /// The declared error; `?` makes one of an `E`.
    Declared(E),
    /// Anything else; `.fault()?` makes one of any error.
    Fault(Fault),
}

impl<E: DeclaredError> From<E> for Failure<E> {
    fn from(error: E) -> Self {
        Self::Declared(error)
    }
}

impl<E: DeclaredError> From<CallError<E>> for Failure<E> {
    /// Passes on what another call ended with: the same declared error, or a fault.
    fn from(error: CallError<E>) -> Self {
        match error {
            CallError::Declared(error) => Self::Declared(error),
            error => Self::Fault(Fault::from(error)),
        }
    }
}

impl<E> From<Fault> for Failure<E> {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Turns any error into a [`Fault`], for methods that declare an error of their own.
pub trait IntoFault<T> {
    /// The same result with its error as a [`Fault`].
    ///
    /// # Errors
    /// The error's message as a fault.
    fn fault(self) -> Result<T, Fault>;
}

impl<T, E: Error> IntoFault<T> for Result<T, E> {
    fn fault(self) -> Result<T, Fault> {
        self.map_err(Fault::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, PartialEq, thiserror::Error)]
    #[error("no such thing")]
    struct NoSuchThing;

    impl DeclaredError for NoSuchThing {}

    #[test]
    fn a_handler_passes_on_what_another_call_declared() {
        fn handler(end: CallError<NoSuchThing>) -> Result<(), Failure<NoSuchThing>> {
            Err(end)?
        }
        assert!(matches!(handler(CallError::Declared(NoSuchThing)), Err(Failure::Declared(NoSuchThing))));
        let failure = handler(CallError::Cancelled).unwrap_err();
        assert_eq!(failure.to_string(), "the peer cancelled the call");
        assert!(matches!(failure, Failure::Fault(_)));
    }

    #[test]
    fn whoever_calls_a_handler_directly_may_take_its_failure_for_a_fault() {
        fn caller(end: Result<(), Failure<NoSuchThing>>) -> Result<(), Fault> {
            Ok(end?)
        }
        let declared = caller(Err(Failure::Declared(NoSuchThing)));
        assert_eq!(declared.unwrap_err().message(), "no such thing");
        let unknown = caller(Err(Failure::Fault(Fault::unknown_method())));
        assert!(unknown.unwrap_err().is_unknown_method());
    }

    #[test]
    fn a_fault_says_its_message_also_where_main_prints_it() {
        let fault = Fault::from(NoSuchThing);
        assert_eq!(format!("{fault:?}"), "no such thing");
    }

    #[test]
    fn an_error_says_its_cause_once() {
        let lost = CloseReason::ConnectionLost(Some(Arc::new(io::Error::other("the cable is cut"))));
        let error: CallError = CallError::Disconnected { outcome: Outcome::Unknown, reason: lost };
        let text = "the connection was lost: the cable is cut; the call may have been run";
        assert_eq!(error.to_string(), text);
        assert!(error.source().is_none());
        assert_eq!(Chain(&error).to_string(), text);
    }
}
