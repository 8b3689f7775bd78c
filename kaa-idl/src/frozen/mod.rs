//! Frozen schemas: one text file with all sources of a published schema, to compare later revisions with it.
//!
//! ```text
//! kaa-frozen format=1 number=3 fingerprint=<64 hexadecimal digits> sha256=<64 hexadecimal digits>
//! === tv/common.kaa, 2 lines
//! package tv.common;
//! newtype ChannelId(u32);
//! === tv/epg.kaa, 14 lines
//! …
//! ```
//!
//! `docs/idl.md`, "Freezing", defines the format.
//!
//! Invariants: the same sources and number give the same bytes. All later versions can read what [`freeze`]
//! wrote, and detect any change to it. Nothing here reads or writes files.
//!
//! ```
//! use kaa_idl::frozen::{FrozenSource, freeze};
//! use kaa_idl::{MemorySource, compile};
//!
//! let compilation = compile(&MemorySource::new([("demo.kaa", "package demo;\nnewtype Id(u64);")]));
//! let text = freeze(&compilation, 1).expect("a schema without errors");
//! let frozen = FrozenSource::read(&text).expect("a valid frozen schema");
//! assert_eq!(frozen.number(), 1);
//! let schema = compile(&frozen).schema().map(kaa_idl::ids::fingerprint);
//! assert_eq!(schema, Some(frozen.fingerprint()));
//! ```

mod history;
mod read;
mod write;

pub use history::{FrozenSchema, History, HistoryError};
pub use read::{FrozenError, FrozenSource};
pub use write::{file_name, freeze};

/// The format that is written. All older formats can be read.
const FORMAT: u32 = 1;

/// The beginning of every frozen schema.
const MARK: &str = "kaa-frozen";

/// The beginning of the header line of a file.
const SECTION: &str = "=== ";
