//! What running attempts report: how far they have come, and log lines.

use rusqlite::{Result, named_params};

use super::failure::explain;
use super::transaction::SqliteTransaction;
use crate::error;
use crate::job::Token;
use crate::store::{LogLine, Notes, Verdict};

impl Notes for SqliteTransaction<'_> {
    fn note_progress(&mut self, batch: &[(Token, u8)]) -> error::Result<Vec<Verdict>> {
        let noted: Result<_> = (|| {
            let mut note = self
                .connection
                .prepare_cached(include_str!("sql/note_progress.sql"))?;
            let verdicts = batch.iter().map(|(token, progress)| {
                let changed = note.execute(named_params! {
                    ":id": token.key, ":fence": token.fence, ":progress": progress,
                })?;
                Ok(verdict(changed))
            });
            verdicts.collect()
        })();
        noted.map_err(|error| explain(self.path, &error))
    }

    fn note_log(&mut self, batch: &[LogLine]) -> error::Result<Vec<Verdict>> {
        let noted: Result<_> = (|| {
            let mut note = self
                .connection
                .prepare_cached(include_str!("sql/note_log.sql"))?;
            let verdicts = batch.iter().map(|line| {
                let changed = self.with_new_key(line.logged_at, |key| {
                    note.execute(named_params! {
                        ":id": key, ":job": line.token.key, ":fence": line.token.fence,
                        ":level": line.level, ":message": line.message, ":extra": line.extra,
                        ":logged_at": line.logged_at,
                    })
                })?;
                Ok(verdict(changed))
            });
            verdicts.collect()
        })();
        noted.map_err(|error| explain(self.path, &error))
    }
}

fn verdict(changed: usize) -> Verdict {
    if changed == 1 {
        Verdict::Applied
    } else {
        Verdict::Stale
    }
}
