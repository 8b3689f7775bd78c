//! What a job does with its input, chunk by chunk. Knows no connection.
//!
//! Invariant: what it keeps is bounded, whatever the input.

use sha2::{Digest, Sha256};

use crate::api::fleet::{Abilities, JobError, LONGEST_LINE, Task};

/// A task on its way.
#[derive(Debug)]
pub(crate) enum Work {
    Checksum(Sha256),
    Search {
        text: String,
        /// The beginning of a line whose end has not come.
        begun: Vec<u8>,
        /// Lines that have ended.
        lines: u64,
    },
}

impl Work {
    /// All that [`Work::new`] knows.
    pub(crate) fn abilities() -> Abilities {
        Abilities::CHECKSUM | Abilities::SEARCH
    }

    pub(crate) fn new(task: Task) -> Result<Self, JobError> {
        match task {
            Task::Checksum => Ok(Self::Checksum(Sha256::new())),
            Task::Search(text) => Ok(Self::Search { text, begun: Vec::new(), lines: 0 }),
            Task::Unknown(_) => Err(JobError::UnknownTask),
        }
    }

    /// Takes more of the input, and gives what has come of it.
    pub(crate) fn take(&mut self, chunk: &[u8]) -> Result<Vec<String>, JobError> {
        let (text, begun, lines) = match self {
            Self::Checksum(hash) => {
                hash.update(chunk);
                return Ok(Vec::new());
            }
            Self::Search { text, begun, lines } => (text, begun, lines),
        };
        let mut found = Vec::new();
        for piece in chunk.split_inclusive(|&byte| byte == b'\n') {
            begun.extend_from_slice(piece.strip_suffix(b"\n").unwrap_or(piece));
            let not_text = JobError::NotText { line: *lines + 1 };
            if begun.len() > usize::from(LONGEST_LINE) {
                return Err(not_text);
            }
            if piece.ends_with(b"\n") {
                let line = String::from_utf8(std::mem::take(begun)).map_err(|_error| not_text)?;
                found.extend(Some(line).filter(|line| line.contains(text.as_str())));
                *lines += 1;
            }
        }
        Ok(found)
    }

    /// The input has ended.
    pub(crate) fn finish(self) -> Result<Vec<String>, JobError> {
        match self {
            Self::Checksum(hash) => {
                Ok(vec![hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()])
            }
            Self::Search { ref begun, .. } if begun.is_empty() => Ok(Vec::new()),
            mut unfinished => unfinished.take(b"\n"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(task: Task, chunks: &[&[u8]]) -> Result<Vec<String>, JobError> {
        let mut work = Work::new(task)?;
        let mut output = Vec::new();
        for chunk in chunks {
            output.extend(work.take(chunk)?);
        }
        output.extend(work.finish()?);
        Ok(output)
    }

    #[test]
    fn checksum_covers_all_chunks() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(all(Task::Checksum, &[b"a", b"", b"bc"]), Ok(vec![abc.to_owned()]));
    }

    #[test]
    fn search_finds_lines_across_chunks() {
        let find = |chunks: &[&[u8]]| all(Task::Search("sea".to_owned()), chunks);
        assert_eq!(
            find(&[b"by the s", b"ea\nno\nthe seaside"]),
            Ok(vec!["by the sea".into(), "the seaside".into()])
        );
        assert_eq!(find(&[b"land\n\xff\n"]), Err(JobError::NotText { line: 2 }));
        assert_eq!(find(&[b"\xff"]), Err(JobError::NotText { line: 1 }));
        assert_eq!(find(&[&[b'-'; 4000], &[b'-'; 97]]), Err(JobError::NotText { line: 1 }));
        assert_eq!(find(&[]), Ok(Vec::new()));
    }
}
