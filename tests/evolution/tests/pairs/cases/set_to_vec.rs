//! A `Set` becomes a `Vec`, with the same bytes.

crate::pair!(set_to_vec, Refused);
