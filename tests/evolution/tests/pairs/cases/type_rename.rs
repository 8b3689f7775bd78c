//! A type is renamed without `#[selector]`.

crate::pair!(type_rename, Refused);
