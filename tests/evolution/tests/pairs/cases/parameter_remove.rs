//! The last parameter is removed without a tombstone, and has no default.

crate::pair!(parameter_remove, Refused);
