//! A method becomes oneway.

crate::pair!(method_oneway, Refused);
