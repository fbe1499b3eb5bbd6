//! Which jobs are meant: the terms of a filter line, and whether a job meets them. Long because
//! each term says what it means, with tests beside it. The line itself is read by
//! `taskito/filters.py`; what it means is decided here, for every store.

use std::time::Duration;

use crate::call_text::{Call, JsonCall, items};
use crate::cause::Fingerprint;
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::id::{DatabaseId, Key};
use crate::state::State;

/// Where the short form of an id begins, by which pages show it: the end of its time and the
/// sequence, which together tell ids of the same minute apart.
const SHORT: usize = 9;

/// Terms that a job must meet, all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    terms: Vec<Term>,
}

/// One term as it is written down: a field, whether it is denied, and values of which one must fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// `state`, `queue`, `task`, `worker`, `id`, `fp`, `error`, `tag`, `text`, `args.NAME`, or one
    /// of `age>`, `age<`, `run>`, `run<`, `created>` and `created<` with milliseconds.
    pub field: String,
    /// Whether the job must not meet it.
    pub denied: bool,
    /// What the field may be.
    pub values: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    written: Written,
    asks: Asks,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Asks {
    Standing(Vec<Standing>),
    Queue,
    Task,
    Worker,
    Id,
    /// Of a group of failures.
    Failure,
    Error,
    Tag,
    Text,
    Argument(String),
    Age(Than, Duration),
    Run(Than, Duration),
    /// At that instant or later, or before it.
    Created(Than, Millis),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Than {
    Longer,
    Shorter,
}

/// Where a job stands, in the words of people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Waits, for whatever.
    Pending,
    /// Waits for other jobs.
    Blocked,
    /// Due, and waits for a worker.
    Ready,
    /// Not due yet, and never failed.
    Scheduled,
    /// Not due yet, because an attempt failed.
    Retrying,
    /// In a state that has the same name here and there.
    Is(State),
    /// A word that the old interface had; no job rests there.
    Nowhere,
}

/// A job, as far as a filter asks.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Its key.
    pub key: Key,
    /// Its queue.
    pub queue: &'a str,
    /// Its task.
    pub task: &'a str,
    /// The internal state.
    pub state: State,
    /// Retries spent.
    pub retry_count: u32,
    /// When it was enqueued.
    pub created_at: Millis,
    /// When it is due.
    pub run_at: Millis,
    /// When the newest claim began.
    pub claimed_at: Option<Millis>,
    /// When it reached a final state.
    pub finished_at: Option<Millis>,
    /// The user's own text.
    pub metadata: Option<&'a str>,
    /// Why it is dead or cancelled.
    pub error: Option<&'a str>,
    /// The group of its last failure.
    pub failure: Option<Fingerprint>,
    /// Its arguments.
    pub call: Call<'a>,
    /// The worker that runs it: machine, process and id, parted by blanks.
    pub worker: Option<&'a str>,
}

impl Filter {
    /// A filter of these terms.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a field or value that there is not.
    pub fn new(written: Vec<Written>) -> Result<Self> {
        let terms = written.into_iter().map(Term::new).collect::<Result<_>>()?;
        Ok(Self { terms })
    }

    /// Whether a job of that database meets all terms at that instant.
    #[must_use]
    pub fn meets(&self, job: &Candidate<'_>, now: Millis, database: DatabaseId) -> bool {
        let mut terms = self.terms.iter();
        terms.all(|term| term.meets(job, now, database) != term.written.denied)
    }

    /// Whether jobs in that state of that queue and task may meet all terms.
    #[must_use]
    pub fn may_meet(&self, queue: &str, task: &str, state: State) -> bool {
        self.terms.iter().all(|term| {
            let met = match &term.asks {
                Asks::Queue => term.any(|value| fits(value, queue)),
                Asks::Task => term.any(|value| fits(value, task)),
                Asks::Standing(words) if words.iter().all(|word| word.is_a_state()) => {
                    words.iter().any(|word| word.may_be(state))
                }
                Asks::Standing(words) => {
                    return term.written.denied || words.iter().any(|word| word.may_be(state));
                }
                _ => return true,
            };
            met != term.written.denied
        })
    }

