//! The grammar, its errors, and fires around real clock changes.
#![allow(clippy::unwrap_used, reason = "tests")]

use jiff::Timestamp;

use super::field::Field;
use super::set::Set;
use super::*;

fn refusal(expression: &str) -> (String, String) {
    let error = Cron::new(expression, "UTC").unwrap_err();
    assert_eq!(error.kind(), "cron");
    (error.to_string(), error.hint().unwrap().to_owned())
}

fn millis(text: &str) -> Millis {
    Millis(text.parse::<Timestamp>().unwrap().as_millisecond())
}

/// The first `count` fires later than an instant, in UTC.
fn fires(expression: &str, timezone: &str, after: &str, count: usize) -> Vec<String> {
    let cron = Cron::new(expression, timezone).unwrap();
    std::iter::successors(cron.next(millis(after)), |at| cron.next(*at))
        .take(count)
        .map(|at| Timestamp::from_millisecond(at.0).unwrap().to_string())
        .collect()
}

#[test]
fn every_kind_of_item_is_read() {
    for (field, text, values) in [
        (Field::Second, "*", (0..=59).collect()),
        (Field::Minute, "5", vec![5]),
        (Field::Minute, "05,7", vec![5, 7]),
        (Field::Hour, "20/2", vec![20, 22]),
        (Field::Hour, "1-9/4", vec![1, 5, 9]),
        (Field::Hour, "*/7,3-4", vec![0, 3, 4, 7, 14, 21]),
        (Field::Minute, "*/60", vec![0]),
        (Field::DayOfMonth, "?", (1..=31).collect()),
        (Field::DayOfMonth, "?/10", vec![1, 11, 21, 31]),
        (Field::Month, "jan,Apr-JUN", vec![1, 4, 5, 6]),
        (Field::Month, "OCT/1", vec![10, 11, 12]),
        (Field::DayOfWeek, "SUN-SAT", (0..=6).collect()),
        (Field::DayOfWeek, "*", (0..=6).collect()),
        (Field::DayOfWeek, "5-7", vec![0, 5, 6]),
        (Field::DayOfWeek, "0", vec![0]),
        (Field::DayOfWeek, "7", vec![0]),
        (Field::DayOfWeek, "mon", vec![1]),
        (Field::DayOfWeek, "FRI/2", vec![0, 5]),
    ] {
        let mut set = Set::default();
        for value in values {
            set.add(value);
        }
        assert_eq!(field.parse(text), Ok(set), "{text}");
    }
}

#[test]
fn a_refusal_names_the_field_and_says_what_it_takes() {
    for (expression, problem) in [
        (
            "60 * * * * *",
            "second field '60': 60 is not between 0 and 59",
        ),
        (
            "60 * * * *",
            "minute field '60': 60 is not between 0 and 59",
        ),
        (
            "99999999999 * * * *",
            "minute field '99999999999': '99999999999' is no value",
        ),
        ("? * * * *", "minute field '?': '?' is no value"),
        ("* 24 * * *", "hour field '24': 24 is not between 0 and 23"),
        ("* 1- * * *", "hour field '1-': '' is no value"),
        ("* 1,, * * *", "hour field '1,,': '' is no value"),
        ("* -1 * * *", "hour field '-1': '' is no value"),
        ("* +1 * * *", "hour field '+1': '+1' is no value"),
        ("* 1-2-3 * * *", "hour field '1-2-3': '2-3' is no value"),
        ("* */* * * *", "hour field '*/*': '*' is no step"),
        ("* */0 * * *", "hour field '*/0': a step of 0 leads nowhere"),
        ("* 1/2/3 * * *", "hour field '1/2/3': '2/3' is no step"),
        (
            "* * 0 * *",
            "day-of-month field '0': 0 is not between 1 and 31",
        ),
        ("* * L * *", "day-of-month field 'L': 'L' is no value"),
        ("* * * 13 *", "month field '13': 13 is not between 1 and 12"),
        ("* * * MON *", "month field 'MON': 'MON' is no value"),
        (
            "* * * JANUARY *",
            "month field 'JANUARY': 'JANUARY' is no value",
        ),
        (
            "* * * * 8",
            "day-of-week field '8': 8 is not between 0 and 7",
        ),
        (
            "* * * * SAT-SUN",
            "day-of-week field 'SAT-SUN': range 'SAT-SUN' runs backwards",
        ),
        ("* * * * *-2", "day-of-week field '*-2': '*' is no value"),
        (
            "* * * * MON#2",
            "day-of-week field 'MON#2': 'MON#2' is no value",
        ),
    ] {
        let (message, hint) = refusal(expression);
        let field = problem.split(' ').next().unwrap();
        assert_eq!(
            message,
            format!("invalid cron expression '{expression}': {problem}")
        );
        assert!(
            hint.starts_with(&format!("{field} takes * "))
                || hint.starts_with(&format!("{field} takes *,")),
            "{hint}"
        );
    }
    let (_, hint) = refusal("* * * 13 *");
    assert_eq!(
        hint,
        "month takes *, a, or a-b, each with an optional /step, joined by commas; \
         a and b are 1 to 12 or JAN to DEC"
    );
}

