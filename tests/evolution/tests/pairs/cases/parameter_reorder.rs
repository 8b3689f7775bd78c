//! Two parameters of the same type change places.

crate::pair!(parameter_reorder, Refused);
