//! Keys of rows, and the `UUIDv7` text under which the outside knows them.
//!
//! A key is 41 bits of milliseconds since 2020 and a 22-bit sequence, made by the producer.
//! Its public text carries the key and the 52-bit random id of the database, so text and
//! key convert by arithmetic, and an id of another database is simply unknown.
//!
//! ```text
//! key    0 | milliseconds since 2020 (41) | sequence (22)
//! uuid   unix milliseconds (48) | 7 | sequence, high 12 | 10 | sequence, low 10 | database (52)
//! ```

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::clock::Millis;
use crate::os;

/// 2020-01-01T00:00:00Z: keys reach until 2089 instead of 2039.
pub const EPOCH: i64 = 1_577_836_800_000;

const SEQUENCE_BITS: u32 = 22;
const SEQUENCE_MASK: i64 = (1 << SEQUENCE_BITS) - 1;
const DATABASE_BITS: u32 = 52;
const DATABASE_MASK: u64 = (1 << DATABASE_BITS) - 1;

/// Primary key of a job, attempt, dead letter or worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub i64);

/// The random number a database got when it was created; 52 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatabaseId(u64);

impl DatabaseId {
    /// Keeps the low 52 bits.
    #[must_use]
    pub fn from_bits(bits: u64) -> Self {
        Self(bits & DATABASE_MASK)
    }

    /// The number itself, as it is stored.
    #[must_use]
    pub fn bits(self) -> u64 {
        self.0
    }
}

impl Key {
    /// No job has it; all come before.
    pub const LAST: Self = Self(i64::MAX);

    /// The lowest key that can be made at that instant.
    #[must_use]
    pub fn first_at(instant: Millis) -> Self {
        Self(
            instant
                .0
                .saturating_sub(EPOCH)
                .clamp(0, i64::MAX >> SEQUENCE_BITS)
                << SEQUENCE_BITS,
        )
    }

    /// The public id: lower-case `UUIDv7` text of 36 characters.
    #[must_use]
    pub fn text(self, database: DatabaseId) -> String {
        let time = (self.0 >> SEQUENCE_BITS)
            .wrapping_add(EPOCH)
            .cast_unsigned();
        let sequence = (self.0 & SEQUENCE_MASK).cast_unsigned();
        let high = (time << 16) | 0x7000 | (sequence >> 10);
        let low = (0b10 << 62) | ((sequence & 0x3ff) << DATABASE_BITS) | database.0;
        let digits = format!("{high:016x}{low:016x}");
        [
            &digits[..8],
            &digits[8..12],
            &digits[12..16],
            &digits[16..20],
            &digits[20..],
        ]
        .join("-")
    }

    /// The metadata of a job that repeats this one.
    #[must_use]
    pub fn said_to_be_replayed(self, database: DatabaseId) -> String {
        format!(r#"{{"replayed_from": "{}"}}"#, self.text(database))
    }

    /// Reads a public id back; `None` for text that no row of this database can have.
    #[must_use]
    pub fn parse(text: &str, database: DatabaseId) -> Option<Self> {
        if text.len() != 36 || !text.is_ascii() {
            return None;
        }
        let digits: String = text.split('-').collect();
        if digits.len() != 32 {
            return None;
        }
        let high = u64::from_str_radix(&digits[..16], 16).ok()?;
        let low = u64::from_str_radix(&digits[16..], 16).ok()?;
        let time = i64::try_from(high >> 16).ok()?.checked_sub(EPOCH)?;
        if time < 0 {
            return None;
        }
        let sequence = ((high & 0xfff) << 10) | ((low >> DATABASE_BITS) & 0x3ff);
        let key = Self((time << SEQUENCE_BITS) | sequence.cast_signed());
        (key.text(database) == text).then_some(key)
    }
}

/// The highest key that this process has made by the clock of the system, for any of its
/// databases. One from before that clock was set far back gives way to the next.
static NEWEST: AtomicI64 = AtomicI64::new(0);

/// How far from now a key of somebody else may lie to be followed; beyond, it is a mistake.
const SANE: Duration = Duration::from_secs(86_400);

/// Makes keys that strictly increase, also when the clock steps back. Those of other processes
/// are followed, so that the keys of a database increase in the order of its commits.
#[derive(Debug)]
pub struct KeySource {
    /// Whether it keeps step with the other sources of this process that do.
    in_step: bool,
    state: Mutex<KeyState>,
}

#[derive(Debug)]
struct KeyState {
    last: i64,
    random: u64,
}

impl KeySource {
    /// A source whose sequence starts where `seed` says, for a clock of its own: it follows no
    /// other, so that a test whose clock is hours ahead does not draw the keys of others there.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::starting_at(seed, false)
    }

    /// A source for the clock of the system, seeded at random: ids of all databases of this
    /// process sort in the order of its calls.
    #[must_use]
    pub fn in_step() -> Self {
        Self::starting_at(os::random(), true)
    }

    fn starting_at(seed: u64, in_step: bool) -> Self {
        Self {
            in_step,
            state: Mutex::new(KeyState {
                last: 0,
                random: seed | 1,
            }),
        }
    }

