//! A field gets another type, with the same bytes for small numbers.

crate::pair!(field_retype, Refused);
