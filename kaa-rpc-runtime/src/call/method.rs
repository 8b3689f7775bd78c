//! Generated calls: a method with its arguments.

use crate::codec::{EncodeError, Encoder, Wire};
use crate::descriptor::MethodDescriptor;
use crate::error::CallError;

/// A method with its arguments.
pub trait Method: Send + Sync + 'static {
    /// How the result is encoded.
    type Returns: Wire;
    /// How the declared error is encoded; `Infallible` if none is declared.
    type Throws: Wire;
    /// Which method it is.
    const DESCRIPTOR: &'static MethodDescriptor;
    /// Whether encoding the arguments runs the user's own code. If so, they are not encoded under a
    /// connection's lock.
    const FOREIGN: bool = false;
    /// Encodes the arguments.
    ///
    /// # Errors
    /// An argument over its bound, or arguments over the frame limit.
    fn encode_arguments(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError>;
}

/// A method with a stream parameter.
pub trait StreamMethod: Method {
    /// How an item of the stream parameter is encoded.
    type Item: Wire;
}

/// The Rust type of values that are encoded as `W`.
pub(super) type Value<W> = <W as Wire>::Value;

/// The result of a call.
pub(super) type Reply<M> = Result<Value<<M as Method>::Returns>, CallError<Value<<M as Method>::Throws>>>;
