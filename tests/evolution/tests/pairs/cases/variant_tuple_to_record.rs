//! The fields of a tuple variant get names.

crate::pair!(variant_tuple_to_record, Refused);
