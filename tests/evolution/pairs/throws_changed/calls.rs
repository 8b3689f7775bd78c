//! A method declares another error.

crate::pair!(throws_changed, Refused);
