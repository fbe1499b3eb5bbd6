//! Whether what a file keeps on the side agrees with its jobs: counters, heads, users.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

/// What must find nothing, and what it says if it does.
const LAWS: [(&str, &str); 9] = [
    (
        "a job has the failure of another",
        "SELECT id FROM job WHERE failure IS NOT NULL AND (
            failure NOT IN (
                SELECT failure FROM attempt WHERE attempt.job = job.id AND failure IS NOT NULL
            )
            OR (finished_at IS NOT NULL AND dead_letter IS NULL)
        )",
    ),
    (
        "an attempt has no group, or a group no attempt",
        "SELECT id FROM attempt WHERE failure IS NOT NULL AND failure NOT IN (SELECT fingerprint FROM failure_group)
        UNION ALL SELECT fingerprint FROM failure_group WHERE state <> 'silenced'
            AND fingerprint NOT IN (SELECT failure FROM attempt WHERE failure IS NOT NULL)",
    ),
    (
        "a lane miscounts",
        "SELECT id FROM lane WHERE
            (blocked, scheduled, pending, running, complete, dead, cancelled, keyed) <> (
                SELECT
                    count(*) FILTER (WHERE state = 'blocked'),
                    count(*) FILTER (WHERE state = 'scheduled'),
                    count(*) FILTER (WHERE state = 'pending'),
                    count(*) FILTER (WHERE state = 'running'),
                    count(*) FILTER (WHERE state = 'complete'),
                    count(*) FILTER (WHERE state = 'dead'),
                    count(*) FILTER (WHERE state = 'cancelled'),
                    count(*) FILTER (WHERE state = 'running' AND limit_key IS NOT NULL)
                FROM job WHERE job.lane = lane.id
            )",
    ),
    (
        "a lane is ready by mistake",
        "SELECT id FROM lane WHERE ready <> (pending > 0)",
    ),
    (
        "a strand miscounts",
        "SELECT id FROM strand WHERE unfinished = 0 OR unfinished <> (
            SELECT count(*) FROM job WHERE job.strand = strand.id AND job.lane = strand.lane
            AND state IN ('blocked', 'scheduled', 'pending', 'running')
        )",
    ),
    (
        "a job has no strand",
        "SELECT id FROM job WHERE state IN ('blocked', 'scheduled', 'pending', 'running')
            AND (limit_key IS NOT NULL OR group_id IS NOT NULL)
            AND NOT EXISTS (SELECT 1 FROM strand WHERE id = job.strand AND lane = job.lane
                            AND keyed = (job.limit_key IS NOT NULL))",
    ),
    (
        "a strand has another head",
        "SELECT id FROM strand WHERE head IS NOT (
            SELECT id FROM job WHERE job.strand = strand.id AND job.lane = strand.lane
            AND state = 'pending' AND losses = 0 ORDER BY priority DESC, run_at, id LIMIT 1
        )",
    ),
    (
        "a limiter miscounts",
        "WITH RECURSIVE counted (strand, limiter) AS (
            SELECT id, key_limiter FROM strand WHERE key_limiter IS NOT NULL
            UNION ALL SELECT id, job_group FROM strand WHERE job_group IS NOT NULL
            UNION ALL SELECT strand, outer_group FROM counted JOIN limiter ON id = limiter
            WHERE outer_group IS NOT NULL
        )
        SELECT id FROM limiter WHERE running <> (
            SELECT count(*) FROM counted JOIN job ON job.strand = counted.strand
            WHERE counted.limiter = limiter.id AND state = 'running'
        )",
    ),
    (
        "a limiter is kept or gone by mistake",
        "SELECT id FROM limiter WHERE users <> (
            SELECT count(*) FROM strand WHERE key_limiter = limiter.id OR job_group = limiter.id
        ) + (SELECT count(*) FROM limiter AS inner WHERE inner.outer_group = limiter.id)
        UNION ALL SELECT id FROM limiter WHERE users = 0 AND arrival_ns = 0
        UNION ALL SELECT id FROM strand WHERE waits_for NOT IN (SELECT id FROM limiter)",
    ),
];

/// Asserts that the file keeps every law.
pub(crate) fn audit(file: &Path) {
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    for (problem, law) in LAWS {
        let mut query = connection.prepare(law).unwrap();
        let found: Vec<i64> = query
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert!(found.is_empty(), "{problem}: {found:?}");
    }
}
