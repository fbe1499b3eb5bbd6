//! Questions of a thread that is in haste.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop here"
)]

use std::sync::Arc;
use std::time::Duration;

use taskito_core::error::Error;
use taskito_core::job::{JobFilter, JobSpec, NewJob};
use taskito_core::store::sqlite::{SqliteStore, limit_reads};
use taskito_core::store::{Inspect, Sync};

#[test]
fn a_question_that_takes_too_long_is_given_up() {
    let store = SqliteStore::new(":memory:", Sync::Relaxed);
    let spec = Arc::new(JobSpec::new("a"));
    let jobs = (0..20_000).map(|_| NewJob::new(Arc::clone(&spec), vec![]));
    store.enqueue(jobs.collect()).unwrap();
    let broad = JobFilter {
        error: Some("x".into()),
        ..JobFilter::default()
    };
    limit_reads(Some(Duration::ZERO));
    let error = store.count(&broad).unwrap_err();
    assert!(matches!(error, Error::TooBroad { .. }), "{error}");
    assert_eq!(
        error.hint(),
        Some("narrow it by state, task, queue or time")
    );
    assert_eq!(store.stats().unwrap().pending, 20_000);
    limit_reads(Some(Duration::from_secs(3600)));
    assert_eq!(store.count(&broad).unwrap(), 0);
    limit_reads(None);
    assert_eq!(store.count(&broad).unwrap(), 0);
}