    /// Whether counters by queue, task and state can tell how many jobs meet it.
    #[must_use]
    pub fn is_counted(&self) -> bool {
        self.terms.iter().all(|term| match &term.asks {
            Asks::Queue | Asks::Task => true,
            Asks::Standing(words) => words.iter().all(|word| word.is_a_state()),
            _ => false,
        })
    }

    /// Whether some term asks for what no index or counter knows, so that a search looks only at
    /// so many jobs at a time.
    #[must_use]
    pub fn reads_rows(&self) -> bool {
        self.terms.iter().any(|term| match term.asks {
            Asks::Standing(_) | Asks::Queue | Asks::Task | Asks::Age(..) | Asks::Created(..) => {
                false
            }
            Asks::Id => term.any(is_short),
            Asks::Failure => self.failures().is_none(),
            _ => true,
        })
    }

    /// Whether some term asks for arguments.
    #[must_use]
    pub fn reads_calls(&self) -> bool {
        let asked = |term: &Term| matches!(term.asks, Asks::Argument(_) | Asks::Text);
        self.terms.iter().any(asked)
    }

    /// Whether some term asks who runs a job.
    #[must_use]
    pub fn reads_workers(&self) -> bool {
        let asked = |term: &Term| matches!(term.asks, Asks::Worker);
        self.terms.iter().any(asked)
    }

    /// From which key to which, both included, jobs can meet it: what its ages and ids say.
    #[must_use]
    pub fn keys(&self, now: Millis) -> (Key, Key) {
        let (mut from, mut to) = (Key(0), Key(Key::LAST.0 - 1));
        for term in self.terms.iter().filter(|term| !term.written.denied) {
            let (low, high) = match &term.asks {
                // Keys are made at the instant of the enqueuing or later, never before.
                Asks::Age(Than::Shorter, age) => (Key::first_at(before(now, *age)), to),
                Asks::Created(Than::Longer, at) => (Key::first_at(*at), to),
                Asks::Id => term.id_keys(),
                _ => continue,
            };
            from = from.max(low);
            to = to.min(high);
        }
        (from, to)
    }

    /// From which group of failures to which, both included, jobs that meet it can be.
    #[must_use]
    pub fn failures(&self) -> Option<(Fingerprint, Fingerprint)> {
        let asked = |term: &&Term| term.asks == Asks::Failure && !term.written.denied;
        let spans = self.terms.iter().filter(asked).map(Term::failures);
        spans.reduce(|one, other| (one.0.max(other.0), one.1.min(other.1)))
    }

    /// The terms, as they were given.
    pub fn written(&self) -> impl Iterator<Item = &Written> {
        self.terms.iter().map(|term| &term.written)
    }
}

impl Term {
    fn new(written: Written) -> Result<Self> {
        let asks = match written.field.as_str() {
            "state" => {
                let words = written.values.iter().map(|word| Standing::read(word));
                Asks::Standing(words.collect::<Result<_>>()?)
            }
            "queue" => Asks::Queue,
            "task" => Asks::Task,
            "worker" => Asks::Worker,
            "id" => Asks::Id,
            "fp" => {
                written.check_fingerprints()?;
                Asks::Failure
            }
            "error" => Asks::Error,
            "tag" => Asks::Tag,
            "text" => Asks::Text,
            "age>" => Asks::Age(Than::Longer, written.duration()?),
            "age<" => Asks::Age(Than::Shorter, written.duration()?),
            "run>" => Asks::Run(Than::Longer, written.duration()?),
            "run<" => Asks::Run(Than::Shorter, written.duration()?),
            "created>" => Asks::Created(Than::Longer, Millis(written.number()?)),
            "created<" => Asks::Created(Than::Shorter, Millis(written.number()?)),
            other => match other.strip_prefix("args.") {
                Some(name) if !name.is_empty() => Asks::Argument(name.into()),
                _ => return Err(unknown(&format!("field '{other}'"))),
            },
        };
        if written.values.is_empty() {
            return Err(unknown(&format!("'{}' without a value", written.field)));
        }
        Ok(Self { written, asks })
    }

