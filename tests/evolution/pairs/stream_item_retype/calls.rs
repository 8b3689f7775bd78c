//! The items of a stream get another type.

crate::pair!(stream_item_retype, Refused);
