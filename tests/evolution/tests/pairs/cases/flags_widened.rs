//! Flags change to a larger integer.

crate::pair!(flags_widened, Refused);