#[test]
fn a_wrong_number_of_fields_is_counted() {
    for (expression, found) in [
        ("", "0 fields"),
        ("*", "1 field"),
        ("* * * * * * *", "7 fields"),
    ] {
        let (message, hint) = refusal(expression);
        assert_eq!(
            message,
            format!("invalid cron expression '{expression}': {found} instead of 5 or 6")
        );
        assert_eq!(
            hint,
            "write [second] minute hour day-of-month month day-of-week"
        );
    }
    let (message, hint) = refusal("@reboot");
    assert_eq!(
        message,
        "invalid cron expression '@reboot': no such shortcut"
    );
    assert!(hint.contains("@daily"));
}

#[test]
fn a_day_that_no_month_has_is_refused() {
    for expression in ["0 0 30 2 *", "0 0 31 2,4,6,9,11 *", "0 0 30-31 FEB MON"] {
        let (message, _) = refusal(expression);
        assert_eq!(
            message,
            format!(
                "invalid cron expression '{expression}': \
                 day-of-month and month fields: no such day exists, so it never fires"
            )
        );
    }
    assert!(Cron::new("0 0 29 2 *", "UTC").is_ok());
    assert!(Cron::new("0 0 30,31 2,4 *", "UTC").is_ok());
}

#[test]
fn an_unknown_zone_is_refused_with_a_similar_one() {
    for (name, hint) in [
        ("europe/berlin", "did you mean 'Europe/Berlin'?"),
        ("new york", "did you mean 'America/New_York'?"),
        (
            "Mars/Olympus",
            "use an IANA name such as 'Europe/Berlin' or 'UTC'",
        ),
        ("", "use an IANA name such as 'Europe/Berlin' or 'UTC'"),
    ] {
        let error = Cron::new("* * * * *", name).unwrap_err();
        assert_eq!(error.to_string(), format!("unknown time zone '{name}'"));
        assert_eq!(error.hint(), Some(hint));
    }
    for name in [
        "UTC",
        "Etc/UTC",
        "GMT",
        "US/Eastern",
        "Asia/Kolkata",
        "Etc/GMT+5",
    ] {
        assert!(Cron::new("* * * * *", name).is_ok(), "{name}");
    }
}

#[test]
fn a_fire_is_later_than_the_instant_asked_for() {
    let cron = Cron::new("*/10 * * * * *", "UTC").unwrap();
    for (after, next) in [
        (0, 10_000),
        (9_999, 10_000),
        (10_000, 20_000),
        (10_001, 20_000),
        (-1, 0),
    ] {
        assert_eq!(cron.next(Millis(after)), Some(Millis(next)));
    }
}

#[test]
fn shortcuts_mean_their_five_fields() {
    for (shortcut, first) in [
        ("@yearly", "2025-01-01T00:00:00Z"),
        ("@annually", "2025-01-01T00:00:00Z"),
        ("@monthly", "2024-06-01T00:00:00Z"),
        ("@weekly", "2024-05-19T00:00:00Z"),
        ("@daily", "2024-05-18T00:00:00Z"),
        ("@midnight", "2024-05-18T00:00:00Z"),
        ("@hourly", "2024-05-17T13:00:00Z"),
    ] {
        assert_eq!(
            fires(shortcut, "UTC", "2024-05-17T12:34:56Z", 1),
            [first],
            "{shortcut}"
        );
    }
}

#[test]
fn both_day_fields_must_match() {
    assert_eq!(
        fires("0 12 13 * FRI", "UTC", "2024-01-01T00:00:00Z", 3),
        [
            "2024-09-13T12:00:00Z",
            "2024-12-13T12:00:00Z",
            "2025-06-13T12:00:00Z"
        ]
    );
}

#[test]
fn a_rare_date_is_found_decades_away() {
    assert_eq!(
        fires("0 0 29 2 MON", "Europe/Berlin", "2072-03-01T00:00:00Z", 2),
        ["2112-02-28T23:00:00Z", "2140-02-28T23:00:00Z"]
    );
}

