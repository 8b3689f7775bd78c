//! An `Option` parameter becomes required.

crate::pair!(parameter_optionality, Refused);
