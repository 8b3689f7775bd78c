//! The controller's output: lines, and the progress of jobs.
//!
//! Invariant: progress bars appear only on a terminal; other outputs get a line for each quarter of a job.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The width of a bar, in characters.
const WIDTH: usize = 20;

/// Standard output.
pub(crate) struct Screen {
    is_terminal: bool,
    /// The progress of each job, in per cent.
    jobs: Mutex<BTreeMap<u64, u64>>,
}

impl Screen {
    pub(crate) fn new() -> Self {
        Self { is_terminal: io::stdout().is_terminal(), jobs: Mutex::default() }
    }

    pub(crate) fn print(&self, text: impl Display) {
        self.write(&self.lock(), Some(&text));
    }

    /// A job starts, with a progress of 0.
    pub(crate) fn start_job(&self, job: u64, text: impl Display) {
        let mut jobs = self.lock();
        jobs.insert(job, 0);
        self.write(&jobs, Some(&text));
    }

    /// A job has processed `done` of `size` bytes.
    pub(crate) fn progress(&self, job: u64, done: u64, size: u64) {
        let percent = done.saturating_mul(100).checked_div(size).unwrap_or(100).min(100);
        let mut jobs = self.lock();
        let before = jobs.insert(job, percent).unwrap_or(0);
        if self.is_terminal && percent > before {
            self.write(&jobs, None);
        } else if percent / 25 > before / 25 {
            self.write(&jobs, Some(&format_args!("job {job}: {percent} %")));
        }
    }

    /// A job has ended.
    pub(crate) fn end_job(&self, job: u64, text: impl Display) {
        let mut jobs = self.lock();
        jobs.remove(&job);
        self.write(&jobs, Some(&text));
    }

    /// Writes a line over the bars, then the bars again.
    fn write(&self, jobs: &BTreeMap<u64, u64>, line: Option<&dyn Display>) {
        let mut text = line.map_or_else(String::new, |line| format!("{line}\n"));
        if self.is_terminal {
            text.insert_str(0, "\r\x1b[K");
            for (job, percent) in jobs {
                let filled = usize::try_from(*percent).unwrap_or(0) * WIDTH / 100;
                text += &format!("job {job} [{:·<WIDTH$}] {percent:>3} %  ", "█".repeat(filled));
            }
        }
        // The controller continues also if its output is closed.
        let mut output = io::stdout().lock();
        let _closed = output.write_all(text.as_bytes()).and_then(|()| output.flush());
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, u64>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
