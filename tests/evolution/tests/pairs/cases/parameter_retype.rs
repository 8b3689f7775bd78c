//! A parameter gets another type.

crate::pair!(parameter_retype, Refused);
