//! What the controller shows: lines, and how far jobs have come.
//!
//! Invariant: bars are for a terminal; anywhere else there are lines only, one for each quarter of a job.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Characters of a bar.
const WIDTH: usize = 20;

/// Standard output.
pub(crate) struct Screen {
    is_terminal: bool,
    /// Per cent of each job.
    jobs: Mutex<BTreeMap<u64, u64>>,
}

impl Screen {
    pub(crate) fn new() -> Self {
        Self { is_terminal: io::stdout().is_terminal(), jobs: Mutex::default() }
    }

    pub(crate) fn say(&self, text: impl Display) {
        self.show(&self.lock(), Some(&text));
    }

    /// A job begins, from the start.
    pub(crate) fn begin(&self, job: u64, text: impl Display) {
        let mut jobs = self.lock();
        jobs.insert(job, 0);
        self.show(&jobs, Some(&text));
    }

    /// A job has done so many bytes of all of them.
    pub(crate) fn progress(&self, job: u64, done: u64, size: u64) {
        let percent = done.saturating_mul(100).checked_div(size).unwrap_or(100).min(100);
        let mut jobs = self.lock();
        let before = jobs.insert(job, percent).unwrap_or(0);
        if self.is_terminal && percent > before {
            self.show(&jobs, None);
        } else if percent / 25 > before / 25 {
            self.show(&jobs, Some(&format_args!("job {job}: {percent} %")));
        }
    }

    /// A job has ended.
    pub(crate) fn end(&self, job: u64, text: impl Display) {
        let mut jobs = self.lock();
        jobs.remove(&job);
        self.show(&jobs, Some(&text));
    }

    /// Writes a line where the bars are, and then the bars.
    fn show(&self, jobs: &BTreeMap<u64, u64>, line: Option<&dyn Display>) {
        let mut text = line.map_or_else(String::new, |line| format!("{line}\n"));
        if self.is_terminal {
            text.insert_str(0, "\r\x1b[K");
            for (job, percent) in jobs {
                let filled = usize::try_from(*percent).unwrap_or(0) * WIDTH / 100;
                text += &format!("job {job} [{:·<WIDTH$}] {percent:>3} %  ", "█".repeat(filled));
            }
        }
        // Nobody may be there to read it, which is no reason to stop.
        let mut output = io::stdout().lock();
        let _unsaid = output.write_all(text.as_bytes()).and_then(|()| output.flush());
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, u64>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
