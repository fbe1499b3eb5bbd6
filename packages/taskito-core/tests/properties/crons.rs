//! Cron expressions against a walk over every minute.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use taskito_core::clock::Millis;
use taskito_core::timing::Timing;

use crate::chance::Chance;
use crate::hold;

const ZONES: [&str; 9] = [
    "UTC",
    "Europe/Berlin",
    "Europe/Dublin",
    "America/New_York",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "Pacific/Apia",
];
const MINUTES: i64 = 4 * 1440;

/// The minutes, hours, days of the month and days of the week of an expression.
struct Fields {
    text: String,
    sets: [Vec<i8>; 4],
    /// Whether it follows elapsed time instead of the times of the day.
    flows: bool,
}

/// One field: its text and its values.
fn field(chance: &mut Chance, first: i8, last: i8, odds: usize) -> (String, Vec<i8>) {
    let mut value =
        || first + i8::try_from(chance.below(usize::try_from(last - first + 1).unwrap())).unwrap();
    let (one, other) = (value(), value());
    let (low, high) = (one.min(other), one.max(other));
    let step = chance.one_of(&[2, 7, 15]);
    let every = |from: i8, to: i8, step: i8| {
        (from..=to)
            .step_by(usize::try_from(step).unwrap())
            .collect()
    };
    if !chance.one_in(odds) {
        return ("*".into(), every(first, last, 1));
    }
    match chance.below(5) {
        0 => (format!("{low},{high}"), vec![low, high]),
        1 => (format!("{low}-{high}"), every(low, high, 1)),
        2 => (format!("*/{step}"), every(first, last, step)),
        _ => (one.to_string(), vec![one]),
    }
}

impl Fields {
    fn new(chance: &mut Chance) -> Self {
        let minute = field(chance, 0, 59, 6).clone();
        let minute = if minute.0 == "*" && chance.one_in(2) {
            field(chance, 0, 59, 1)
        } else {
            minute
        };
        let hour = field(chance, 0, 23, 1);
        let hour = if chance.one_in(4) {
            field(chance, 0, 23, 1000)
        } else {
            hour
        };
        let day = field(chance, 1, 31, 5);
        let weekday = field(chance, 0, 6, 5);
        let several = minute.1.iter().any(|value| *value != minute.1[0]);
        Self {
            text: format!("{} {} {} * {}", minute.0, hour.0, day.0, weekday.0),
            flows: several || hour.0 == "*",
            sets: [minute.1, hour.1, day.1, weekday.1],
        }
    }

    fn matches(&self, local: DateTime) -> bool {
        let weekday = local.date().weekday().to_sunday_zero_offset();
        let values = [local.minute(), local.hour(), local.day(), weekday];
        self.sets
            .iter()
            .zip(values)
            .all(|(set, value)| set.contains(&value))
    }

    /// Every fire in so many minutes after an instant.
    fn fires(&self, zone: &TimeZone, begin: i64) -> Vec<Millis> {
        let local = |minute: i64| {
            let at = Timestamp::from_second(begin + minute * 60).unwrap();
            zone.to_datetime(at)
        };
        let minute = jiff::Span::new().minutes(1);
        let mut fires = Vec::new();
        // Times of the day that clocks have shown before.
        let mut high = (-1500..=0).map(local).max().unwrap();
        for number in 1..=MINUTES {
            let now = local(number);
            let mut reached = false;
            while high < now {
                high = high.checked_add(minute).unwrap();
                reached |= self.matches(high);
            }
            if if self.flows {
                self.matches(now)
            } else {
                reached
            } {
                fires.push(Millis((begin + number * 60) * 1000));
            }
        }
        fires
    }
}

#[test]
fn an_expression_fires_at_every_minute_that_matches_and_at_no_other() {
    hold(250, |chance| {
        let fields = Fields::new(chance);
        let name = chance.one_of(&ZONES);
        let zone = TimeZoneDatabase::bundled().get(name).unwrap();
        // From 2000 to 2037, half of the time shortly before clocks change.
        let any = 946_684_800 + i64::try_from(chance.next() % (37 * 31_557_600)).unwrap();
        let change = zone.following(Timestamp::from_second(any).unwrap()).next();
        let begin = match change.filter(|_| chance.one_in(2)) {
            Some(change) => change.timestamp().as_second() - 90_000,
            None => any,
        };
        let begin = begin.div_euclid(60) * 60;
        let Ok(timing) = Timing::from_parts(Some(&fields.text), None, name) else {
            // It can never fire: no month has that day.
            return assert!(
                fields.sets[2].iter().all(|day| *day > 31),
                "{}",
                fields.text
            );
        };
        let end = Millis((begin + MINUTES * 60) * 1000);
        let fires: Vec<Millis> =
            std::iter::successors(timing.next(Millis(begin * 1000)), |at| timing.next(*at))
                .take_while(|at| *at <= end)
                .collect();
        assert_eq!(
            fires,
            fields.fires(&zone, begin),
            "{} in {name} from {begin}",
            fields.text
        );
    });
}

#[test]
fn any_text_is_an_expression_or_is_refused() {
    hold(20_000, |chance| {
        let letters = b"0123456789*/,-? @LWabcdefJANMONhourly#\xc3\xa9";
        let count = chance.below(24);
        let text: Vec<u8> = (0..count).map(|_| chance.one_of(letters)).collect();
        let text = String::from_utf8_lossy(&text);
        if let Ok(timing) = Timing::from_parts(Some(&text), None, "Europe/Berlin") {
            let any = Millis(chance.next().cast_signed() >> chance.one_of(&[0, 20, 22]));
            if let Some(next) = timing.next(any) {
                assert!(next > any, "{text}");
            }
        }
    });
}
