//! A parameter is renamed without `#[selector]`.

crate::pair!(parameter_rename, Refused);
