//! Six fields, and the local times they match.

use jiff::civil::{Date, DateTime, Time};

use super::field::Field;
use super::set::Set;
use crate::error::{Error, Result};

const SHORTCUTS: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];
const HOURS: u32 = 24;
const MONTHS: u8 = 12;
/// Days of each month in a leap year.
const LONGEST: [u8; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// The local times at which something is due: those whose every part is in its set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Expression {
    seconds: Set,
    minutes: Set,
    hours: Set,
    days: Set,
    months: Set,
    weekdays: Set,
}

impl Expression {
    /// Reads six fields, five with second 0, or a shortcut.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let shortcut = SHORTCUTS.iter().find(|(name, _)| *name == text.trim());
        let mut fields: Vec<&str> = shortcut
            .map_or(text, |(_, meaning)| meaning)
            .split_ascii_whitespace()
            .collect();
        if fields.len() == Field::ALL.len() - 1 {
            fields.insert(0, "0");
        }
        if fields.len() != Field::ALL.len() {
            return Err(not_six_fields(text, fields.len()));
        }
        let mut sets = [Set::default(); 6];
        for ((set, field), part) in sets.iter_mut().zip(Field::ALL).zip(fields) {
            *set = field.parse(part).map_err(|problem| {
                let problem = format!("{} field '{part}': {problem}", field.name());
                refused(text, &problem, field.hint())
            })?;
        }
        let [seconds, minutes, hours, days, months, weekdays] = sets;
        let expression = Self {
            seconds,
            minutes,
            hours,
            days,
            months,
            weekdays,
        };
        if !expression.has_a_date() {
            let problem = "day-of-month and month fields: no such day exists, so it never fires";
            let hint = "choose a day that one of the months has".to_owned();
            return Err(refused(text, problem, hint));
        }
        Ok(expression)
    }

    /// Whether it means so many times an hour rather than times of the day.
    pub(super) fn follows_elapsed_time(&self) -> bool {
        self.hours.len() == HOURS || self.minutes.len() > 1 || self.seconds.len() > 1
    }

    /// The first match at or after a local time of whole seconds; `None` past the calendar.
    pub(super) fn next_from(&self, from: DateTime) -> Option<DateTime> {
        let today = from.date();
        if self.next_date(today)? == today
            && let Some(time) = self.next_time(from.time())
        {
            return Some(today.to_datetime(time));
        }
        let date = self.next_date(today.tomorrow().ok()?)?;
        Some(date.to_datetime(self.next_time(Time::midnight())?))
    }

    /// Whether any of its months has any of its days. Leap days exist, and every date falls
    /// on every weekday some year.
    fn has_a_date(&self) -> bool {
        let shortest = self.days.first();
        (1..).zip(LONGEST).any(|(month, length)| {
            self.months.contains(month) && shortest.is_some_and(|day| day <= length)
        })
    }

    fn next_date(&self, from: Date) -> Option<Date> {
        let mut month = from.first_of_month();
        let mut first_day = part(from.day());
        loop {
            if self.months.contains(part(month.month()))
                && let Some(date) = self.next_day(month, first_day)
            {
                return Some(date);
            }
            month = self.next_month(month)?;
            first_day = 1;
        }
    }

    /// The first day of a month's days that matches.
    fn next_day(&self, month: Date, mut from: u8) -> Option<Date> {
        let last = part(month.days_in_month());
        loop {
            let day = self.days.next_from(from).filter(|day| *day <= last)?;
            let date = Date::new(month.year(), month.month(), day.cast_signed()).ok()?;
            let weekday = date.weekday().to_sunday_zero_offset();
            if self.weekdays.contains(part(weekday)) {
                return Some(date);
            }
            from = day + 1;
        }
    }

    /// The first of the next month that matches.
    fn next_month(&self, month: Date) -> Option<Date> {
        let this = part(month.month());
        let (year, next) = match self.months.next_from(this + 1) {
            Some(next) if next <= MONTHS => (month.year(), next),
            _ => (month.year() + 1, self.months.first()?),
        };
        Date::new(year, next.cast_signed(), 1).ok()
    }

    fn next_time(&self, from: Time) -> Option<Time> {
        let (hour, minute, second) = (part(from.hour()), part(from.minute()), part(from.second()));
        if self.hours.contains(hour) {
            if self.minutes.contains(minute)
                && let Some(second) = self.seconds.next_from(second)
            {
                return time(hour, minute, second);
            }
            if let Some(minute) = self.minutes.next_from(minute + 1) {
                return time(hour, minute, self.seconds.first()?);
            }
        }
        let hour = self.hours.next_from(hour + 1)?;
        time(hour, self.minutes.first()?, self.seconds.first()?)
    }
}

/// A part of a date or time; they are never negative.
fn part(value: i8) -> u8 {
    value.unsigned_abs()
}

fn time(hour: u8, minute: u8, second: u8) -> Option<Time> {
    Time::new(
        hour.cast_signed(),
        minute.cast_signed(),
        second.cast_signed(),
        0,
    )
    .ok()
}

fn refused(text: &str, problem: &str, hint: String) -> Error {
    Error::Cron {
        message: format!("invalid cron expression '{text}': {problem}"),
        hint,
    }
}

fn not_six_fields(text: &str, found: usize) -> Error {
    if text.trim().starts_with('@') {
        let names = SHORTCUTS.map(|(name, _)| name).join(" ");
        return refused(text, "no such shortcut", format!("shortcuts are {names}"));
    }
    let plural = if found == 1 { "" } else { "s" };
    let problem = format!("{found} field{plural} instead of 5 or 6");
    let hint = "write [second] minute hour day-of-month month day-of-week".to_owned();
    refused(text, &problem, hint)
}
