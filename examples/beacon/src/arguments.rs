//! Command lines: options anywhere, words in their order.
//!
//! Invariant: what nobody asked for is an error, never ignored.

use std::ffi::OsString;

use crate::api::beacon::{ItemId, Kind};

/// A command line, from which its reader takes what it knows.
#[derive(Debug)]
pub(crate) struct Arguments {
    left: Vec<String>,
}

/// What is wrong with a command line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UsageError {
    #[error("{0:?} is not Unicode")]
    NotUnicode(OsString),
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("{0} needs a value")]
    NeedsValue(&'static str),
    #[error("{0} does not belong here")]
    Unexpected(String),
    #[error("there is no command {0:?}")]
    UnknownCommand(String),
    #[error("{0:?} is not an item's number")]
    NotAnItem(String),
    #[error("{0:?} is not a kind; there are audio, video, image and other")]
    NotAKind(String),
    #[error("nothing to change: give --title, --kind or both")]
    NothingToChange,
}

impl Arguments {
    pub(crate) fn new(arguments: impl Iterator<Item = OsString>) -> Result<Self, UsageError> {
        let left: Result<_, _> = arguments.map(OsString::into_string).collect();
        Ok(Self { left: left.map_err(UsageError::NotUnicode)? })
    }

    /// Takes an option without a value; says whether it was there.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let before = self.left.len();
        self.left.retain(|argument| argument != name);
        self.left.len() < before
    }

    /// Takes `--name VALUE`, if it is there.
    pub(crate) fn option(&mut self, name: &'static str) -> Result<Option<String>, UsageError> {
        let Some(position) = self.left.iter().position(|argument| argument == name) else {
            return Ok(None);
        };
        self.left.remove(position);
        match self.left.get(position) {
            Some(value) if !value.starts_with("--") => Ok(Some(self.left.remove(position))),
            _ => Err(UsageError::NeedsValue(name)),
        }
    }

    /// Takes `--name VALUE`, which must be there.
    pub(crate) fn required(&mut self, name: &'static str) -> Result<String, UsageError> {
        self.option(name)?.ok_or(UsageError::Missing(name))
    }

    /// Takes `--kind KIND`, if it is there.
    pub(crate) fn kind(&mut self) -> Result<Option<Kind>, UsageError> {
        let Some(name) = self.option("--kind")? else { return Ok(None) };
        name.parse().map(Some).map_err(|()| UsageError::NotAKind(name))
    }

    /// Takes the next word, called `name` in the help.
    pub(crate) fn word(&mut self, name: &'static str) -> Result<String, UsageError> {
        match self.left.first() {
            None => Err(UsageError::Missing(name)),
            Some(option) if option.starts_with("--") => Err(UsageError::Unexpected(option.clone())),
            Some(_) => Ok(self.left.remove(0)),
        }
    }

    /// Takes the next word as an item's number, with or without `#`.
    pub(crate) fn item(&mut self) -> Result<ItemId, UsageError> {
        let word = self.word("ID")?;
        let number = word.strip_prefix('#').unwrap_or(&word).parse();
        number.map(ItemId).map_err(|_error| UsageError::NotAnItem(word))
    }

    /// Takes all words that are left.
    pub(crate) fn words(&mut self) -> Result<Vec<String>, UsageError> {
        match self.left.iter().find(|argument| argument.starts_with("--")) {
            Some(option) => Err(UsageError::Unexpected(option.clone())),
            None => Ok(std::mem::take(&mut self.left)),
        }
    }

    /// Nothing may be left.
    pub(crate) fn finish(self) -> Result<(), UsageError> {
        self.left.into_iter().next().map_or(Ok(()), |argument| Err(UsageError::Unexpected(argument)))
    }
}
