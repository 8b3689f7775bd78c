//! A parameter becomes a stream of its elements.

crate::pair!(stream_parameter, Refused);
