//! The six fields of an expression and the grammar they share.

use super::set::Set;

const MONTHS: [&str; 12] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const SUNDAY: u8 = 0;
const OTHER_SUNDAY: u8 = 7;

/// A place in an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Second,
    Minute,
    Hour,
    DayOfMonth,
    Month,
    DayOfWeek,
}

impl Field {
    /// In the order in which they are written.
    pub(super) const ALL: [Self; 6] = [
        Self::Second,
        Self::Minute,
        Self::Hour,
        Self::DayOfMonth,
        Self::Month,
        Self::DayOfWeek,
    ];

    /// The name errors use.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::DayOfMonth => "day-of-month",
            Self::Month => "month",
            Self::DayOfWeek => "day-of-week",
        }
    }

    /// The values `text` stands for, or what is wrong with it.
    pub(super) fn parse(self, text: &str) -> Result<Set, String> {
        let mut set = Set::default();
        for item in text.split(',') {
            let (range, step) = match item.split_once('/') {
                Some((range, size)) => (range, Some(step(size)?)),
                None => (item, None),
            };
            let (first, last) = self.range(range, step.is_some())?;
            for value in (first..=last).step_by(step.unwrap_or(1)) {
                set.add(value);
            }
        }
        if self == Self::DayOfWeek && set.remove(OTHER_SUNDAY) {
            set.add(SUNDAY);
        }
        Ok(set)
    }

    /// What the field takes, for a person whose text it refused.
    pub(super) fn hint(self) -> String {
        let (low, high) = self.bounds();
        let any = if self.is_day() { "* or ?" } else { "*" };
        let names = match self.names() {
            [first, .., last] => format!(" or {first} to {last}"),
            _ => String::new(),
        };
        format!(
            "{} takes {any}, a, or a-b, each with an optional /step, joined by commas; \
             a and b are {low} to {high}{names}",
            self.name()
        )
    }

    fn bounds(self) -> (u8, u8) {
        match self {
            Self::Second | Self::Minute => (0, 59),
            Self::Hour => (0, 23),
            Self::DayOfMonth => (1, 31),
            Self::Month => (1, 12),
            Self::DayOfWeek => (SUNDAY, OTHER_SUNDAY),
        }
    }

    /// Words for its values, from the lowest up.
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Month => &MONTHS,
            Self::DayOfWeek => &WEEKDAYS,
            Self::Second | Self::Minute | Self::Hour | Self::DayOfMonth => &[],
        }
    }

    fn is_day(self) -> bool {
        matches!(self, Self::DayOfMonth | Self::DayOfWeek)
    }

    /// First and last value of an item without its step. A single value with a step is open.
    fn range(self, text: &str, open: bool) -> Result<(u8, u8), String> {
        let (low, high) = self.bounds();
        if text == "*" || (text == "?" && self.is_day()) {
            return Ok((low, high));
        }
        let Some((first, last)) = text.split_once('-') else {
            let value = self.value(text)?;
            return Ok((value, if open { high } else { value }));
        };
        let (first, last) = (self.value(first)?, self.value(last)?);
        if first > last {
            return Err(format!("range '{text}' runs backwards"));
        }
        Ok((first, last))
    }

    fn value(self, text: &str) -> Result<u8, String> {
        let (low, high) = self.bounds();
        if let Some(place) = self
            .names()
            .iter()
            .position(|n| n.eq_ignore_ascii_case(text))
        {
            return Ok(low + u8::try_from(place).unwrap_or(high));
        }
        let Some(number) = number(text) else {
            return Err(format!("'{text}' is no value"));
        };
        u8::try_from(number)
            .ok()
            .filter(|value| (low..=high).contains(value))
            .ok_or_else(|| format!("{text} is not between {low} and {high}"))
    }
}

fn step(text: &str) -> Result<usize, String> {
    match number(text) {
        Some(0) => Err("a step of 0 leads nowhere".to_owned()),
        Some(step) => Ok(usize::try_from(step).unwrap_or(usize::MAX)),
        None => Err(format!("'{text}' is no step")),
    }
}

/// An unsigned number in plain digits.
fn number(text: &str) -> Option<u32> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().ok()
    } else {
        None
    }
}
