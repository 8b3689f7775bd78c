//! A struct is sealed: it would lose the length in front of it.

crate::pair!(struct_sealed, Refused);
