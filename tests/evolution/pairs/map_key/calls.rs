//! A map gets another type of keys.

crate::pair!(map_key, Refused);
