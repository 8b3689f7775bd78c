//! An open enum is sealed.

crate::pair!(enum_sealed, Refused);
