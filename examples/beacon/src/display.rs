//! `Display` and `FromStr` for the types of the schema.

use std::fmt;
use std::str::FromStr;

use crate::api::beacon::{Item, ItemChange, Kind, Notice, Query, ScanReport};

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Image => "image",
            Self::Other => "other",
            // A kind of a newer peer.
            Self::Unknown(_) => "?",
        })
    }
}

impl FromStr for Kind {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        match name {
            "audio" => Ok(Self::Audio),
            "video" => Ok(Self::Video),
            "image" => Ok(Self::Image),
            "other" => Ok(Self::Other),
            _ => Err(()),
        }
    }
}

impl fmt::Display for Item {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "#{} {} {:?}", self.id, self.kind, self.title)
    }
}

impl fmt::Display for ItemChange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.title, &self.kind) {
            (Some(title), Some(kind)) => write!(formatter, "{kind} {title:?}"),
            (Some(title), None) => write!(formatter, "{title:?}"),
            (None, Some(kind)) => kind.fmt(formatter),
            (None, None) => formatter.write_str("nothing"),
        }
    }
}

impl fmt::Display for Query {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Some(kind) => write!(formatter, "{kind}")?,
            None => formatter.write_str("everything")?,
        }
        self.words.iter().try_for_each(|word| write!(formatter, " {word:?}"))
    }
}

impl fmt::Display for ScanReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { created, updated, deleted, skipped } = self;
        write!(formatter, "{created} created, {updated} updated, {deleted} deleted")?;
        if *skipped > 0 { write!(formatter, ", {skipped} skipped") } else { Ok(()) }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Created(item) => write!(formatter, "created {item}"),
            Self::Updated(item) => write!(formatter, "updated {item}"),
            Self::Deleted(item) => write!(formatter, "deleted {item}"),
            Self::Overflow => formatter.write_str("too many changes; query again"),
            Self::Unknown(_) => formatter.write_str("a notice that this program does not know"),
        }
    }
}