    fn meets(&self, job: &Candidate<'_>, now: Millis, database: DatabaseId) -> bool {
        match &self.asks {
            Asks::Standing(words) => words.iter().any(|word| word.is(job, now)),
            Asks::Queue => self.any(|value| fits(value, job.queue)),
            Asks::Task => self.any(|value| fits(value, job.task)),
            Asks::Worker => job.worker.is_some_and(|names| {
                self.any(|value| names.split(' ').any(|name| fits(value, name)))
            }),
            Asks::Id => {
                let id = job.key.text(database);
                self.any(|value| {
                    let known = if is_short(value) { &id[SHORT..] } else { &id };
                    known.starts_with(value)
                })
            }
            Asks::Failure => job.failure.is_some_and(|failure| {
                let text = failure.text();
                self.any(|value| text.starts_with(beginning(value)))
            }),
            Asks::Error => job
                .error
                .is_some_and(|error| self.any(|value| error.contains(value))),
            Asks::Tag => job
                .metadata
                .is_some_and(|metadata| self.any(|value| has_tag(metadata, value))),
            Asks::Text => self.any(|value| {
                let texts = [Some(job.task), Some(job.queue), job.error, job.metadata];
                let mut texts = texts.into_iter().flatten();
                texts.any(|text| text.contains(value))
                    || job.call.has(value)
                    || job.call.begins(job.task, value)
            }),
            Asks::Argument(name) => {
                let mut found = job.call.argument(name);
                found.any(|found| self.any(|value| fits(value, &found)))
            }
            Asks::Age(than, age) => than.holds(job.created_at.until(now), *age),
            Asks::Created(Than::Longer, at) => job.created_at >= *at,
            Asks::Created(Than::Shorter, at) => job.created_at < *at,
            Asks::Run(than, length) => job.claimed_at.is_some_and(|begin| {
                than.holds(begin.until(job.finished_at.unwrap_or(now)), *length)
            }),
        }
    }

    /// From which group to which those are whose fingerprints begin with a value.
    fn failures(&self) -> (Fingerprint, Fingerprint) {
        let at = |value: &str, fill: &str| {
            let value = beginning(value);
            let filled = format!(
                "{value}{}",
                fill.repeat(16_usize.saturating_sub(value.len()))
            );
            // Of more than 63 bits there is none.
            i64::from_str_radix(&filled, 16).map_or(Fingerprint(i64::MAX), Fingerprint)
        };
        let values = || self.written.values.iter();
        let low = values().map(|value| at(value, "0")).min();
        let high = values().map(|value| at(value, "f")).max();
        (
            low.unwrap_or(Fingerprint(i64::MAX)),
            high.unwrap_or(Fingerprint(0)),
        )
    }

    fn any(&self, fits: impl Fn(&str) -> bool) -> bool {
        self.written.values.iter().any(|value| fits(value))
    }

    /// The first 12 letters of an id are the time of its key; its short form lacks the front.
    fn id_keys(&self) -> (Key, Key) {
        if self.any(is_short) {
            return (Key(0), Key::LAST);
        }
        let (mut low, mut high) = (Key::LAST, Key(0));
        for value in &self.written.values {
            let digits: String = value.chars().filter(|it| *it != '-').take(12).collect();
            let at = |fill: char| {
                let filled: String = digits
                    .chars()
                    .chain(std::iter::repeat(fill))
                    .take(12)
                    .collect();
                i64::from_str_radix(&filled, 16).ok()
            };
            let (Some(first), Some(last)) = (at('0'), at('f')) else {
                continue;
            };
            low = low.min(Key::first_at(Millis(first)));
            high = high.max(Key(Key::first_at(Millis(last.saturating_add(1)))
                .0
                .saturating_sub(1)));
        }
        (low, high)
    }
}

/// Whether a value is the short form of an id, or begins it: a whole id has its first dash later.
fn is_short(value: &str) -> bool {
    value.as_bytes().get(4) == Some(&b'-')
}

