//! A struct becomes an enum of the same name.

crate::pair!(struct_to_enum, Refused);
