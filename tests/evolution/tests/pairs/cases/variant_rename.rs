//! A variant is renamed without `#[selector]`.

crate::pair!(variant_rename, Refused);
