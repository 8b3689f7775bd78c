//! A parameter is no `Option` any more.

crate::pair!(parameter_optionality, Refused);