impl Written {
    fn number<T: std::str::FromStr>(&self) -> Result<T> {
        let [value] = self.values.as_slice() else {
            return Err(unknown(&format!("several values of '{}'", self.field)));
        };
        let number = value.parse();
        number.map_err(|_| unknown(&format!("number '{value}' of milliseconds")))
    }

    fn check_fingerprints(&self) -> Result<()> {
        let is_one = |value: &String| {
            let digits = beginning(value);
            let is_hex = digits
                .bytes()
                .all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'));
            is_hex && !value.is_empty() && digits.len() <= 16
        };
        match self.values.iter().find(|value| !is_one(value)) {
            Some(value) => Err(unknown(&format!("group of failures '{value}'"))),
            None => Ok(()),
        }
    }

    fn duration(&self) -> Result<Duration> {
        Ok(Duration::from_millis(self.number()?))
    }
}

impl Standing {
    fn read(word: &str) -> Result<Self> {
        Ok(match word {
            "pending" => Self::Pending,
            "blocked" => Self::Blocked,
            "ready" => Self::Ready,
            "scheduled" => Self::Scheduled,
            "retrying" => Self::Retrying,
            "running" => Self::Is(State::Running),
            "complete" | "completed" => Self::Is(State::Complete),
            "dead" => Self::Is(State::Dead),
            "cancelled" => Self::Is(State::Cancelled),
            "failed" => Self::Nowhere,
            other => return Err(unknown(&format!("state '{other}'"))),
        })
    }

    fn is(self, job: &Candidate<'_>, now: Millis) -> bool {
        let is_due = job.state == State::Pending || job.run_at <= now;
        let waits = matches!(job.state, State::Pending | State::Scheduled);
        match self {
            Self::Ready => waits && is_due,
            Self::Scheduled => waits && !is_due && job.retry_count == 0,
            Self::Retrying => waits && !is_due && job.retry_count > 0,
            other => other.may_be(job.state),
        }
    }

    /// Whether jobs in that state may stand there.
    fn may_be(self, state: State) -> bool {
        let waits = matches!(state, State::Pending | State::Scheduled);
        match self {
            Self::Pending => waits || state == State::Blocked,
            Self::Blocked => state == State::Blocked,
            Self::Ready => waits,
            Self::Scheduled | Self::Retrying => state == State::Scheduled,
            Self::Is(known) => state == known,
            Self::Nowhere => false,
        }
    }

    /// Whether the state alone says if a job stands there.
    fn is_a_state(self) -> bool {
        !matches!(self, Self::Ready | Self::Scheduled | Self::Retrying)
    }
}

impl Than {
    fn holds(self, length: Duration, bound: Duration) -> bool {
        match self {
            Self::Longer => length > bound,
            Self::Shorter => length < bound,
        }
    }
}

/// Whether a text fits a pattern, in which `*` is anything.
fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or("");
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    true
}

/// What a fingerprint begins with; a star at the end says so, and alone stands for any.
fn beginning(value: &str) -> &str {
    value.strip_suffix('*').unwrap_or(value)
}

/// Whether metadata that is a JSON object has the tag: `"tags": ["eu", ...]`, or `"tags": "eu"`.
fn has_tag(metadata: &str, tag: &str) -> bool {
    let metadata = metadata.trim();
    if !metadata.starts_with('{') {
        return false;
    }
    // As if it were the named arguments of a call.
    let call = format!("[[],{metadata}]");
    let Some(tags) = JsonCall(&call).argument("tags") else {
        return false;
    };
    if !tags.starts_with('[') {
        return fits(tag, tags);
    }
    items(tags).any(|found| fits(tag, found))
}

fn before(now: Millis, age: Duration) -> Millis {
    Millis(
        now.0
            .saturating_sub(i64::try_from(age.as_millis()).unwrap_or(i64::MAX)),
    )
}

