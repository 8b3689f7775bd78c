//! Metadata: what a call carries beside its arguments, by name (`docs/wire.md`, clause 3.6).
//!
//! Invariants: what a [`Metadata`] holds is well-formed and stands in it as on the wire; names ascend, so that each is
//! there once and a look at all of them is one pass.

use std::fmt;

/// Most bytes of a call's metadata as it stands on the wire.
pub const LARGEST_METADATA: usize = 4000;
/// Most bytes of a name.
pub const LONGEST_NAME: usize = 64;

/// Small values by name, beside the arguments of a call: a trace, a tenant, a token. They are not part of the schema, and
/// whoever does not know a name passes over it.
///
/// A name has 1 to 64 of the characters `a` to `z`, `0` to `9`, `-`, `_` and `.`; a value is bytes. All together have at
/// most 4,000 bytes, with three more for each entry.
///
/// ```
/// use kaa_rpc_runtime::Metadata;
///
/// let metadata = Metadata::new().with("tenant", "blue")?.with("attempt", [2_u8])?;
/// assert_eq!(metadata.text("tenant"), Some("blue"));
/// assert_eq!(metadata.value("attempt"), Some(&[2][..]));
/// assert!(Metadata::new().with("Tenant", "blue").is_err());
/// # Ok::<(), kaa_rpc_runtime::MetadataError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Metadata {
    encoded: Vec<u8>,
}

/// Why an entry cannot be added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// The name is no name.
    #[error(
        "{name:?} cannot name metadata: a name has 1 to 64 of the characters a to z, 0 to 9, \"-\", \"_\" and \".\""
    )]
    Name {
        /// The name.
        name: String,
    },
    /// There is no room for the entry.
    #[error("metadata of {size} bytes is over the limit of {limit}")]
    TooLarge {
        /// Bytes with the entry.
        size: usize,
        /// Bytes allowed.
        limit: usize,
    },
}

/// Bytes that are no metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MalformedMetadata;

impl Metadata {
    /// Without entries.
    #[must_use]
    pub const fn new() -> Self {
        Self { encoded: Vec::new() }
    }

    /// The same with one more entry; see [`Metadata::insert`].
    ///
    /// # Errors
    /// A name that is none, or no room.
    pub fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Result<Self, MetadataError> {
        self.insert(name, value)?;
        Ok(self)
    }

    /// Sets the value of a name, in place of what it had.
    ///
    /// # Errors
    /// A name that is none, or no room; all is then as it was.
    pub fn insert(&mut self, name: &str, value: impl AsRef<[u8]>) -> Result<(), MetadataError> {
        let value = value.as_ref();
        if !is_name(name.as_bytes()) {
            return Err(MetadataError::Name { name: name.to_owned() });
        }
        let (begin, end) = self.place(name);
        let size = (self.encoded.len() - (end - begin)).saturating_add(3 + name.len() + value.len());
        let too_large = MetadataError::TooLarge { size, limit: LARGEST_METADATA };
        if size > LARGEST_METADATA {
            return Err(too_large);
        }
        let (Ok(name_length), Ok(value_length)) = (u8::try_from(name.len()), u16::try_from(value.len()))
        else {
            return Err(too_large);
        };
        let entry = std::iter::once(name_length)
            .chain(name.bytes())
            .chain(value_length.to_le_bytes())
            .chain(value.iter().copied());
        self.encoded.splice(begin..end, entry);
        Ok(())
    }

    /// Takes a name out. Whether it was there.
    pub fn remove(&mut self, name: &str) -> bool {
        let (begin, end) = self.place(name);
        self.encoded.drain(begin..end);
        begin < end
    }

