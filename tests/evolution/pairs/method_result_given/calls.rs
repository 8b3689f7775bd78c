//! A method that returned nothing returns something.

crate::pair!(method_result_given, Refused);
