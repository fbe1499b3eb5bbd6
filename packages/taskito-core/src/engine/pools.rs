//! The two kinds of runners, and whatever there is once for each.

use std::ops::{Index, IndexMut};

/// What runs a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A thread for each attempt.
    #[default]
    Thread,
    /// A coroutine on the worker's event loop.
    Coroutine,
}

impl Kind {
    /// Both.
    pub(super) const ALL: [Self; 2] = [Self::Thread, Self::Coroutine];
}

/// One value for each kind.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pools<T> {
    pub(super) threads: T,
    pub(super) coroutines: T,
}

impl<T> Pools<T> {
    /// What `make` makes for each kind.
    pub(super) fn of(mut make: impl FnMut(Kind) -> T) -> Self {
        Self {
            threads: make(Kind::Thread),
            coroutines: make(Kind::Coroutine),
        }
    }

    /// Both values.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        [&self.threads, &self.coroutines].into_iter()
    }
}

impl<T> Index<Kind> for Pools<T> {
    type Output = T;

    fn index(&self, kind: Kind) -> &T {
        match kind {
            Kind::Thread => &self.threads,
            Kind::Coroutine => &self.coroutines,
        }
    }
}

impl<T> IndexMut<Kind> for Pools<T> {
    fn index_mut(&mut self, kind: Kind) -> &mut T {
        match kind {
            Kind::Thread => &mut self.threads,
            Kind::Coroutine => &mut self.coroutines,
        }
    }
}
