//! A method without a result gains one.

crate::pair!(method_result_given, Refused);
