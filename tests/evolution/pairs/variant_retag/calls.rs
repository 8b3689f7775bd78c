//! A variant gets a tag that was free.

crate::pair!(variant_retag, Refused);
