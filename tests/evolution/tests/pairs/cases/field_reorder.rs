//! Two fields of the same type change places.

crate::pair!(field_reorder, Refused);
