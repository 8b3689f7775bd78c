//! The payload of an error variant changes.

crate::pair!(error_payload, Refused);
