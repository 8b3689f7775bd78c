//! Takes whole handshake messages out of the input (`docs/wire.md`, clause 2.2).
//!
//! Invariants: only a message's own bytes are taken; what cannot become the expected message is refused at the first
//! byte that shows it, without waiting for a length that was never meant.

use bytes::{Bytes, BytesMut};

use super::MAX_MESSAGE;
use super::error::HandshakeError;
use super::message::{MAGIC, MessageType};

/// Most bytes of a stranger's greeting that an error repeats.
const GREETING: usize = 16;

/// The next whole message, if it is there. In the first place, whatever does not fit is a stranger's.
pub(super) fn next_message(
    input: &mut BytesMut,
    expected: MessageType,
    place: Place,
) -> Result<Option<(MessageType, Bytes)>, HandshakeError> {
    let Some((length_field, rest)) = input.split_first_chunk::<2>() else { return Ok(None) };
    let length = u16::from_be_bytes(*length_field);
    if length == 0 || usize::from(length) > MAX_MESSAGE {
        return Err(match place {
            Place::First => stranger(input),
            Place::Later => HandshakeError::MessageLength { length },
        });
    }
    let Some((&type_byte, fields)) = rest.split_first() else { return Ok(None) };
    let message_type = match MessageType::from_byte(type_byte) {
        Some(message_type) if message_type == expected || may_replace(message_type, expected) => message_type,
        _ if matches!(place, Place::First) => return Err(stranger(input)),
        _ => return Err(HandshakeError::UnexpectedMessage { expected, received: type_byte }),
    };
    if message_type == MessageType::Hello
        && fields.iter().zip(MAGIC).any(|(received, magic)| received != magic)
    {
        return Err(stranger(input));
    }
    let whole = usize::from(length).saturating_add(2);
    if input.len() < whole {
        return Ok(None);
    }
    Ok(Some((message_type, input.split_to(whole).freeze())))
}

/// Where in the handshake a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The peer's first message.
    First,
    /// Behind another of the peer's messages.
    Later,
}

/// A server may reject instead of answering.
fn may_replace(received: MessageType, expected: MessageType) -> bool {
    received == MessageType::Reject && matches!(expected, MessageType::Challenge | MessageType::Accept)
}

fn stranger(input: &[u8]) -> HandshakeError {
    HandshakeError::NotKaaRpc { received: input.iter().copied().take(GREETING).collect() }
}
