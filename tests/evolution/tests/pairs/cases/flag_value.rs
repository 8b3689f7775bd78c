//! A flag changes to an unused value.

crate::pair!(flag_value, Refused);
