//! A variant without payload gains one.

crate::pair!(variant_unit_to_payload, Refused);
