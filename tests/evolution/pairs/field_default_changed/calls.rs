//! A default changes: each side would fill in its own.

crate::pair!(field_default_changed, Refused);
