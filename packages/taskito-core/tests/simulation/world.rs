//! A database, the workers on it, and what is known about both.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use taskito_core::clock::Clock;
use taskito_core::engine::Settings;
use taskito_core::job::WorkerId;
use taskito_core::store::sqlite::SqliteStore;
use taskito_core::store::{JobStore, Sync, Transaction};

use crate::actor::{Actor, RUNNERS};
use crate::chance::Chance;
use crate::clock::SimClock;
use crate::code::Code;
use crate::faulty::{Fault, Faulty};
use crate::fires::Fires;
use crate::laws::{self, Lawful};
use crate::rates::Rates;
use crate::record::Record;
use crate::sight::Sight;
use crate::support::START;

/// The most workers that live at once.
const CROWD: usize = 4;

/// Where databases are made: a directory in memory, if there is one, and an empty database.
pub(crate) struct Ground {
    directory: PathBuf,
}

impl Ground {
    pub(crate) fn new(number: usize) -> Self {
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() {
            memory.to_path_buf()
        } else {
            std::env::temp_dir()
        };
        let name = format!("taskito-simulation-{}-{number}", std::process::id());
        let directory = parent.join(name);
        fs::create_dir_all(&directory).unwrap();
        let ground = Self { directory };
        let store = SqliteStore::new(ground.template(), Sync::Relaxed);
        store.write(Sync::Relaxed, &mut |_| Ok(())).unwrap();
        store.tidy().unwrap();
        store.close();
        ground
    }

    fn template(&self) -> PathBuf {
        self.directory.join("empty.db")
    }

    /// A fresh database; the one before is gone.
    fn database(&self) -> PathBuf {
        for entry in fs::read_dir(&self.directory).unwrap() {
            let path = entry.unwrap().path();
            if path
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("jobs.db"))
            {
                fs::remove_file(path).unwrap();
            }
        }
        let path = self.directory.join("jobs.db");
        fs::copy(self.template(), &path).unwrap();
        path
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.directory).ok();
    }
}

/// One history on its way.
pub(crate) struct World {
    pub(crate) clock: Arc<SimClock>,
    pub(crate) stores: Vec<Arc<SqliteStore>>,
    /// The store of producers and operators.
    pub(crate) outside: Arc<Faulty>,
    /// How many transactions there were, and how many before the last look.
    writes: Arc<AtomicU64>,
    seen: u64,
    pub(crate) code: Arc<Code>,
    pub(crate) actors: Vec<Actor>,
    pub(crate) record: Record,
    pub(crate) rates: Rates,
    pub(crate) fires: Fires,
    pub(crate) sight: Sight,
    /// What happened, line by line.
    pub(crate) lines: Vec<String>,
    /// The worker whose step this is, and the version it runs.
    pub(crate) acting: Option<(WorkerId, Arc<Code>)>,
}

impl World {
    /// A database on which a few workers have started.
    pub(crate) fn new(ground: &Ground, chance: &mut Chance) -> Self {
        let mut world = Self::empty(ground, chance);
        for _ in 0..chance.one_of(&[1, 2, 2, 3]) {
            world.hire(chance, None);
        }
        world.sight = Sight::of(&world.stores[0]);
        world
    }

    /// A database, and nobody on it.
    pub(crate) fn empty(ground: &Ground, chance: &mut Chance) -> Self {
        let clock = Arc::new(SimClock::at(START));
        let path = ground.database();
        // Several handles stand for several processes.
        let handles = chance.one_of(&[1, 1, 2]);
        let stores: Vec<Arc<SqliteStore>> = (0..handles)
            .map(|_| {
                let time = Arc::clone(&clock) as Arc<dyn Clock>;
                Arc::new(SqliteStore::with_clock(&path, Sync::Relaxed, time))
            })
            .collect();
        let writes = Arc::default();
        let outside = Arc::new(Faulty::new(&stores[0], &writes));
        let code = Arc::new(Code::new(chance));
        Self {
            sight: Sight::of(&stores[0]),
            clock,
            stores,
            outside,
            writes,
            seen: 0,
            code,
            actors: Vec::new(),
            record: Record::default(),
            rates: Rates::default(),
            fires: Fires::default(),
            lines: Vec::new(),
            acting: None,
        }
    }

    /// The store that knows the truth.
    pub(crate) fn store(&self) -> &Arc<SqliteStore> {
        &self.stores[0]
    }

    /// Milliseconds in the time that nobody can set.
    pub(crate) fn uptime(&self) -> i64 {
        self.clock.uptime()
    }

    pub(crate) fn say(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    /// A new worker, if there is room for one and its start does not fail.
    pub(crate) fn hire(&mut self, chance: &mut Chance, fault: Option<Fault>) {
        if self.actors.len() >= CROWD {
            return;
        }
        let store = &self.stores[chance.below(self.stores.len())];
        let settings = Settings {
            threads: RUNNERS,
            coroutines: RUNNERS,
            queues: chance
                .one_of(&[&[][..], &[], &["x", "y"]])
                .iter()
                .map(ToString::to_string)
                .collect(),
            result_ttl: chance.one_in(3).then_some(crate::laws::RESULT_TTL),
            seed: Some(chance.next()),
        };
        let faulty = Arc::new(Faulty::new(store, &self.writes));
        faulty.arm(fault);
        match Actor::start(store, faulty, &self.code, settings) {
            Ok(actor) => {
                self.say(format!("worker {} starts", actor.id.0));
                self.actors.push(actor);
            }
            Err(error) => self.say(format!("a worker does not start: {error}")),
        }
    }

    /// A worker dies. What it had begun is lost.
    pub(crate) fn kill(&mut self, place: usize) {
        let actor = self.actors.swap_remove(place);
        self.record
            .dead
            .entry(actor.id)
            .or_insert(self.clock.uptime());
        self.say(format!("worker {} is killed", actor.id.0));
        actor.kill();
    }

    /// What somebody does from outside, in one transaction.
    pub(crate) fn act(
        &self,
        work: &mut dyn FnMut(&mut dyn Transaction) -> taskito_core::error::Result<()>,
    ) -> bool {
        self.outside.write(Sync::Durable, &mut |t| work(t)).is_ok()
    }

    /// Looks at the database and holds it against the laws.
    pub(crate) fn check(&mut self) -> Lawful {
        let writes = self.writes.load(Ordering::Relaxed);
        if self.seen == writes {
            self.acting = None;
            return Ok(());
        }
        self.seen = writes;
        let after = Sight::of(self.store());
        laws::hold(self, &after)?;
        self.sight = after;
        self.acting = None;
        Ok(())
    }
}
