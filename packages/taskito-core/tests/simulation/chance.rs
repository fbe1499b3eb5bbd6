//! Chance of one step: what it draws depends on the seed and the number of the step alone, so a
//! history can be told again with some of its steps left out.

/// A stream of random numbers.
pub(crate) struct Chance(u64);

impl Chance {
    /// That of one step of a history.
    pub(crate) fn new(seed: u64, step: u64) -> Self {
        let mut chance = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ step);
        // Neighbouring seeds and steps differ in few bits; spread them.
        chance.next();
        chance.0 ^= step.rotate_left(32);
        chance
    }

    /// Any number (Steele, Lea, Flood: `SplitMix64`).
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `count`; 0 if there is none.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        let number = usize::try_from(self.next() >> 32).unwrap_or_default();
        number.checked_rem(count).unwrap_or_default()
    }

    /// Whether something happens that happens once in `count` times.
    pub(crate) fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    /// One of some choices.
    pub(crate) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// One of what there is, if anything is.
    pub(crate) fn pick<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        let place = self.below(all.len());
        all.get(place).copied()
    }
}
