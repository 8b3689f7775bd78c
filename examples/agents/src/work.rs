//! Processes the input of a job, chunk by chunk. Independent of connections.
//!
//! Invariant: it holds a bounded part of the input.

use sha2::{Digest, Sha256};

use crate::api::fleet::{Capabilities, JobError, MAX_LINE, Task};

/// A running task.
#[derive(Debug)]
pub(crate) enum Work {
    Checksum(Sha256),
    Search {
        text: String,
        /// The start of a line whose end has not been received.
        partial_line: Vec<u8>,
        /// The number of complete lines.
        lines: u64,
    },
}

impl Work {
    /// The tasks that [`Work::new`] supports.
    pub(crate) fn capabilities() -> Capabilities {
        Capabilities::CHECKSUM | Capabilities::SEARCH
    }

    pub(crate) fn new(task: Task) -> Result<Self, JobError> {
        match task {
            Task::Checksum => Ok(Self::Checksum(Sha256::new())),
            Task::Search(text) => Ok(Self::Search { text, partial_line: Vec::new(), lines: 0 }),
            Task::Unknown(_) => Err(JobError::UnknownTask),
        }
    }

    /// Processes a chunk of the input, and returns the output so far.
    pub(crate) fn process(&mut self, chunk: &[u8]) -> Result<Vec<String>, JobError> {
        let (text, partial_line, lines) = match self {
            Self::Checksum(hash) => {
                hash.update(chunk);
                return Ok(Vec::new());
            }
            Self::Search { text, partial_line, lines } => (text, partial_line, lines),
        };
        let mut found = Vec::new();
        for piece in chunk.split_inclusive(|&byte| byte == b'\n') {
            partial_line.extend_from_slice(piece.strip_suffix(b"\n").unwrap_or(piece));
            let not_text = JobError::NotText { line: *lines + 1 };
            if partial_line.len() > usize::from(MAX_LINE) {
                return Err(not_text);
            }
            if piece.ends_with(b"\n") {
                let line = String::from_utf8(std::mem::take(partial_line)).map_err(|_error| not_text)?;
                found.extend(Some(line).filter(|line| line.contains(text.as_str())));
                *lines += 1;
            }
        }
        Ok(found)
    }

    /// Processes the end of the input, and returns the remaining output.
    pub(crate) fn finish(self) -> Result<Vec<String>, JobError> {
        match self {
            Self::Checksum(hash) => {
                Ok(vec![hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()])
            }
            Self::Search { ref partial_line, .. } if partial_line.is_empty() => Ok(Vec::new()),
            mut unfinished => unfinished.process(b"\n"),
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
            output.extend(work.process(chunk)?);
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
