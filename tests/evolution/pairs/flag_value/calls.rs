//! A flag gets a value that was free.

crate::pair!(flag_value, Refused);
