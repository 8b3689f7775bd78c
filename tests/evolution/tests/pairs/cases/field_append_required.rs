//! A field without a default is appended: a peer without it cannot fill it in.

crate::pair!(field_append_required, Refused);
