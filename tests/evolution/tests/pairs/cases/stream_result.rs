//! A result becomes a stream of the same type.

crate::pair!(stream_result, Refused);
