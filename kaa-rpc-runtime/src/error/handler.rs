//! How handlers fail: with a declared error, or with a [`Fault`].

use std::convert::Infallible;
use std::error::Error;
use std::fmt;

use super::call::CallError;

/// Marks the error types that a schema declares. Generated code implements it.
pub trait DeclaredError: Error + Send + Sync + 'static {}

impl DeclaredError for Infallible {}

/// A handler's failure that its method does not declare: a message for the caller.
///
/// `?` converts any `std::error::Error` into a fault. Therefore a fault itself does not implement `Error`, as
/// `anyhow::Error` does not.
pub struct Fault {
    kind: FaultKind,
}

enum FaultKind {
    Message(String),
    UnknownMethod,
}

impl Fault {
    /// A fault with this message for the caller.
    pub fn new(message: impl Into<String>) -> Self {
        Self { kind: FaultKind::Message(message.into()) }
    }

    /// A fault that the caller receives as [`CallError::UnknownMethod`].
    #[must_use]
    pub fn unknown_method() -> Self {
        Self { kind: FaultKind::UnknownMethod }
    }

    /// The message for the caller.
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
    /// The plain message, so that `fn main() -> Result<(), Fault>` prints readable text.
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
    /// For code that calls a handler directly, such as a test or another handler, and does not distinguish
    /// its errors.
    fn from(failure: Failure<E>) -> Self {
        match failure {
            Failure::Declared(error) => Self::from(error),
            Failure::Fault(fault) => fault,
        }
    }
}

/// How a method with `throws E` fails: with the declared error, or with a fault.
#[derive(Debug)]
pub enum Failure<E> {
    /// The declared error. `?` converts an `E` into it.
    Declared(E),
    /// Any other error. `.fault()?` converts it.
    Fault(Fault),
}

impl<E: fmt::Display> fmt::Display for Failure<E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Declared(error) => error.fmt(formatter),
            Self::Fault(fault) => fault.fmt(formatter),
        }
    }
}

impl<E: DeclaredError> From<E> for Failure<E> {
    fn from(error: E) -> Self {
        Self::Declared(error)
    }
}

impl<E: DeclaredError> From<CallError<E>> for Failure<E> {
    /// Passes on how another call ended: the same declared error, or a fault.
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

/// Converts any error into a [`Fault`], in methods that declare an error.
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
    fn call_error_becomes_a_failure() {
        fn handler(end: CallError<NoSuchThing>) -> Result<(), Failure<NoSuchThing>> {
            Err(end)?
        }
        assert!(matches!(handler(CallError::Declared(NoSuchThing)), Err(Failure::Declared(NoSuchThing))));
        let failure = handler(CallError::Cancelled).unwrap_err();
        assert_eq!(failure.to_string(), "the peer cancelled the call");
        assert!(matches!(failure, Failure::Fault(_)));
    }

    #[test]
    fn failure_becomes_a_fault() {
        fn caller(end: Result<(), Failure<NoSuchThing>>) -> Result<(), Fault> {
            Ok(end?)
        }
        let declared = caller(Err(Failure::Declared(NoSuchThing)));
        assert_eq!(declared.unwrap_err().message(), "no such thing");
        let unknown = caller(Err(Failure::Fault(Fault::unknown_method())));
        assert!(unknown.unwrap_err().is_unknown_method());
    }

    #[test]
    fn fault_debug_prints_the_message() {
        let fault = Fault::from(NoSuchThing);
        assert_eq!(format!("{fault:?}"), "no such thing");
    }
}
