//! Metadata: named values that a call carries in addition to its arguments (`docs/wire.md`, clause 3.6).
//!
//! Invariants: a [`Metadata`] is well-formed and has the form of the wire. Its names are in ascending order,
//! so that each occurs once and all can be read in one pass.

use std::fmt;

/// The maximum size of a call's encoded metadata in bytes.
pub const MAX_METADATA: usize = 4000;
/// The maximum length of a name in bytes.
pub const MAX_NAME: usize = 64;

/// Small named values that a call carries in addition to its arguments, such as a trace, a tenant or a token.
/// They are not part of the schema. A receiver ignores names that it does not know.
///
/// A name has 1 to 64 of the characters `a` to `z`, `0` to `9`, `-`, `_` and `.`. A value is bytes. All names
/// and values together have at most 4,000 bytes, including three bytes of overhead per entry.
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
    /// The name is not valid.
    #[error(
        "{name:?} is not a valid metadata name; \
         a name has 1 to 64 of the characters a to z, 0 to 9, \"-\", \"_\" and \".\""
    )]
    Name {
        /// The name.
        name: String,
    },
    /// The metadata would be too large with the entry.
    #[error("metadata of {size} bytes is over the limit of {limit}")]
    TooLarge {
        /// The size with the entry in bytes.
        size: usize,
        /// The maximum size in bytes.
        limit: usize,
    },
}

/// Bytes that are not valid metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MalformedMetadata;

impl Metadata {
    /// Creates empty metadata.
    #[must_use]
    pub const fn new() -> Self {
        Self { encoded: Vec::new() }
    }

    /// Adds an entry and returns the metadata. See [`Metadata::insert`].
    ///
    /// # Errors
    /// The name is not valid, or the metadata would be too large.
    pub fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Result<Self, MetadataError> {
        self.insert(name, value)?;
        Ok(self)
    }

