//! A field without a default is appended: who lacks it cannot fill it in.

crate::pair!(field_append_required, Refused);
