//! A sealed struct gains an `Option` field.

crate::pair!(sealed_struct_append, Refused);
