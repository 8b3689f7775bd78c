//! A variant changes to an unused tag.

crate::pair!(variant_retag, Refused);
