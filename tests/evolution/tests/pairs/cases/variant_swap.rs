//! Two variants change places, and their tags with them.

crate::pair!(variant_swap, Refused);
