//! A number becomes a newtype of the same number, with the same bytes.

crate::pair!(newtype_introduced, Refused);
