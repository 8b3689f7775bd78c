//! A variant without payload gets one.

crate::pair!(variant_unit_to_payload, Refused);
