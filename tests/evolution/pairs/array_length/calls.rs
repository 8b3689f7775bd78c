//! An array gets another length.

crate::pair!(array_length, Refused);
