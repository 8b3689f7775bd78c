//! A struct is sealed, which removes its length prefix.

crate::pair!(struct_sealed, Refused);
