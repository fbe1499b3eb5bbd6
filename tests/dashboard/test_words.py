"""Facts as words."""

import pytest

from taskito_dashboard import words
from taskito_dashboard.pages.job import replayed_from

DASH = "\u2013"
NOW = 1_763_811_112_936


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (None, DASH),
        (0, "0 ms"),
        (0.4, "0.4 ms"),
        (113.4, "113 ms"),
        (999.4, "999 ms"),
        (999.6, "1.0 s"),
        (5_800, "5.8 s"),
        (59_949, "59.9 s"),
        (59_960, "1 min"),
        (250_000, "4 min 10 s"),
        (7_380_000, "2 h 3 min"),
        (86_400_000 * 3, "3 d"),
        (-5, "0 ms"),
    ],
)
def test_durations(ms: float | None, text: str) -> None:
    assert words.duration(ms).replace(words.THIN, " ") == text


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (None, DASH),
        (NOW, "now"),
        (NOW - 999, "now"),
        (NOW - 1000, "1 s ago"),
        (NOW - 540_000, "9 min ago"),
        (NOW + 3 * 3_600_000, "in 3 h"),
        (NOW - 49 * 3_600_000, "2 d ago"),
    ],
)
def test_ages(at: int | None, text: str) -> None:
    assert words.ago(at, NOW).replace(words.THIN, " ") == text


def test_instants_sizes_and_shares() -> None:
    assert words.iso(NOW) == "2025-11-22 11:31:52.936 UTC"
    assert words.iso(10**18) == f"{10**18} ms"


def test_moments_have_a_date_if_that_is_not_today() -> None:
    assert words.moment(NOW, NOW) == "11:31:52"
    assert words.moment(NOW - 86_400_000, NOW) == "2025-11-21 11:31"
    assert words.moment(10**18, NOW) == f"{10**18} ms"
    assert words.size(5).replace(words.THIN, " ") == "5 B"
    assert words.size(225 * 2**20).replace(words.THIN, " ") == "225.0 MiB"
    assert words.percent(1, 8).replace(words.THIN, " ") == "12.5 %"
    assert words.percent(0, 0) == DASH
    assert words.count(10036) == "10,036"
    assert words.last_line("Traceback:\n  x\nValueError: a\n  more\n") == "ValueError: a"


@pytest.mark.parametrize(
    ("cron", "text"),
    [
        ("* * * * *", "every minute UTC"),
        ("*/5 * * * *", "every 5 minutes UTC"),
        ("*/7 * * * *", "*/7 * * * * UTC"),
        ("*/0 * * * *", "*/0 * * * * UTC"),
        ("15 * * * *", "every hour at minute 15 UTC"),
        ("0 3 * * *", "every day at 03:00 UTC"),
        ("0 0 3 * * *", "every day at 03:00 UTC"),
        ("0 8 * * 1", "Mondays at 08:00 UTC"),
        ("0 8 * * 7", "Sundays at 08:00 UTC"),
        ("0 8 * * 1-5", "Monday to Friday at 08:00 UTC"),
        ("0 8 1 * *", "0 8 1 * * UTC"),
        ("0 8 * * 1,3", "0 8 * * 1,3 UTC"),
        ("5,10 8 * * *", "5,10 8 * * * UTC"),
        ("@daily", "@daily UTC"),
    ],
)
def test_schedules_in_words_or_as_they_are(cron: str, text: str) -> None:
    assert words.schedule(cron, None, "UTC") == text


def test_a_period_in_words() -> None:
    assert words.schedule(None, 30, "UTC").replace(words.THIN, " ") == "every 30 s"


@pytest.mark.parametrize("metadata", [None, "", "x", "[]", '{"replayed_from": 1}', "7"])
def test_other_metadata_names_no_origin(metadata: str | None) -> None:
    assert replayed_from(metadata) is None
