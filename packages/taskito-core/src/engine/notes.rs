//! Progress and log lines that running attempts report, kept until the next commit.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::error::Result;
use crate::job::Token;
use crate::store::{LogLine, Transaction};

/// How long notes wait for a commit that happens anyway.
const PATIENCE: Duration = Duration::from_millis(50);
/// With so many lines waiting, whoever brings another waits for a commit first.
pub(super) const MOST_LINES: usize = 10_000;

/// Notes on their way.
#[derive(Default)]
pub(super) struct Notes {
    /// The newest of each attempt.
    pub(super) progress: HashMap<Token, u8>,
    /// In their order.
    pub(super) lines: Vec<LogLine>,
    /// Since when the oldest has been waiting.
    since: Option<Instant>,
}

impl Notes {
    pub(super) fn is_empty(&self) -> bool {
        self.progress.is_empty() && self.lines.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.lines.len() >= MOST_LINES
    }

    /// Notes how far an attempt has come; whether this is the first note that waits.
    pub(super) fn add_progress(&mut self, token: Token, progress: u8, now: Instant) -> bool {
        let first = self.is_empty();
        self.progress.insert(token, progress);
        self.since.get_or_insert(now);
        first
    }

    /// Notes a line; whether this is the first note that waits.
    pub(super) fn add_line(&mut self, line: LogLine, now: Instant) -> bool {
        let first = self.is_empty();
        self.lines.push(line);
        self.since.get_or_insert(now);
        first
    }

    /// Does not wait for a commit that happens anyway.
    pub(super) fn hurry(&mut self) {
        let earlier = |since: Instant| since.checked_sub(PATIENCE).unwrap_or(since);
        self.since = self.since.map(earlier);
    }

    /// When they should be committed at the latest.
    pub(super) fn due(&self) -> Option<Instant> {
        self.since.map(|since| since + PATIENCE)
    }

    /// Stores them. What belongs to an attempt that counts no more is dropped.
    pub(super) fn apply(&self, transaction: &mut dyn Transaction) -> Result<()> {
        if !self.progress.is_empty() {
            let progress: Vec<_> = self.progress.iter().map(|(at, to)| (*at, *to)).collect();
            transaction.note_progress(&progress)?;
        }
        if !self.lines.is_empty() {
            transaction.note_log(&self.lines)?;
        }
        Ok(())
    }

    /// Puts older notes, which could not be committed, before these.
    pub(super) fn put_back(&mut self, mut older: Self) {
        for (token, progress) in older.progress {
            self.progress.entry(token).or_insert(progress);
        }
        older.lines.append(&mut self.lines);
        self.lines = older.lines;
        self.since = older.since.or(self.since);
    }
}
