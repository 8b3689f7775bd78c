//! The key type of a map changes.

crate::pair!(map_key, Refused);
