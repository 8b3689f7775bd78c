//! A parameter is inserted before another.

crate::pair!(parameter_insert, Refused);
