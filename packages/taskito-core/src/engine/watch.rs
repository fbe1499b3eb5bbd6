//! Notices that other workers die, and says that this one lives.
//!
//! News of a death comes from the kernel (a process descriptor becomes readable); a look at
//! all certificates once a second catches what that cannot see, such as other containers.

use std::collections::HashMap;
use std::io::PipeWriter;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::job::{WorkerId, WorkerRow};
use crate::os::{self, Waited};
use crate::store::Sync;

use super::desk::Desk;
use super::news::{Event, News};
use super::{Site, certificate, overtime, reaper, spawn};

const LOOK: Duration = Duration::from_secs(1);
const BEAT: Duration = Duration::from_secs(5);

/// Keeps the watch until it is dropped.
pub(super) struct Watch {
    /// Closing it ends the thread.
    _stop: PipeWriter,
}

impl Watch {
    pub(super) fn start(
        site: Site,
        worker: WorkerId,
        desk: Arc<Desk>,
        news: Arc<News>,
    ) -> Result<Self> {
        let (stopped, stop) = std::io::pipe().map_err(|error| Error::Invalid {
            message: format!("cannot make a pipe: {error}"),
        })?;
        spawn("taskito-watch", move || {
            let mut watcher = Watcher::new(site, worker, desk, news);
            // A storage failure here is passing, as in `step`.
            watcher.look_after_others().ok();
            while watcher.wait(stopped.as_raw_fd()) {
                watcher.step();
            }
        })?;
        Ok(Self { _stop: stop })
    }
}

/// What it looks after.
pub(super) struct Watcher {
    site: Site,
    worker: WorkerId,
    desk: Arc<Desk>,
    news: Arc<News>,
    /// News of the end of each living peer on this machine, where the kernel gives it.
    peers: HashMap<WorkerId, Option<OwnedFd>>,
    last_beat: Instant,
    /// Whether it was passed on that somebody wants this worker to leave.
    was_asked: bool,
}

impl Watcher {
    pub(super) fn new(site: Site, worker: WorkerId, desk: Arc<Desk>, news: Arc<News>) -> Self {
        Self {
            last_beat: site.clock.instant(),
            site,
            worker,
            desk,
            news,
            peers: HashMap::new(),
            was_asked: false,
        }
    }

    /// Sleeps until a peer ends or it is time to look; `false` when the watch is over.
    fn wait(&mut self, stopped: RawFd) -> bool {
        let mut descriptors: Vec<RawFd> = vec![stopped];
        descriptors.extend(self.peers.values().flatten().map(AsRawFd::as_raw_fd));
        if os::wait_readable(&descriptors, LOOK) == Waited::Woken {
            self.note_ends();
        }
        !is_readable(stopped)
    }

    /// Each end is news once. If its jobs cannot be settled now, the next look tries again; a
    /// descriptor that stays readable must not keep us awake until then.
    fn note_ends(&mut self) {
        for peer in self.peers.values_mut() {
            if peer.as_ref().is_some_and(|fd| is_readable(fd.as_raw_fd())) {
                *peer = None;
            }
        }
    }

    /// One look around. A storage failure here is passing: the next look repeats it all.
    pub(super) fn step(&mut self) {
        if certificate::is_lost(self.site.path.as_deref(), self.worker) {
            // Others take it for dead from now on.
            self.news.strand();
            self.site.gate.work().ring();
            return;
        }
        self.look_after_others().ok();
        let now = self.site.clock.instant();
        if now.saturating_duration_since(self.last_beat) >= BEAT {
            self.last_beat = now;
            self.beat().ok();
        }
    }

    fn look_after_others(&mut self) -> Result<()> {
        let roster = self.site.store.workers()?;
        match roster.iter().find(|row| row.id == self.worker) {
            None => self.leave(),
            Some(row) if row.drain_requested && !self.was_asked => {
                self.was_asked = true;
                self.news.tell([Event::DrainRequested]);
            }
            Some(_) => {}
        }
        let mut peers = reaper::reap(&self.site, &self.news, roster)?;
        peers.retain(|peer| peer.id != self.worker);
        self.meet(&peers);
        overtime::enforce(&self.site, &self.desk, &self.news, &peers)
    }

    /// Others took this worker for dead and settled what it held: its certificate fell, as when
    /// something in its process opens and closes the file of certificates. It claims nothing any
    /// more, so it ends.
    fn leave(&self) {
        if self.desk.drain(self.site.clock.instant()) {
            self.news.tell([Event::Disowned]);
        }
    }

    /// Asks the kernel for news of the end of each peer on this machine.
    fn meet(&mut self, peers: &[WorkerRow]) {
        let hostname = os::hostname();
        self.peers
            .retain(|id, _| peers.iter().any(|peer| peer.id == *id));
        for peer in peers {
            let about = &peer.about;
            if about.pid != std::process::id() && about.hostname == hostname {
                self.peers
                    .entry(peer.id)
                    .or_insert_with(|| os::watch_process(about.pid));
            }
        }
    }

    fn beat(&self) -> Result<()> {
        let beat = self.desk.beat();
        self.site.store.write(Sync::Relaxed, &mut |transaction| {
            transaction.beat(self.site.clock.now(), self.worker, &beat)
        })
    }
}

fn is_readable(descriptor: RawFd) -> bool {
    os::wait_readable(&[descriptor], Duration::ZERO) == Waited::Woken
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::engine::Settings;
    use crate::store::gate::Gate;
    use crate::store::sqlite::SqliteStore;

    #[test]
    fn the_end_of_a_peer_wakes_the_watch_once() -> std::io::Result<()> {
        let settings = Settings {
            threads: 1,
            ..Settings::default()
        };
        let site = Site {
            store: Arc::new(SqliteStore::new(":memory:", Sync::Relaxed)),
            gate: Arc::new(Gate::private()?),
            clock: Arc::new(SystemClock),
            path: None,
        };
        let mut watcher = Watcher {
            site: site.clone(),
            worker: WorkerId(1),
            desk: Arc::new(Desk::new(&site, Arc::default(), &settings)),
            news: Arc::default(),
            peers: HashMap::new(),
            last_beat: Instant::now(),
            was_asked: false,
        };
        // A pipe without a writer is readable for ever, like the descriptor of a dead process.
        let (dead, writer) = std::io::pipe()?;
        drop(writer);
        watcher.peers.insert(WorkerId(2), Some(dead.into()));
        let (stopped, stop) = std::io::pipe()?;
        assert!(watcher.wait(stopped.as_raw_fd()));
        assert!(watcher.peers[&WorkerId(2)].is_none());
        drop(stop);
        assert!(!watcher.wait(stopped.as_raw_fd()));
        Ok(())
    }
}
