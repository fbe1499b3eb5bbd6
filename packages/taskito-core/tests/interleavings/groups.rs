//! Group commit: whoever shares one gets the answer to what it brought, and nobody waits for ever.

use std::sync::Arc;

use shuttle::thread;
use taskito_core::job::{JobSpec, NewJob};

use crate::explore;
use crate::store::sqlite::{REFUSED, SqliteStore};

fn jobs(count: usize, payload: &[u8]) -> Vec<NewJob> {
    let job = NewJob::new(JobSpec::new("task").into(), payload.to_vec());
    vec![job; count]
}

#[test]
fn producers_that_share_a_commit_get_their_own_answers_and_pay_for_no_other() {
    explore(8_000, || {
        let store = Arc::new(SqliteStore::default());
        let producers: Vec<_> = [(1, &b""[..]), (2, REFUSED), (3, b""), (4, b"")]
            .into_iter()
            .map(|(count, payload)| {
                let store = Arc::clone(&store);
                thread::spawn(move || {
                    let answer = store.enqueue(jobs(count, payload));
                    assert_eq!(answer.is_err(), payload == REFUSED);
                    let inserted = answer.unwrap_or_default();
                    assert!(payload == REFUSED || inserted.len() == count);
                    inserted.into_iter().map(|job| job.key.0)
                })
            })
            .collect();
        let keys = producers.into_iter().map(|one| one.join().unwrap());
        let mut keys: Vec<i64> = keys.flatten().collect();
        keys.sort_unstable();
        assert_eq!(keys, (1..=8).collect::<Vec<_>>());
    });
}
