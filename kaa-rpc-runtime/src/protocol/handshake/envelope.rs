//! Takes complete handshake messages from the input (`docs/wire.md`, clause 2.2).
//!
//! Invariants: only the bytes of the message are taken. Input that cannot become the expected message is
//! refused at the first wrong byte. It does not wait for the rest of a length that another protocol did not
//! mean as one.

use bytes::{Bytes, BytesMut};

use super::error::HandshakeError;
use super::message::{MAGIC, MessageType};

/// The maximum length of a handshake message in bytes, without its length field (clause 2.2).
pub const MAX_MESSAGE: usize = 1024;

/// The maximum number of bytes that an error repeats from a peer with another protocol.
const MAX_QUOTED: usize = 16;

/// The next complete message, if it has arrived. If the first message is not the expected one, the peer uses
/// another protocol.
pub(super) fn next_message(
    input: &mut BytesMut,
    expected: MessageType,
    place: Place,
) -> Result<Option<(MessageType, Bytes)>, HandshakeError> {
    let Some((length_field, rest)) = input.split_first_chunk::<2>() else { return Ok(None) };
    let length = u16::from_be_bytes(*length_field);
    if length == 0 || usize::from(length) > MAX_MESSAGE {
        return Err(match place {
            Place::First => other_protocol(input),
            Place::Later => HandshakeError::MessageLength { length },
        });
    }
    let Some((&type_byte, fields)) = rest.split_first() else { return Ok(None) };
    let message_type = match MessageType::from_byte(type_byte) {
        Some(message_type) if message_type == expected || may_replace(message_type, expected) => message_type,
        _ if matches!(place, Place::First) => return Err(other_protocol(input)),
        _ => return Err(HandshakeError::UnexpectedMessage { expected, received: type_byte }),
    };
    if message_type == MessageType::Hello
        && fields.iter().zip(MAGIC).any(|(received, magic)| received != magic)
    {
        return Err(other_protocol(input));
    }
    let total = usize::from(length).saturating_add(2);
    if input.len() < total {
        return Ok(None);
    }
    Ok(Some((message_type, input.split_to(total).freeze())))
}

/// The position of a message in the handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The peer's first message.
    First,
    /// A later message.
    Later,
}

/// A server may send REJECT instead of its answer.
fn may_replace(received: MessageType, expected: MessageType) -> bool {
    received == MessageType::Reject && matches!(expected, MessageType::Challenge | MessageType::Accept)
}

fn other_protocol(input: &[u8]) -> HandshakeError {
    HandshakeError::NotKaaRpc { received: input.iter().copied().take(MAX_QUOTED).collect() }
}
