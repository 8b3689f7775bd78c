//! The payload of an error changes.

crate::pair!(error_payload, Refused);
