//! The item type of a stream changes.

crate::pair!(stream_item_retype, Refused);
