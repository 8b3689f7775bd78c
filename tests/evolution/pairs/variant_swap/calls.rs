//! Two variants change places, and with them their tags.

crate::pair!(variant_swap, Refused);
