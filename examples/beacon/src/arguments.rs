//! Command lines: options at any position, words in order.
//!
//! Invariant: an unknown argument is an error, never ignored.

use std::ffi::OsString;

use crate::api::beacon::{ItemId, Kind};

/// The arguments of a command line that have not been parsed yet.
#[derive(Debug)]
pub(crate) struct Arguments {
    rest: Vec<String>,
}

/// An error in a command line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UsageError {
    #[error("{0:?} is not Unicode")]
    NotUnicode(OsString),
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("{0} needs a value")]
    NeedsValue(&'static str),
    #[error("unexpected argument {0}")]
    Unexpected(String),
    #[error("unknown command {0:?}")]
    UnknownCommand(String),
    #[error("{0:?} is not the number of an item")]
    NotAnItem(String),
    #[error("{0:?} is not a kind; the kinds are audio, video, image and other")]
    NotAKind(String),
    #[error("nothing to change: give --title, --kind or both")]
    NothingToChange,
}

impl Arguments {
    pub(crate) fn new(arguments: impl Iterator<Item = OsString>) -> Result<Self, UsageError> {
        let rest: Result<_, _> = arguments.map(OsString::into_string).collect();
        Ok(Self { rest: rest.map_err(UsageError::NotUnicode)? })
    }

    /// Takes an option without a value; returns whether it is given.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let before = self.rest.len();
        self.rest.retain(|argument| argument != name);
        self.rest.len() < before
    }

    /// Takes `--name VALUE`, if it is given.
    pub(crate) fn option(&mut self, name: &'static str) -> Result<Option<String>, UsageError> {
        let Some(position) = self.rest.iter().position(|argument| argument == name) else {
            return Ok(None);
        };
        self.rest.remove(position);
        match self.rest.get(position) {
            Some(value) if !value.starts_with("--") => Ok(Some(self.rest.remove(position))),
            _ => Err(UsageError::NeedsValue(name)),
        }
    }

    /// Takes `--name VALUE`, which must be given.
    pub(crate) fn required(&mut self, name: &'static str) -> Result<String, UsageError> {
        self.option(name)?.ok_or(UsageError::Missing(name))
    }

    /// Takes `--kind KIND`, if it is given.
    pub(crate) fn kind(&mut self) -> Result<Option<Kind>, UsageError> {
        let Some(name) = self.option("--kind")? else { return Ok(None) };
        name.parse().map(Some).map_err(|()| UsageError::NotAKind(name))
    }

    /// Takes the next word, called `name` in the help.
    pub(crate) fn word(&mut self, name: &'static str) -> Result<String, UsageError> {
        match self.rest.first() {
            None => Err(UsageError::Missing(name)),
            Some(option) if option.starts_with("--") => Err(UsageError::Unexpected(option.clone())),
            Some(_) => Ok(self.rest.remove(0)),
        }
    }

    /// Takes the next word as an item's number, with or without `#`.
    pub(crate) fn item(&mut self) -> Result<ItemId, UsageError> {
        let word = self.word("ID")?;
        let number = word.strip_prefix('#').unwrap_or(&word).parse();
        number.map(ItemId).map_err(|_error| UsageError::NotAnItem(word))
    }

    /// Takes all remaining words.
    pub(crate) fn words(&mut self) -> Result<Vec<String>, UsageError> {
        match self.rest.iter().find(|argument| argument.starts_with("--")) {
            Some(option) => Err(UsageError::Unexpected(option.clone())),
            None => Ok(std::mem::take(&mut self.rest)),
        }
    }

    /// Checks that no arguments remain.
    pub(crate) fn finish(self) -> Result<(), UsageError> {
        self.rest.into_iter().next().map_or(Ok(()), |argument| Err(UsageError::Unexpected(argument)))
    }
}