#[test]
fn a_skipped_time_fires_at_the_first_instant_after_the_gap() {
    for expression in ["30 2 * * *", "0 2,3 * * *", "59 59 2 31 3 *"] {
        let next = fires(expression, "Europe/Berlin", "2024-03-30T12:00:00Z", 1);
        assert_eq!(next, ["2024-03-31T01:00:00Z"], "{expression}");
    }
    let next = fires("30 2 * * *", "Europe/Berlin", "2024-03-31T01:00:00Z", 1);
    assert_eq!(next, ["2024-04-01T00:30:00Z"]);
}

#[test]
fn a_skipped_day_fires_at_the_first_instant_after_it() {
    assert_eq!(
        fires("0 12 * * *", "Pacific/Apia", "2011-12-29T00:00:00Z", 3),
        [
            "2011-12-29T22:00:00Z",
            "2011-12-30T10:00:00Z",
            "2011-12-30T22:00:00Z"
        ]
    );
}

#[test]
fn a_repeated_time_fires_at_its_first_occurrence_only() {
    assert_eq!(
        fires("30 2 * * *", "Europe/Berlin", "2024-10-26T12:00:00Z", 2),
        ["2024-10-27T00:30:00Z", "2024-10-28T01:30:00Z"]
    );
    let between = fires("30 2 * * *", "Europe/Berlin", "2024-10-27T01:00:00Z", 1);
    assert_eq!(between, ["2024-10-28T01:30:00Z"]);
}

#[test]
fn every_hour_follows_elapsed_time() {
    for expression in ["30 * * * *", "30 0-23 * * *", "30 */1 * * *"] {
        assert_eq!(
            fires(expression, "Europe/Berlin", "2024-10-26T23:30:00Z", 3),
            [
                "2024-10-27T00:30:00Z",
                "2024-10-27T01:30:00Z",
                "2024-10-27T02:30:00Z"
            ],
            "{expression}"
        );
        assert_eq!(
            fires(expression, "Europe/Berlin", "2024-03-31T00:30:00Z", 1),
            ["2024-03-31T01:30:00Z"],
            "{expression}"
        );
    }
}

#[test]
fn the_last_hour_of_a_month_is_repeated_too() {
    assert_eq!(
        fires("0 * * 8 *", "Africa/Casablanca", "2008-08-31T22:30:00Z", 2),
        ["2008-08-31T23:00:00Z", "2009-07-31T23:00:00Z"]
    );
}

#[test]
fn several_minutes_follow_elapsed_time() {
    assert_eq!(
        fires("0,30 2 * * *", "Europe/Berlin", "2024-10-26T12:00:00Z", 5),
        [
            "2024-10-27T00:00:00Z",
            "2024-10-27T00:30:00Z",
            "2024-10-27T01:00:00Z",
            "2024-10-27T01:30:00Z",
            "2024-10-28T01:00:00Z",
        ]
    );
    assert_eq!(
        fires("0,30 2 * * *", "Europe/Berlin", "2024-03-30T12:00:00Z", 1),
        ["2024-04-01T00:00:00Z"]
    );
}

#[test]
fn what_only_ever_falls_into_gaps_never_fires() {
    let cron = Cron::new("*/5 2 25-31 3 SUN", "Europe/Berlin").unwrap();
    assert_eq!(cron.next(millis("2024-01-01T00:00:00Z")), None);
}

#[test]
fn the_calendar_has_an_end() {
    let cron = Cron::new("@yearly", "UTC").unwrap();
    assert_eq!(cron.next(millis("9999-06-01T00:00:00Z")), None);
    assert_eq!(cron.next(Millis(i64::MAX)), None);
    assert_eq!(cron.next(Millis(i64::MIN)), None);
}

#[test]
fn an_instant_is_told_as_local_clocks_show_it() {
    for (at, timezone, text) in [
        (
            1_711_846_799_999,
            "Europe/Berlin",
            "2024-03-31T01:59:59+01:00",
        ),
        (
            1_711_846_800_000,
            "Europe/Berlin",
            "2024-03-31T03:00:00+02:00",
        ),
        (0, "UTC", "1970-01-01T00:00:00+00:00"),
        (0, "Asia/Kolkata", "1970-01-01T05:30:00+05:30"),
    ] {
        assert_eq!(local_text(Millis(at), timezone).unwrap().unwrap(), text);
    }
    assert_eq!(local_text(Millis(i64::MAX), "UTC").unwrap(), None);
    assert!(local_text(Millis(0), "Nowhere").is_err());
}
