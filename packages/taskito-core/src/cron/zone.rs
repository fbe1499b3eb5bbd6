//! Time zones of the bundled IANA database, as a sequence of spans of constant offset.

use std::sync::LazyLock;

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp};

use crate::error::{Error, Result};

/// Bundled, so that a fire time does not depend on the machine that works it out.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// An IANA time zone.
#[derive(Clone, Debug)]
pub(super) struct Zone(TimeZone);

/// A stretch of time in which the offset from UTC does not change.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    /// Its first instant.
    pub(super) start: Timestamp,
    /// The first instant after it.
    pub(super) end: Timestamp,
    /// The offset in it.
    pub(super) offset: Offset,
    /// The offset just before it.
    before: Offset,
}

impl Zone {
    /// The zone of that very name.
    pub(super) fn named(name: &str) -> Result<Self> {
        if let Ok(zone) = ZONES.get(name)
            && (zone.iana_name() == Some(name))
        {
            return Ok(Self(zone));
        }
        Err(Error::UnknownTimezone {
            name: name.to_owned(),
            hint: match similar(name) {
                Some(near) => format!("did you mean '{near}'?"),
                None => "use an IANA name such as 'Europe/Berlin' or 'UTC'".to_owned(),
            },
        })
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// An instant as clocks there show it, with the offset from UTC: `2024-03-31T03:00:00+02:00`.
    pub(super) fn text(&self, at: Timestamp) -> String {
        at.display_with_offset(self.0.to_offset(at)).to_string()
    }

    /// The span an instant lies in.
    pub(super) fn span(&self, at: Timestamp) -> Span {
        let offset = self.0.to_offset(at);
        let end = self
            .0
            .following(at)
            .find(|change| change.offset() != offset)
            .map_or(Timestamp::MAX, |change| change.timestamp());
        let (start, before) = self
            .0
            .preceding(moment_after(at))
            .map(|change| (change.timestamp(), self.offset_before(change.timestamp())))
            .find(|(_, before)| *before != offset)
            .unwrap_or((Timestamp::MIN, offset));
        Span {
            start,
            end,
            offset,
            before,
        }
    }

    fn offset_before(&self, at: Timestamp) -> Offset {
        let moment = at.saturating_sub(SignedDuration::from_secs(1));
        self.0.to_offset(moment.unwrap_or(Timestamp::MIN))
    }
}

impl Span {
    /// The local time at an instant.
    pub(super) fn local(&self, at: Timestamp) -> DateTime {
        self.offset.to_datetime(at)
    }

    /// The local time that clocks showed when the span began, before they were changed.
    pub(super) fn local_before(&self) -> DateTime {
        self.before.to_datetime(self.start)
    }

    /// The instant of a local time; the start of the span for one that was skipped there.
    pub(super) fn instant(&self, local: DateTime) -> Option<Timestamp> {
        let instant = self.offset.to_timestamp(local).ok()?;
        Some(instant.max(self.start))
    }
}

/// So that a change at `at` itself precedes it.
fn moment_after(at: Timestamp) -> Timestamp {
    at.saturating_add(SignedDuration::from_secs(1))
        .unwrap_or(Timestamp::MAX)
}

/// A name in the database that `name` may have meant: in another case, or with its region.
fn similar(name: &str) -> Option<String> {
    let wanted = name.trim().replace(' ', "_").to_ascii_lowercase();
    let names = || ZONES.available().map(|known| known.as_str().to_owned());
    names()
        .find(|known| known.to_ascii_lowercase() == wanted)
        .or_else(|| {
            names().find(|known| {
                let city = known.rsplit('/').next().unwrap_or(known);
                city.to_ascii_lowercase() == wanted
            })
        })
}
