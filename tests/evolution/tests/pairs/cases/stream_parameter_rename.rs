//! A parameter that is a stream is renamed without `#[selector]`.

crate::pair!(stream_parameter_rename, Refused);
