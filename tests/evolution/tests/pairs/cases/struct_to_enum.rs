//! A struct becomes an enum with the same name.

crate::pair!(struct_to_enum, Refused);
