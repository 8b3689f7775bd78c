//! The last field is removed without a tombstone, and has no default.

crate::pair!(field_remove, Refused);
