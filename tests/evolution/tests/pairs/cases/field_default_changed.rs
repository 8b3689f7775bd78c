//! A default changes: each peer would fill in its own.

crate::pair!(field_default_changed, Refused);
