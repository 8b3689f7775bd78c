//! The default of a parameter changes.

crate::pair!(parameter_default_changed, Refused);
