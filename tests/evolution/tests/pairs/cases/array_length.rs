//! The length of an array changes.

crate::pair!(array_length, Refused);
