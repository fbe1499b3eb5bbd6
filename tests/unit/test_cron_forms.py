"""Cron expressions: which are understood, which mean the same, which are refused."""

import itertools
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from taskito import CronError, Queue
from tests.support.command import command

Fires = Callable[[str], list[datetime]]


@pytest.fixture
def fires(capsys: pytest.CaptureFixture[str]) -> Fires:
    """The next fires of an expression, as the command line tells them."""

    def fires(expression: str) -> list[datetime]:
        capsys.readouterr()
        assert command("--json", "periodic", "next", expression, "-n", "20") == 0
        told = json.loads(capsys.readouterr().out)
        return [datetime.fromtimestamp(fire["fire_time"] / 1000, UTC) for fire in told]

    return fires


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("5 4 * * *", "0 5 4 * * *"),
        ("0 0 * JAN *", "0 0 * 1 *"),
        ("0 0 * jan,Dec *", "0 0 * 1,12 *"),
        ("0 0 ? * SUN", "0 0 * * 0"),
        ("0 0 * * 7", "0 0 * * 0"),
        ("0 0 * * sUn-SaT", "0 0 * * *"),
        ("0 0 * * SUN-SAT", "0 0 * * *"),
        ("0 0 * * 5-7", "0 0 * * FRI,SAT,SUN"),
        ("0 0 * * MON", "0 0 * * 1"),
        ("0 0 1-31/7 * *", "0 0 1,8,15,22,29 * *"),
        ("*/15 * * * *", "0,15,30,45 * * * *"),
        ("50/3 * * * *", "50,53,56,59 * * * *"),
        ("10-20/5,40 * * * *", "10,15,20,40 * * * *"),
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
        ("@monthly", "0 0 1 * *"),
        ("@weekly", "0 0 * * 0"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@hourly", "0 * * * *"),
    ],
)
def test_two_ways_to_say_the_same(fires: Fires, one: str, other: str) -> None:
    assert fires(one) == fires(other)
    assert len(fires(one)) == 20


def test_six_fields_begin_with_the_second(fires: Fires) -> None:
    found = fires("*/20 * * * * *")
    assert {fire.second for fire in found} == {0, 20, 40}
    gaps = {later - earlier for earlier, later in itertools.pairwise(found)}
    assert gaps == {timedelta(seconds=20)}


def test_both_day_fields_must_match(fires: Fires) -> None:
    found = fires("0 0 13 * FRI")
    assert all((fire.day, fire.isoweekday()) == (13, 5) for fire in found)


@pytest.mark.parametrize(
    ("expression", "field"),
    [
        ("60 * * * *", "minute"),
        ("-1 * * * *", "minute"),
        ("* 24 * * *", "hour"),
        ("* * 0 * *", "day-of-month"),
        ("* * 32 * *", "day-of-month"),
        ("* * * 0 *", "month"),
        ("* * * JANUARY *", "month"),
        ("* * * * 8", "day-of-week"),
        ("* * * * MONDAY", "day-of-week"),
        ("61 * * * * *", "second"),
        ("20-10 * * * *", "minute"),
        ("*/0 * * * *", "minute"),
        ("1,,2 * * * *", "minute"),
        ("? * * * *", "minute"),
        ("* ? * * *", "hour"),
        ("* * L * *", "day-of-month"),
        ("* * * * 5#2", "day-of-week"),
        ("0 0 30 FEB *", "day-of-month and month"),
        ("", "fields"),
        ("* * * *", "fields"),
        ("* * * * * * *", "fields"),
        ("@fortnightly", "shortcut"),
    ],
)
def test_anything_else_is_refused_at_the_decorator_with_its_field(
    queue: Queue, expression: str, field: str
) -> None:
    with pytest.raises(CronError, match=field):
        queue.periodic(expression)
    assert queue._periodic_configs == []
