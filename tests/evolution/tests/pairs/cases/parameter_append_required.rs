//! A parameter without a default is appended.

crate::pair!(parameter_append_required, Refused);
