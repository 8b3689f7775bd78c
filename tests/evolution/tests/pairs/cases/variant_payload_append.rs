//! The payload of a variant gains a field with a default: only structs may grow.

crate::pair!(variant_payload_append, Refused);
