//! Frozen schemas: one text file that holds all sources of a schema as they were given out, to compare later ones with.
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
//! Invariants: the same sources and number give the same bytes; what [`freeze`] wrote can be read for ever, and any
//! change to it is noticed; nothing here reads or writes files.
//!
//! ```
//! use kaa_idl::frozen::{FrozenSource, freeze};
//! use kaa_idl::{MemorySource, compile};
//!
//! let compilation = compile(&MemorySource::new([("demo.kaa", "package demo;\nnewtype Id(u64);")]));
//! let text = freeze(&compilation, 1).expect("a schema without errors");
//! let frozen = FrozenSource::read(&text).expect("as it was written");
//! assert_eq!((frozen.number(), frozen.fingerprint()), (1, compile(&frozen).schema().map(kaa_idl::ids::fingerprint).unwrap()));
//! ```

mod error;
mod history;
mod read;
mod write;

pub use error::FrozenError;
pub use history::{Frozen, History, HistoryError};
pub use read::FrozenSource;
pub use write::{file_name, freeze};

/// The format that is written; every older one is read.
const FORMAT: u32 = 1;

/// How every frozen schema begins.
const MARK: &str = "kaa-frozen";

/// How the line before a file begins.
const SECTION: &str = "=== ";
