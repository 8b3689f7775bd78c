//! A variant is added to a sealed enum.

crate::pair!(variant_add_sealed, Refused);
