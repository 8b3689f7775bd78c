//! An existing field gains a default.

crate::pair!(field_default_given, Refused);
