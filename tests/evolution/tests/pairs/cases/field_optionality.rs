//! A field becomes an `Option`.

crate::pair!(field_optionality, Refused);
