//! Flags get a larger integer.

crate::pair!(flags_widened, Refused);