    /// Goes on from another random place: in a forked child, which shares the past of its
    /// parent, or they would draw the same keys.
    pub fn reseed(&self, seed: u64) {
        let mut state = self
            .state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        state.random = seed | 1;
        state.last |= SEQUENCE_MASK;
        if self.in_step {
            NEWEST.fetch_or(SEQUENCE_MASK, Ordering::AcqRel);
        }
    }

    /// Goes on after `newest`, a key that somebody else made. One from beyond tomorrow is a
    /// mistake and not followed.
    pub fn follow(&self, newest: Key, now: Millis) {
        let mut state = self
            .state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        state.follow(newest, now);
    }

    /// The last key that was made or followed.
    #[must_use]
    pub fn newest(&self) -> Key {
        let state = self
            .state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        Key(state.last)
    }

    /// The next key. Each new millisecond starts at a random place in the lower half of the
    /// sequence, so that two processes seldom meet and a millisecond never runs out.
    #[must_use]
    pub fn next(&self, now: Millis) -> Key {
        let mut state = self
            .state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let newest = self.in_step.then(|| Key(NEWEST.load(Ordering::Acquire)));
        if let Some(newest) = newest {
            state.follow(newest, now);
        }
        let millisecond = (now.0 - EPOCH).max(0);
        if millisecond > state.last >> SEQUENCE_BITS {
            state.random = xorshift(state.random);
            let start = state.random.cast_signed() & (SEQUENCE_MASK >> 1);
            state.last = (millisecond << SEQUENCE_BITS) | start;
        } else {
            state.last += 1;
        }
        match newest {
            Some(newest) if is_sane(newest, now) => {
                NEWEST.fetch_max(state.last, Ordering::AcqRel);
            }
            Some(_) => NEWEST.store(state.last, Ordering::Release),
            None => {}
        }
        Key(state.last)
    }
}

impl KeyState {
    fn follow(&mut self, newest: Key, now: Millis) {
        if is_sane(newest, now) {
            self.last = self.last.max(newest.0);
        }
    }
}

fn is_sane(key: Key, now: Millis) -> bool {
    key < Key::first_at(now.plus(SANE))
}

/// One step of Marsaglia's xorshift64: cheap, and never zero for a non-zero state.
#[must_use]
pub fn xorshift(mut state: u64) -> u64 {
    state ^= state << 13;
    state ^= state >> 7;
    state ^ (state << 17)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATABASE: DatabaseId = DatabaseId(0xf_edcb_a987_6543);

    #[test]
    fn text_and_key_are_the_same_number() {
        let key = KeySource::new(7).next(Millis(1_795_000_000_123));
        let text = key.text(DATABASE);
        assert_eq!(text.len(), 36);
        assert_eq!(&text[14..15], "7");
        assert!("89ab".contains(&text[19..20]));
        assert_eq!(Key::parse(&text, DATABASE), Some(key));
    }

    #[test]
    fn an_id_of_another_database_is_unknown() {
        let text = KeySource::new(7)
            .next(Millis(1_795_000_000_123))
            .text(DATABASE);
        assert_eq!(Key::parse(&text, DatabaseId(1)), None);
        assert_eq!(Key::parse("no id", DATABASE), None);
        assert_eq!(Key::parse(&text.to_uppercase(), DATABASE), None);
        assert_eq!(Key::parse(&"é".repeat(18), DATABASE), None);
    }

    #[test]
    fn keys_go_on_after_those_of_others_unless_they_are_absurd() {
        let now = Millis(1_795_000_000_000);
        let [source, other] = [3, 4].map(KeySource::new);
        for _ in 0..1000 {
            let theirs = other.next(now);
            source.follow(theirs, now);
            let ours = source.next(now);
            assert!(ours > theirs);
            assert_eq!(source.newest(), ours);
            other.follow(ours, now);
        }
        let newest = source.newest();
        source.follow(Key(i64::MAX), now);
        assert_eq!(source.newest(), newest);
    }

    #[test]
    fn keys_of_several_databases_increase_in_the_order_they_are_made() {
        let sources = [0; 3].map(|_| KeySource::in_step());
        let ahead = KeySource::in_step().next(Millis(1_995_000_000_000)); // before it was set back
        let mut last = Key(0);
        for number in 0..3000 {
            let key = sources[number % 3].next(Millis(1_795_000_000_000));
            assert!(key > last && key < ahead);
            last = key;
        }
    }

    #[test]
    fn a_clock_of_its_own_draws_no_other_along() {
        let hours_ahead = KeySource::new(3).next(Millis(1_795_000_000_000 + 7_200_000));
        let ours = KeySource::in_step().next(Millis(1_795_000_000_000));
        assert!(ours < Key::first_at(Millis(1_795_000_060_000)) && ours < hours_ahead);
    }

    #[test]
    fn keys_increase_when_the_clock_steps_back() {
        let source = KeySource::new(3);
        let mut last = source.next(Millis(1_795_000_000_000));
        for step in 0..10_000 {
            let key = source.next(Millis(1_795_000_000_000 - step));
            assert!(key > last);
            last = key;
        }
    }
}
