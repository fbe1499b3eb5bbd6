//! Which jobs are meant: the terms of a filter line, and whether a job meets them. Long because
//! each term says what it means, with tests beside it. The line itself is read by
//! `taskito/filters.py`; what it means is decided here, for every store.

use std::time::Duration;

use crate::call_text::{CallText, items};
use crate::cause::Fingerprint;
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::id::{DatabaseId, Key};
use crate::state::State;

/// Terms that a job must meet, all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    terms: Vec<Term>,
}

/// One term as it is written down: a field, whether it is denied, and values of which one must fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// `state`, `queue`, `task`, `worker`, `id`, `error`, `tag`, `text`, `group`, `args.NAME`, or
    /// one of `age>`, `age<`, `run>`, `run<`, `created>` and `created<` with milliseconds.
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
    Error,
    Tag,
    Text,
    Group,
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
    /// The text of its arguments.
    pub call: Option<CallText<'a>>,
    /// The worker that runs it: machine, process and id, parted by blanks.
    pub worker: Option<&'a str>,
    /// The group of failures that it counts in.
    pub group: Option<Fingerprint>,
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
                // Whoever counts in a group is to be tried again or has a dead letter.
                Asks::Group => {
                    let is_through = matches!(state, State::Complete | State::Cancelled);
                    return term.written.denied || !is_through;
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
        self.terms.iter().any(|term| {
            !matches!(
                term.asks,
                Asks::Standing(_)
                    | Asks::Queue
                    | Asks::Task
                    | Asks::Id
                    | Asks::Age(..)
                    | Asks::Created(..)
            )
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

    /// From which group of failures to which, both included, jobs can meet it; `None` if any can.
    #[must_use]
    pub fn groups(&self) -> Option<(Fingerprint, Fingerprint)> {
        let is_asked = |term: &&Term| matches!(term.asks, Asks::Group) && !term.written.denied;
        let ranges = self.terms.iter().filter(is_asked).map(Term::fingerprints);
        ranges.reduce(|known, more| (known.0.max(more.0), known.1.min(more.1)))
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
            "error" => Asks::Error,
            "tag" => Asks::Tag,
            "text" => Asks::Text,
            "group" => Asks::Group,
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
                self.any(|value| id.starts_with(value))
            }
            Asks::Error => job
                .error
                .is_some_and(|error| self.any(|value| error.contains(value))),
            Asks::Tag => job
                .metadata
                .is_some_and(|metadata| self.any(|value| has_tag(metadata, value))),
            Asks::Text => self.any(|value| {
                let call = job.call.map(|call| call.0);
                let texts = [
                    Some(job.task),
                    Some(job.queue),
                    job.error,
                    job.metadata,
                    call,
                ];
                texts.into_iter().flatten().any(|text| text.contains(value))
            }),
            Asks::Group => job.group.is_some_and(|group| {
                let text = group.text();
                self.any(|value| fits(value, &text))
            }),
            Asks::Argument(name) => job
                .call
                .and_then(|call| call.argument(name))
                .is_some_and(|found| self.any(|value| fits(value, found))),
            Asks::Age(than, age) => than.holds(job.created_at.until(now), *age),
            Asks::Created(Than::Longer, at) => job.created_at >= *at,
            Asks::Created(Than::Shorter, at) => job.created_at < *at,
            Asks::Run(than, length) => job.claimed_at.is_some_and(|begin| {
                than.holds(begin.until(job.finished_at.unwrap_or(now)), *length)
            }),
        }
    }

    fn any(&self, fits: impl Fn(&str) -> bool) -> bool {
        self.written.values.iter().any(|value| fits(value))
    }

    /// Between which fingerprints its values lie; all of them for a pattern.
    fn fingerprints(&self) -> (Fingerprint, Fingerprint) {
        let (mut low, mut high) = (Fingerprint(i64::MAX), Fingerprint(i64::MIN));
        for value in &self.written.values {
            let Some(known) = Fingerprint::parse(value) else {
                return (Fingerprint(i64::MIN), Fingerprint(i64::MAX));
            };
            low = low.min(known);
            high = high.max(known);
        }
        (low, high)
    }

    /// The first 12 letters of an id are the time of its key.
    fn id_keys(&self) -> (Key, Key) {
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

impl Written {
    fn number<T: std::str::FromStr>(&self) -> Result<T> {
        let [value] = self.values.as_slice() else {
            return Err(unknown(&format!("several values of '{}'", self.field)));
        };
        let number = value.parse();
        number.map_err(|_| unknown(&format!("number '{value}' of milliseconds")))
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

/// Whether metadata that is a JSON object has the tag: `"tags": ["eu", ...]`, or `"tags": "eu"`.
fn has_tag(metadata: &str, tag: &str) -> bool {
    let metadata = metadata.trim();
    if !metadata.starts_with('{') {
        return false;
    }
    // As if it were the named arguments of a call.
    let call = format!("[[],{metadata}]");
    let Some(tags) = CallText(&call).argument("tags") else {
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
            call: Some(CallText("send_email(user_id=42)")),
            worker: None,
            group: Some(Fingerprint(0xabc)),
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
        assert!(meets(&job(), "text", &["user_id=42"]));
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
    fn a_group_is_known_by_its_fingerprint() {
        let text = Fingerprint(0xabc).text();
        for value in [text.as_str(), "*", "*abc"] {
            assert!(meets(&job(), "group", &[value]), "{value}");
        }
        assert!(!meets(&job(), "group", &["abc"]));
        let whole = Candidate {
            group: None,
            ..job()
        };
        assert!(!meets(&whole, "group", &["*"]));
    }

    #[test]
    fn groups_lie_between_fingerprints() {
        let groups = |terms: &[(bool, &str)]| {
            let written = terms.iter().map(|(denied, values)| Written {
                field: "group".into(),
                denied: *denied,
                values: values.split(',').map(String::from).collect(),
            });
            let filter = Filter::new(written.collect()).unwrap();
            filter.groups().map(|(low, high)| (low.0, high.0))
        };
        let (three, five) = (Fingerprint(3).text(), Fingerprint(5).text());
        let either = format!("{five},{three}");
        assert_eq!(groups(&[(false, &three)]), Some((3, 3)));
        assert_eq!(groups(&[(false, &either)]), Some((3, 5)));
        assert_eq!(groups(&[(false, &either), (false, &five)]), Some((5, 5)));
        assert_eq!(groups(&[(true, &three)]), None);
        assert_eq!(groups(&[(false, "*")]), Some((i64::MIN, i64::MAX)));
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
