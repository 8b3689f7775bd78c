//! A field is inserted before another.

crate::pair!(field_insert, Refused);
