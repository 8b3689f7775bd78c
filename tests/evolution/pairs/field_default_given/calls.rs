//! A field gets a default after the fact.

crate::pair!(field_default_given, Refused);
