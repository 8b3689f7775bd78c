//! A flag is renamed.

crate::pair!(flag_rename, Refused);
