//! The payload of a variant gets another type.

crate::pair!(variant_payload, Refused);
