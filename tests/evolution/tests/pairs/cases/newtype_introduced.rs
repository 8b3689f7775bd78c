//! A number becomes a newtype of that number, with the same bytes.

crate::pair!(newtype_introduced, Refused);