    /// Sets the value of a name. An earlier value is replaced.
    ///
    /// # Errors
    /// The name is not valid, or the metadata would be too large. The metadata is then unchanged.
    pub fn insert(&mut self, name: &str, value: impl AsRef<[u8]>) -> Result<(), MetadataError> {
        let value = value.as_ref();
        if !is_name(name.as_bytes()) {
            return Err(MetadataError::Name { name: name.to_owned() });
        }
        let (begin, end) = self.entry_range(name);
        let size = (self.encoded.len() - (end - begin)).saturating_add(3 + name.len() + value.len());
        let too_large = MetadataError::TooLarge { size, limit: MAX_METADATA };
        if size > MAX_METADATA {
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

    /// Removes a name. Returns whether it was present.
    pub fn remove(&mut self, name: &str) -> bool {
        let (begin, end) = self.entry_range(name);
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

    /// Iterates over the entries in ascending order of names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let mut rest = self.encoded.as_slice();
        std::iter::from_fn(move || {
            let (name, value, following) = split_entry(rest)?;
            rest = following;
            Some((std::str::from_utf8(name).ok()?, value))
        })
    }

    /// Whether there are no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.encoded.is_empty()
    }

    /// The encoded form.
    #[must_use]
    pub fn encoded(&self) -> &[u8] {
        &self.encoded
    }

    /// The length of the encoded form in bytes.
    pub(crate) fn encoded_length(&self) -> u16 {
        u16::try_from(self.encoded.len()).unwrap_or(u16::MAX)
    }

    /// Decodes metadata.
    ///
    /// # Errors
    /// The bytes violate clause 3.6.
    pub fn decode(encoded: &[u8]) -> Result<Self, MalformedMetadata> {
        if encoded.len() > MAX_METADATA {
            return Err(MalformedMetadata);
        }
        let mut rest = encoded;
        let mut last: &[u8] = &[];
        while !rest.is_empty() {
            let (name, _, following) = split_entry(rest).ok_or(MalformedMetadata)?;
            // No name is empty, so the first name is greater than the initial value.
            if !is_name(name) || name <= last {
                return Err(MalformedMetadata);
            }
            last = name;
            rest = following;
        }
        Ok(Self { encoded: encoded.to_vec() })
    }

    /// The range of a name's entry, or an empty range where it would be inserted.
    fn entry_range(&self, name: &str) -> (usize, usize) {
        let mut begin = 0;
        while let Some((other, _, following)) = split_entry(self.encoded.get(begin..).unwrap_or_default()) {
            let end = self.encoded.len() - following.len();
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
    /// Only the names: values may be secrets, and debug output often goes to logs.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.iter().map(|(name, _)| name)).finish()
    }
}

/// Splits off the first entry: `u8 length | name | u16 length | value`.
fn split_entry(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (&length, rest) = bytes.split_first()?;
    let (name, rest) = rest.split_at_checked(usize::from(length))?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let (value, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
    Some((name, value, rest))
}

fn is_name(name: &[u8]) -> bool {
    let is_allowed = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(byte);
    (1..=MAX_NAME).contains(&name.len()) && name.iter().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_sorted_and_unique() -> Result<(), MetadataError> {
        let mut metadata = Metadata::new().with("b", "2")?.with("a", "1")?.with("c", "")?;
        metadata.insert("b", "two")?;
        let all: Vec<_> = metadata.iter().collect();
        assert_eq!(all, [("a", &b"1"[..]), ("b", b"two"), ("c", b"")]);
        assert!(metadata.remove("a") && !metadata.remove("a"));
        assert_eq!(Metadata::decode(metadata.encoded()), Ok(metadata));
        Ok(())
    }

    #[test]
    fn failed_insert_changes_nothing() -> Result<(), MetadataError> {
        let mut metadata = Metadata::new().with("a", [0; 3000])?;
        let before = metadata.clone();
        assert_eq!(metadata.insert("b", [0; 997]), Err(MetadataError::TooLarge { size: 4005, limit: 4000 }));
        assert!(matches!(metadata.insert("B", "1"), Err(MetadataError::Name { .. })));
        assert!(matches!(metadata.insert("", "1"), Err(MetadataError::Name { .. })));
        assert!(matches!(metadata.insert("c", vec![0; 70_000]), Err(MetadataError::TooLarge { .. })));
        assert_eq!(metadata, before);
        metadata.insert("a", [0; 3996])?;
        assert_eq!(metadata.encoded().len(), MAX_METADATA);
        Ok(())
    }

    #[test]
    fn malformed_metadata_is_an_error() {
        let entry = |name: &[u8]| [&[u8::try_from(name.len()).unwrap_or(0)], name, &[1, 0, 7]].concat();
        let decode = |parts: &[Vec<u8>]| Metadata::decode(&parts.concat()).is_ok();
        assert!(decode(&[entry(b"a"), entry(b"b")]));
        assert!(!decode(&[entry(b"b"), entry(b"a")]), "names ascend");
        assert!(!decode(&[entry(b"a"), entry(b"a")]), "each name occurs once");
        assert!(!decode(&[entry(b"A")]), "not a name");
        assert!(!decode(&[entry(b"")]), "not a name");
        assert!(!decode(&[entry(&[b'a'; 65])]), "the name is too long");
        assert!(!decode(&[entry(b"a"), vec![1]]), "cut off");
        assert!(!decode(&[vec![1, b'a', 2, 0, 0]]), "cut off in a value");
        assert!(
            !decode(&(0..1000).map(|n| entry(format!("{n:04}").as_bytes())).collect::<Vec<_>>()),
            "too large"
        );
    }

    #[test]
    fn debug_hides_values() -> Result<(), MetadataError> {
        let metadata = Metadata::new().with("token", "hunter2")?;
        assert_eq!(format!("{metadata:?}"), r#"{"token"}"#);
        Ok(())
    }
}
