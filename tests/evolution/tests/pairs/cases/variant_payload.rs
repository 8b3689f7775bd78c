//! The payload of a variant changes to another type.

crate::pair!(variant_payload, Refused);
