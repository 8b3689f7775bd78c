//! A field is renamed without `#[selector]`.

crate::pair!(field_rename, Refused);