fn unknown(what: &str) -> Error {
    Error::Invalid {
        message: format!("no filter has {what}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use super::*;

    const NOW: Millis = Millis(1_800_000_000_000);

    fn job() -> Candidate<'static> {
        Candidate {
            key: Key::first_at(Millis(NOW.0 - 60_000)),
            queue: "mail",
            task: "send_email",
            state: State::Scheduled,
            retry_count: 0,
            created_at: Millis(NOW.0 - 60_000),
            run_at: Millis(NOW.0 + 1),
            claimed_at: None,
            finished_at: None,
            metadata: Some(r#"{"tags": ["eu", "slow"]}"#),
            error: None,
            failure: Some(Fingerprint(0x12ab_0000_0000_0007)),
            call: Call {
                preview: Some("user_id=42, to='ana'"),
                payload: None,
            },
            worker: None,
        }
    }

    fn meets(job: &Candidate<'_>, field: &str, values: &[&str]) -> bool {
        let written = |denied| Written {
            field: field.into(),
            denied,
            values: values.iter().map(|&value| value.into()).collect(),
        };
        let database = DatabaseId::from_bits(7);
        let says = |denied| {
            let filter = Filter::new(vec![written(denied)]).unwrap();
            let (from, to) = filter.keys(NOW);
            let met = filter.meets(job, NOW, database);
            assert!(!met || (from..=to).contains(&job.key), "{field} {values:?}");
            assert!(!met || filter.may_meet(job.queue, job.task, job.state));
            if let (true, Some((low, high))) = (met, filter.failures()) {
                assert!(job.failure.is_some_and(|it| (low..=high).contains(&it)));
            }
            met
        };
        assert_ne!(says(false), says(true), "{field} {values:?}");
        says(false)
    }

    #[test]
    fn a_term_is_met_when_one_of_its_values_fits() {
        assert!(meets(&job(), "queue", &["reports", "mail"]));
        assert!(!meets(&job(), "queue", &["reports"]));
        assert!(meets(&job(), "task", &["send_*"]));
        assert!(!meets(&job(), "task", &["send"]));
        assert!(meets(&job(), "tag", &["eu"]));
        assert!(!meets(&job(), "tag", &["e"]));
        assert!(meets(&job(), "args.user_id", &["4*"]));
        assert!(!meets(&job(), "args.user", &["42"]));
        assert!(meets(&job(), "args.to", &["ana"]));
        assert!(meets(&job(), "text", &["user_id=42"]));
        assert!(meets(&job(), "text", &["email(user_id=42, to='ana')"]));
        assert!(!meets(&job(), "error", &["SMTP"]));
    }

    #[test]
    fn those_that_wait_are_ready_scheduled_or_retrying() {
        let words = ["ready", "scheduled", "retrying", "blocked"];
        let standing = |job: &Candidate<'_>| {
            assert!(meets(job, "state", &["pending"]));
            let mut found = words
                .into_iter()
                .filter(|word| meets(job, "state", &[word]));
            let word = found.next().unwrap();
            assert_eq!(found.next(), None);
            word
        };
        assert_eq!(standing(&job()), "scheduled");
        assert_eq!(
            standing(&Candidate {
                retry_count: 1,
                ..job()
            }),
            "retrying"
        );
        assert_eq!(
            standing(&Candidate {
                run_at: NOW,
                ..job()
            }),
            "ready"
        );
        assert_eq!(
            standing(&Candidate {
                state: State::Pending,
                ..job()
            }),
            "ready"
        );
        assert_eq!(
            standing(&Candidate {
                state: State::Blocked,
                ..job()
            }),
            "blocked"
        );
    }

    #[test]
    fn ages_and_runs_are_compared() {
        assert!(meets(&job(), "age>", &["59999"]));
        assert!(!meets(&job(), "age>", &["60000"]));
        assert!(meets(&job(), "age<", &["60001"]));
        assert!(!meets(&job(), "age<", &["60000"]));
        let at = job().created_at.0;
        assert!(meets(&job(), "created>", &[&at.to_string()]));
        assert!(!meets(&job(), "created<", &[&at.to_string()]));
        assert!(!meets(&job(), "created>", &[&(at + 1).to_string()]));
        assert!(!meets(&job(), "run>", &["0"]));
        let claimed_at = Some(Millis(NOW.0 - 5000));
        assert!(meets(
            &Candidate {
                claimed_at,
                ..job()
            },
            "run>",
            &["4999"]
        ));
        let finished_at = Some(Millis(NOW.0 - 4000));
        assert!(meets(
            &Candidate {
                claimed_at,
                finished_at,
                ..job()
            },
            "run<",
            &["1001"]
        ));
    }

    #[test]
    fn an_id_is_known_by_its_beginning() {
        let id = job().key.text(DatabaseId::from_bits(7));
        for end in 1..=id.len() {
            assert!(meets(&job(), "id", &[&id[..end]]), "{end}");
        }
        assert!(!meets(&job(), "id", &["f"]));
        assert!(!meets(&job(), "id", &["no id"]));
    }

    #[test]
    fn an_id_is_known_by_its_short_form_which_no_index_knows() {
        let id = job().key.text(DatabaseId::from_bits(7));
        let short = &id[9..22];
        for end in 5..=short.len() {
            assert!(meets(&job(), "id", &["f", &short[..end]]), "{end}");
        }
        assert!(!meets(&job(), "id", &["0000-7000-8"]));
        let filter = |value: &str| {
            let (field, values) = ("id".into(), vec![value.into()]);
            let denied = false;
            Filter::new(vec![Written {
                field,
                denied,
                values,
            }])
            .unwrap()
        };
        assert!(filter(short).reads_rows() && !filter(&id).reads_rows());
    }

    #[test]
    fn a_group_of_failures_is_known_by_the_beginning_of_its_fingerprint() {
        let text = "12ab000000000007";
        for end in 1..=text.len() {
            assert!(meets(&job(), "fp", &[&text[..end]]), "{end}");
            assert!(meets(&job(), "fp", &["0", &text[..end], "ff"]), "{end}");
            assert!(
                meets(&job(), "fp", &[&format!("{}*", &text[..end])]),
                "{end}"
            );
        }
        for other in ["12ab000000000008", "0", "2", "f", "12aa"] {
            assert!(!meets(&job(), "fp", &[other]), "{other}");
        }
        assert!(meets(&job(), "fp", &["*"]));
        for any in ["12ab", "*"] {
            let failure = None;
            assert!(!meets(&Candidate { failure, ..job() }, "fp", &[any]));
        }
    }

    #[test]
    fn only_a_group_that_is_meant_spares_the_look_at_all_rows() {
        let filter = |terms: &[bool]| {
            let written = |denied: &bool| Written {
                field: "fp".into(),
                denied: *denied,
                values: vec!["7".into()],
            };
            Filter::new(terms.iter().map(written).collect()).unwrap()
        };
        assert!(!filter(&[false]).reads_rows() && filter(&[false]).failures().is_some());
        assert!(filter(&[true]).reads_rows() && filter(&[true]).failures().is_none());
        assert!(!filter(&[false, true]).reads_rows());
        assert!(!filter(&[false]).is_counted());
    }

    #[test]
    fn a_star_is_anything() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("*", "", true),
            ("a*", "a", true),
            ("a*b*c", "a-b-c", true),
            ("a*b*c", "abbc", true),
            ("a*a", "a", false),
            ("*a*", "bab", true),
            ("*ab", "abab", true),
            ("é*", "été", true),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn what_is_unknown_is_refused() {
        for (field, values) in [
            ("colour", vec!["red"]),
            ("args.", vec!["1"]),
            ("state", vec!["asleep"]),
            ("age>", vec!["1h"]),
            ("age>", vec!["1", "2"]),
            ("queue", vec![]),
            ("fp", vec!["7", "#7"]),
            ("fp", vec!["12ab0000000000070"]),
            ("fp", vec!["AB"]),
        ] {
            let written = Written {
                field: field.into(),
                denied: false,
                values: values.into_iter().map(String::from).collect(),
            };
            let error = Filter::new(vec![written]).unwrap_err();
            assert!(error.to_string().contains("no filter has"), "{error}");
        }
    }
}