    /// The value of a name.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&[u8]> {
        self.iter().find(|(other, _)| *other == name).map(|(_, value)| value)
    }

    /// The value of a name, if it is UTF-8.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.value(name)?).ok()
    }

    /// All entries, by ascending names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let mut rest = self.encoded.as_slice();
        std::iter::from_fn(move || {
            let (name, value, behind) = split_entry(rest)?;
            rest = behind;
            Some((std::str::from_utf8(name).ok()?, value))
        })
    }

    /// Whether there are no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.encoded.is_empty()
    }

    /// As it stands on the wire.
    #[must_use]
    pub fn encoded(&self) -> &[u8] {
        &self.encoded
    }

    /// Bytes on the wire.
    pub(crate) fn encoded_length(&self) -> u16 {
        u16::try_from(self.encoded.len()).unwrap_or(u16::MAX)
    }

    /// Takes what stands on the wire.
    ///
    /// # Errors
    /// Anything that clause 3.6 does not allow.
    pub fn decode(encoded: &[u8]) -> Result<Self, MalformedMetadata> {
        if encoded.len() > LARGEST_METADATA {
            return Err(MalformedMetadata);
        }
        let mut rest = encoded;
        let mut last: &[u8] = &[];
        while !rest.is_empty() {
            let (name, _, behind) = split_entry(rest).ok_or(MalformedMetadata)?;
            // No name is empty, so the first one is above none.
            if !is_name(name) || name <= last {
                return Err(MalformedMetadata);
            }
            last = name;
            rest = behind;
        }
        Ok(Self { encoded: encoded.to_vec() })
    }

    /// Where the entry of a name stands, or would.
    fn place(&self, name: &str) -> (usize, usize) {
        let mut begin = 0;
        while let Some((other, _, behind)) = split_entry(self.encoded.get(begin..).unwrap_or_default()) {
            let end = self.encoded.len() - behind.len();
            match other.cmp(name.as_bytes()) {
                std::cmp::Ordering::Less => begin = end,
                std::cmp::Ordering::Equal => return (begin, end),
                std::cmp::Ordering::Greater => break,
            }
        }
        (begin, begin)
    }
}

impl fmt::Debug for Metadata {
    /// The names only: values may be secrets, and this ends in logs.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

/// `u8 length | name | u16 length | value`, and what is behind it.
fn split_entry(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (&length, rest) = bytes.split_first()?;
    let (name, rest) = rest.split_at_checked(usize::from(length))?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let (value, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
    Some((name, value, rest))
}

fn is_name(name: &[u8]) -> bool {
    let is_allowed = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(byte);
    (1..=LONGEST_NAME).contains(&name.len()) && name.iter().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_kept_by_name_each_once() -> Result<(), MetadataError> {
        let mut metadata = Metadata::new().with("b", "2")?.with("a", "1")?.with("c", "")?;
        metadata.insert("b", "two")?;
        let all: Vec<_> = metadata.iter().collect();
        assert_eq!(all, [("a", &b"1"[..]), ("b", b"two"), ("c", b"")]);
        assert!(metadata.remove("a") && !metadata.remove("a"));
        assert_eq!(Metadata::decode(metadata.encoded()), Ok(metadata));
        Ok(())
    }

    #[test]
    fn what_does_not_fit_leaves_all_as_it_was() -> Result<(), MetadataError> {
        let mut metadata = Metadata::new().with("a", [0; 3000])?;
        let before = metadata.clone();
        assert_eq!(metadata.insert("b", [0; 997]), Err(MetadataError::TooLarge { size: 4005, limit: 4000 }));
        assert!(matches!(metadata.insert("B", "1"), Err(MetadataError::Name { .. })));
        assert!(matches!(metadata.insert("", "1"), Err(MetadataError::Name { .. })));
        assert!(matches!(metadata.insert("c", vec![0; 70_000]), Err(MetadataError::TooLarge { .. })));
        assert_eq!(metadata, before);
        metadata.insert("a", [0; 3996])?;
        assert_eq!(metadata.encoded().len(), LARGEST_METADATA);
        Ok(())
    }

    #[test]
    fn malformed_metadata_is_refused() {
        let entry = |name: &[u8]| [&[u8::try_from(name.len()).unwrap_or(0)], name, &[1, 0, 7]].concat();
        let decode = |parts: &[Vec<u8>]| Metadata::decode(&parts.concat()).is_ok();
        assert!(decode(&[entry(b"a"), entry(b"b")]));
        assert!(!decode(&[entry(b"b"), entry(b"a")]), "names ascend");
        assert!(!decode(&[entry(b"a"), entry(b"a")]), "each name is there once");
        assert!(!decode(&[entry(b"A")]), "not a name");
        assert!(!decode(&[entry(b"")]), "not a name");
        assert!(!decode(&[entry(&[b'a'; 65])]), "too long a name");
        assert!(!decode(&[entry(b"a"), vec![1]]), "cut off");
        assert!(!decode(&[vec![1, b'a', 2, 0, 0]]), "cut off in a value");
        assert!(
            !decode(&(0..1000).map(|n| entry(format!("{n:04}").as_bytes())).collect::<Vec<_>>()),
            "too large"
        );
    }

    #[test]
    fn debug_shows_no_values() -> Result<(), MetadataError> {
        let metadata = Metadata::new().with("token", "hunter2")?;
        assert_eq!(format!("{metadata:?}"), r#"{"token"}"#);
        Ok(())
    }
}
