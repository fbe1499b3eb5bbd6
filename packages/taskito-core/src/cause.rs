//! Why an attempt failed, in parts that can be compared: failures that say the same are a group.

use crate::clock::Millis;

/// Where one part of a fingerprint ends. No text in UTF-8 has this byte.
const END: u8 = 0xff;
/// Name of what a timeout raises in Python.
const TIMEOUT: &str = "taskito.exceptions.TaskTimeoutError";
/// Name of what the loss of a worker is told as in Python.
const LOSS: &str = "taskito.exceptions.WorkerLostError";

/// What failures of one kind have in common, as a number of 63 bits. The same in every database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub i64);

impl Fingerprint {
    /// The public text: 16 hexadecimal digits.
    #[must_use]
    pub fn text(self) -> String {
        format!("{:016x}", self.0)
    }

    /// Reads the public text back; `None` for text that no fingerprint has.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let found = Self(i64::from_str_radix(text, 16).ok()?);
        (found.text() == text).then_some(found)
    }
}

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Class of the exception, with its module unless that is `builtins`.
    pub error_type: String,
    /// What the exception said.
    pub message: String,
    /// The same without what differs from failure to failure.
    pub template: String,
    /// `module:function` where the user's code failed; empty if that is not known.
    pub location: String,
    /// The traceback as a JSON list, outermost frame first.
    pub frames: Option<String>,
}

impl Cause {
    /// An attempt ran over its timeout.
    #[must_use]
    pub fn timed_out(message: &str) -> Self {
        Self::of_engine(TIMEOUT, message, "the attempt ran longer than its timeout")
    }

    /// A worker died while it ran an attempt, and there will be no other.
    #[must_use]
    pub fn lost(message: &str) -> Self {
        Self::of_engine(LOSS, message, "the worker died while it ran the job")
    }

    fn of_engine(error_type: &str, message: &str, template: &str) -> Self {
        // The errors of the engine begin with the bare name of the class.
        let (_, said) = message.split_once(": ").unwrap_or(("", message));
        Self {
            error_type: error_type.into(),
            message: said.into(),
            template: template.into(),
            location: String::new(),
            frames: None,
        }
    }

    /// Failures of a task that have the same belong together. FNV-1a, without its lowest bit.
    #[must_use]
    pub fn fingerprint(&self, task: &str) -> Fingerprint {
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        for part in [task, &self.error_type, &self.location, &self.template] {
            for byte in part.bytes().chain([END]) {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
        Fingerprint((hash >> 1).cast_signed())
    }
}

/// What people make of a group of failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupState {
    /// Somebody should look at it. Every group starts here.
    Open,
    /// It is known and not to be shown among the open ones, whatever comes.
    Silenced,
    /// It is thought to be over; the next failure opens it again.
    Resolved,
}

impl GroupState {
    /// The stored name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Silenced => "silenced",
            Self::Resolved => "resolved",
        }
    }

    /// The state with that stored name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Open, Self::Silenced, Self::Resolved]
            .into_iter()
            .find(|state| state.name() == name)
    }
}

/// A group of failures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupRow {
    /// What its failures have in common.
    pub fingerprint: Fingerprint,
    /// Their task.
    pub task: String,
    /// See [`Cause::error_type`].
    pub error_type: String,
    /// See [`Cause::template`].
    pub template: String,
    /// See [`Cause::location`].
    pub location: String,
    /// When the first was recorded.
    pub first_seen: Millis,
    /// When the newest was recorded.
    pub last_seen: Millis,
    /// What people make of it.
    pub state: GroupState,
    /// Dead jobs with a letter whose last failure is one of these.
    pub dead: u64,
    /// Unfinished jobs whose last failure is one of these.
    pub retrying: u64,
}

/// Which groups a listing shows.
#[derive(Clone, Debug, Default)]
pub struct GroupFilter {
    /// Only groups of this state.
    pub state: Option<GroupState>,
    /// Only groups of this task.
    pub task: Option<String>,
    /// At most this many.
    pub limit: u32,
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn cause(error_type: &str, location: &str, template: &str) -> Cause {
        Cause {
            error_type: error_type.into(),
            message: "whatever it said".into(),
            template: template.into(),
            location: location.into(),
            frames: None,
        }
    }

    #[test]
    fn a_fingerprint_depends_on_each_part_and_on_where_it_ends() {
        let one = cause("a", "b", "c");
        let others = [
            cause("ab", "", "c"),
            cause("a", "bc", ""),
            cause("", "b", "c"),
            cause("a", "b", "d"),
        ];
        let known = one.fingerprint("task");
        assert!(
            others
                .iter()
                .all(|other| other.fingerprint("task") != known)
        );
        assert_ne!(one.fingerprint("another"), known);
    }

    #[test]
    fn a_fingerprint_is_the_same_whatever_else_the_failure_said() {
        let loud = Cause {
            message: "something else".into(),
            frames: Some("[]".into()),
            ..cause("a", "b", "c")
        };
        assert_eq!(
            loud.fingerprint("task"),
            cause("a", "b", "c").fingerprint("task")
        );
    }

    #[test]
    fn fingerprints_are_positive_and_read_back_from_their_text() {
        for task in ["", "send_email", "é"] {
            let fingerprint = cause("a", "b", "c").fingerprint(task);
            assert!(fingerprint.0 >= 0);
            assert_eq!(Fingerprint::parse(&fingerprint.text()), Some(fingerprint));
        }
        for text in [
            "",
            "7",
            "+000000000000007",
            "FFFFFFFFFFFFFFFF",
            "7fffffffffffffff0",
        ] {
            assert_eq!(Fingerprint::parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_the_engine_says_loses_the_name_that_it_begins_with() {
        let cause = Cause::timed_out("TaskTimeoutError: task 't' ran longer than 1 s: really");
        assert_eq!(cause.message, "task 't' ran longer than 1 s: really");
    }
}
