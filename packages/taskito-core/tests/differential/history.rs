//! What histories are made of, so that `proptest` can draw them and make them short.

use std::fmt;

use proptest::collection::vec;
use proptest::prelude::{Strategy, any};

use crate::author::Author;

/// Most transactions of a history.
const TRANSACTIONS: usize = 60;

/// What a history is made of. A seed stands for the same whatever is left out before it, so one
/// that fails can be shortened.
#[derive(Clone)]
pub(crate) struct History {
    /// The limits of its tasks, and how its clock goes.
    pub(crate) opening: u64,
    pub(crate) acts: Vec<Seeds>,
}

/// What a transaction is made of.
#[derive(Clone, Debug)]
pub(crate) struct Seeds {
    /// All but its steps.
    pub(crate) act: u64,
    pub(crate) steps: Vec<u64>,
}

/// Any history.
pub(crate) fn histories() -> impl Strategy<Value = History> {
    // Of numbers that stand for anything none is simpler than another.
    let seed = || any::<u64>().no_shrink();
    let act = (seed(), vec(seed(), 1..4)).prop_map(|(act, steps)| Seeds { act, steps });
    (seed(), vec(act, 0..TRANSACTIONS)).prop_map(|(opening, acts)| History { opening, acts })
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut author = Author::new(self);
        writeln!(f, "{:?}", author.first_act())?;
        let mut acts = self.acts.iter();
        acts.try_for_each(|seeds| writeln!(f, "{:?}", author.act(seeds)))
    }
}
