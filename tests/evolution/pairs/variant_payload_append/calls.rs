//! The payload of a variant grows, though by a default: only structs may.

crate::pair!(variant_payload_append, Refused);
