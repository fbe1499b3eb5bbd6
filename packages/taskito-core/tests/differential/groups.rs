//! Groups of failures, as both stores show them.

use std::sync::LazyLock;

use taskito_core::cause::{Cause, GroupFilter, GroupRow, GroupState};
use taskito_core::job::{AttemptRow, Token};
use taskito_core::store::JobStore;

const MANY: u32 = 1000;

/// Two failures that differ, of whatever task.
static CAUSES: LazyLock<[Cause; 2]> = LazyLock::new(|| {
    ["{N} is wrong", "{path} is missing"].map(|template| Cause {
        error_type: "ValueError".into(),
        message: "7 is wrong".into(),
        template: template.into(),
        location: "app:work".into(),
        frames: Some("[]".into()),
    })
});

/// Why a claim failed; one in three has no cause.
pub(crate) fn cause(token: Token) -> Option<&'static Cause> {
    usize::try_from(token.fence.0 % 3)
        .ok()
        .and_then(|number| CAUSES.get(number))
}

/// The so-manyth thing that people make of groups.
pub(crate) fn state(number: usize) -> GroupState {
    [GroupState::Open, GroupState::Silenced, GroupState::Resolved][number % 3]
}

/// A group and how many there are of what belongs to it.
#[derive(Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) row: GroupRow,
    jobs: Vec<bool>,
    letters: usize,
    attempts: Vec<AttemptRow>,
}

/// Every group of a store. Keys are those of one store: what has them is counted.
pub(crate) fn seen(store: &dyn JobStore) -> Vec<Seen> {
    let filter = GroupFilter {
        limit: MANY,
        ..GroupFilter::default()
    };
    let rows = store.groups(&filter).unwrap();
    let mut failing = rows.clone();
    failing.retain(|row| row.dead + row.retrying > 0);
    failing.sort_by_key(|row| row.fingerprint);
    assert_eq!(store.failing_groups(MANY).unwrap(), failing);
    let rows = rows.into_iter();
    rows.map(|row| {
        let group = row.fingerprint;
        assert_eq!(store.group(group).unwrap().as_ref(), Some(&row));
        let jobs = store.group_jobs(group, MANY).unwrap();
        assert!(jobs.iter().all(|job| job.failure == Some(group)));
        assert_eq!(jobs.len() as u64, row.dead + row.retrying);
        let letters = store.group_letters(group, taskito_core::id::Key(0), MANY);
        let attempts = store.group_attempts(group, MANY).unwrap();
        Seen {
            jobs: jobs.iter().map(|job| job.state.is_finished()).collect(),
            letters: letters.unwrap().len(),
            attempts: attempts.into_iter().map(without_keys).collect(),
            row,
        }
    })
    .collect()
}

fn without_keys(row: AttemptRow) -> AttemptRow {
    let none = taskito_core::id::Key(0);
    AttemptRow {
        key: none,
        job: none,
        ..row
    }
}
