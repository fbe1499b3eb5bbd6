//! What running attempts report.

use super::Draft;
use crate::error::Result;
use crate::job::{LogRow, Token};
use crate::store::{LogLine, Notes, Verdict};

impl Notes for Draft<'_> {
    fn note_progress(&mut self, batch: &[(Token, u8)]) -> Result<Vec<Verdict>> {
        let note = |(token, progress): &(Token, u8)| match self.running(*token) {
            Some(job) => {
                job.row.progress = Some(*progress);
                Verdict::Applied
            }
            None => Verdict::Stale,
        };
        Ok(batch.iter().map(note).collect())
    }

    fn note_log(&mut self, batch: &[LogLine]) -> Result<Vec<Verdict>> {
        Ok(batch.iter().map(|line| self.note_one(line)).collect())
    }
}

impl Draft<'_> {
    fn note_one(&mut self, line: &LogLine) -> Verdict {
        let key = self.keys.next(line.logged_at);
        let Some(job) = self.running(line.token) else {
            return Verdict::Stale;
        };
        let row = LogRow {
            key,
            job: job.row.key,
            task: job.row.task.clone(),
            level: line.level.clone(),
            message: line.message.clone(),
            extra: line.extra.clone(),
            logged_at: line.logged_at,
        };
        self.tables.logs.insert(key, row);
        Verdict::Applied
    }
}
