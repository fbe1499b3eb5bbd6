//! Opening what a cut has left, with the store as any program does, and putting it to work.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use taskito_core::clock::{Clock, ManualClock};
use taskito_core::engine::{Site, reap_the_dead};
use taskito_core::limits::QueueChange;
use taskito_core::rollup::Run;
use taskito_core::store::sqlite::SqliteStore;
use taskito_core::store::{Completion, Inspect, JobStore, Sync};

use crate::any::Any;
use crate::sight;
use crate::support::audit::audit;
use crate::support::{START, job, worker};

/// A sound file after a cut, opened.
pub(crate) struct Survivors {
    pub(crate) store: Arc<SqliteStore>,
    /// See [`sight::digest`].
    pub(crate) digest: u64,
}

/// Opens the file; what is wrong with it, if anything is.
pub(crate) fn open(file: &Path) -> Result<Survivors, String> {
    let clock = Arc::new(ManualClock::at(START.plus(Duration::from_secs(60))));
    let store = SqliteStore::with_clock(file, Sync::Relaxed, clock as Arc<dyn Clock>);
    store.stats().map_err(|error| error.to_string())?;
    let connection = sight::connect(file);
    match sight::integrity(&connection) {
        ok if ok == "ok" => {}
        problem => return Err(problem),
    }
    audit(file);
    Ok(Survivors {
        digest: sight::digest(&connection),
        store: Arc::new(store),
    })
}

impl Survivors {
    /// Recovers what ran during the cut, and runs everything to its end.
    pub(crate) fn finish_everything(&self) {
        let store = &self.store;
        let site = Site {
            store: Arc::clone(store) as Arc<dyn JobStore>,
            gate: store.gate().unwrap(),
            clock: store.clock(),
            path: store.file(),
        };
        reap_the_dead(&site).unwrap();
        store.enqueue(vec![job("after the cut")]).unwrap();
        let mut now = store.now();
        let mut ran = 0;
        store
            .write(Sync::Relaxed, &mut |at| {
                at.set_queue("other", &QueueChange::Resume)?;
                let worker = at.enlist(now, &worker())?;
                loop {
                    // A delay may begin when a parent ends.
                    now = now.plus(Duration::from_secs(1));
                    at.promote(now, 1000)?;
                    // One suspect at a time is the rule of workers, not of the store.
                    let claims = at.claim(now, worker, &mut Any(1000))?;
                    if claims.is_empty() {
                        return Ok(());
                    }
                    ran += claims.len();
                    for claim in claims {
                        let (token, run) = (claim.token, Run::default());
                        at.complete(
                            now,
                            &[Completion {
                                preview: None,
                                token,
                                result: b"done",
                                run,
                            }],
                        )?;
                    }
                }
            })
            .unwrap();
        assert!(ran > 0, "the new job did not run");
        let stats = store.stats().unwrap();
        assert_eq!((stats.pending, stats.running), (0, 0), "something is stuck");
    }
}
