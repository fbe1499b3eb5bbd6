//! The values a field matches.

/// A set of numbers from 0 to 63, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Set(u64);

impl Set {
    /// Adds a number.
    pub(super) fn add(&mut self, value: u8) {
        self.0 |= 1 << value;
    }

    /// Takes a number out; whether it was in.
    pub(super) fn remove(&mut self, value: u8) -> bool {
        let was_in = self.contains(value);
        self.0 &= !(1 << value);
        was_in
    }

    /// Whether a number is in.
    pub(super) fn contains(self, value: u8) -> bool {
        self.next_from(value) == Some(value)
    }

    /// How many numbers are in.
    pub(super) fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// The smallest number in the set.
    pub(super) fn first(self) -> Option<u8> {
        self.next_from(0)
    }

    /// The smallest number in the set that is not below `value`.
    pub(super) fn next_from(self, value: u8) -> Option<u8> {
        let above = self.0.checked_shr(u32::from(value))?;
        let steps = u8::try_from(above.trailing_zeros()).ok()?;
        (above != 0).then(|| value + steps)
    }
}
