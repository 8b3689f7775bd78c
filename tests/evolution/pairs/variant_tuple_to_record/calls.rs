//! The fields of a tuple get names.

crate::pair!(variant_tuple_to_record, Refused);
