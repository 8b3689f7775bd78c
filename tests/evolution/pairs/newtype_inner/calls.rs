//! A newtype gets another inner type.

crate::pair!(newtype_inner, Refused);
