//! The declared error of a method changes to another.

crate::pair!(throws_changed, Refused);
