"""The engine's fires around real clock changes are those that trying every minute finds."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskito_core import Timing
from tests.support.cron_oracle import HOUR, MINUTE, Oracle, Transition, transitions

ZONES = [
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Caracas",
    "America/Havana",
    "America/Los_Angeles",
    "America/New_York",
    "America/Santiago",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Antarctica/Casey",
    "Antarctica/Troll",
    "Asia/Amman",
    "Asia/Beirut",
    "Asia/Kolkata",
    "Asia/Pyongyang",
    "Asia/Tehran",
    "Atlantic/Azores",
    "Australia/Adelaide",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Europe/Dublin",
    "Europe/Istanbul",
    "Europe/London",
    "Europe/Moscow",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Fakaofo",
    "UTC",
]
"""Whole hours and half ones, changes at midnight and at noon, skipped days, none at all."""

RULED_ZONES = ["America/New_York", "Australia/Lord_Howe", "Europe/Berlin", "Pacific/Chatham"]
"""Zones whose rule is old enough to stand in every version of the database."""

PAST = (2006, 2022)
FUTURE = (2037, 2043)


def interesting(zone: str) -> list[Transition]:
    """Return the changes of a zone, some beyond what tables list; any day if there are none."""
    found = list(transitions(zone, *PAST))
    if zone in RULED_ZONES:
        found += transitions(zone, *FUTURE)
    return found or [Transition(datetime(2020, 2, 29, tzinfo=UTC), timedelta())]


def in_engine(expression: str, zone: str, first: datetime, last: datetime) -> list[datetime]:
    return list(_engine_fires(expression, zone, first, last))


def _engine_fires(
    expression: str, zone: str, first: datetime, last: datetime
) -> Iterator[datetime]:
    timing = Timing.cron(expression, zone)
    moment = timing.next(int(first.timestamp()) * 1000 - 1)
    while moment is not None and moment <= last.timestamp() * 1000:
        yield datetime.fromtimestamp(moment / 1000, UTC)
        following = timing.next(moment)
        assert following is None or following > moment
        moment = following


@pytest.mark.parametrize("zone", ZONES)
def test_every_kind_of_pattern_fires_where_trying_each_minute_says(zone: str) -> None:
    changes = interesting(zone)
    for change in dict.fromkeys([*changes[:2], changes[len(changes) // 2], changes[-1]]):
        local = change.at.astimezone(Oracle("* * * * *", zone).zone)
        hour = local.hour
        for expression, reach in [
            (f"30 {hour} * * *", 30 * HOUR),
            (f"0 {(hour - 1) % 24} * * *", 30 * HOUR),
            (f"15 */2 * * {local:%w}", 30 * HOUR),
            (f"59 59 {hour}-23 * * *", 30 * HOUR),
            (f"7 30 {(hour - 1) % 24},{hour} {local.day} * *", 30 * HOUR),
            ("0 0 * * *", 50 * HOUR),
            ("45 * * * *", 8 * HOUR),
            (f"0 * {local:%d} {local:%b} *".upper(), 8 * HOUR),
            (f"*/20 {hour} * * *", 26 * HOUR),
            (f"*/15 {(hour - 1) % 24} * * ?", 26 * HOUR),
            (f"*/10 5,50 {(hour - 1) % 24},{hour} * * *", 3 * HOUR),
            ("0,40 * * * * *", 3 * HOUR),
        ]:
            first, last = change.at - reach, change.at + reach
            expected = Oracle(expression, zone).fires(first, last)
            assert in_engine(expression, zone, first, last) == expected, (expression, change)


def numbers(allowed: range) -> st.SearchStrategy[str]:
    """One field of values, ranges and steps."""
    value = st.sampled_from(allowed)
    single = value.map(str)
    stepped = st.tuples(value, st.integers(1, len(allowed))).map(lambda p: f"{p[0]}/{p[1]}")
    spans = st.tuples(value, value).map(lambda p: f"{min(p)}-{max(p)}")
    items = st.lists(st.one_of(single, stepped, spans), min_size=1, max_size=3).map(",".join)
    starred = st.integers(1, len(allowed)).map(lambda step: f"*/{step}")
    return st.one_of(st.just("*"), single, items, starred)


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, str, Transition]:
    """Draw an expression that is likely to match around a real change of a real zone."""
    zone = draw(st.sampled_from(ZONES))
    change = draw(st.sampled_from(interesting(zone)))
    local = change.at.astimezone(Oracle("* * * * *", zone).zone)
    near = [(local.hour + shift) % 24 for shift in (-2, -1, 0, 1)]
    hours = st.one_of(
        st.just("*"),
        st.lists(st.sampled_from(near), min_size=1).map(lambda h: ",".join(map(str, h))),
    )
    fields = [
        draw(st.one_of(st.just("0"), numbers(range(60)))),
        draw(st.one_of(st.sampled_from(["0", "1", "30"]), numbers(range(60)))),
        draw(st.one_of(hours, numbers(range(24)))),
        draw(st.sampled_from(["*", "?", f"{local.day}", f"{local.day}/1", "1-31/2"])),
        draw(st.sampled_from(["*", f"{local:%b}".upper(), "1-12"])),
        draw(st.sampled_from(["*", "?", f"{local:%a}".upper(), "0-7", f"{local:%w}/2"])),
    ]
    return " ".join(fields), zone, change


@settings(max_examples=150, deadline=None)
@given(case=cases(), offset=st.integers(-3 * 3_600_000, 3 * 3_600_000))
def test_the_next_fire_is_the_first_one_later_than_any_instant(
    case: tuple[str, str, Transition], offset: int
) -> None:
    expression, zone, change = case
    after = int(change.at.timestamp()) * 1000 + offset
    first, last = change.at - 4 * HOUR, change.at + 4 * HOUR
    expected = [
        round(fire.timestamp() * 1000)
        for fire in Oracle(expression, zone).fires(first, last)
        if round(fire.timestamp() * 1000) > after
    ]
    found = Timing.cron(expression, zone).next(after)
    if expected:
        assert found == expected[0]
    else:
        assert found is None or found > last.timestamp() * 1000


def test_the_changes_under_test_are_gaps_and_overlaps_of_many_sizes() -> None:
    sizes = {change.change for zone in ZONES for change in interesting(zone)}
    assert {30 * MINUTE, -30 * MINUTE, HOUR, -HOUR, 2 * HOUR, -3 * HOUR, 24 * HOUR} <= sizes
