//! The inner type of a newtype changes.

crate::pair!(newtype_inner, Refused);
