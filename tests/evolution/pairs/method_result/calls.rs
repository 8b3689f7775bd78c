//! A method returns another type.

crate::pair!(method_result, Refused);
