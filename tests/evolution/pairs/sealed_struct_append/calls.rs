//! A sealed struct gets a field, though an `Option`.

crate::pair!(sealed_struct_append, Refused);
