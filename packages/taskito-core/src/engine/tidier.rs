//! Moves the write-ahead log into the file while others write on, so that they need not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::error::Result;

use super::{Site, spawn};

/// How often it looks though nobody said that the log is long.
const LOOK: Duration = Duration::from_secs(1);
/// How long it rests when readers keep the log from beginning anew, or the store fails.
const REST: Duration = Duration::from_millis(100);

/// Keeps a tidier at work until it is dropped.
pub(super) struct Post {
    site: Site,
    ended: Arc<AtomicBool>,
}

impl Post {
    pub(super) fn start(site: Site) -> Result<Self> {
        let ended = Arc::new(AtomicBool::new(false));
        let post = Self {
            site: site.clone(),
            ended: Arc::clone(&ended),
        };
        spawn("taskito-tidier", move || {
            let tended = site.gate.tend();
            let bell = site.gate.untidy();
            while !ended.load(Ordering::SeqCst) {
                let number = bell.number();
                // A storage failure here is passing: the log only grows until it is over.
                if !site.store.tidy().unwrap_or(false) {
                    thread::sleep(REST);
                }
                tended.renew();
                bell.sleep(number, LOOK, || ended.load(Ordering::SeqCst));
            }
        })?;
        Ok(post)
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        self.site.gate.untidy().ring();
    }
}
