//! The result of a method changes to another type.

crate::pair!(method_result, Refused);
