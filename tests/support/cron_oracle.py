"""When a cron expression fires, found by trying every second or minute with ``zoneinfo``.

Shares nothing with the engine: another time zone library, another parser, and no jumps.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

_RANGES = [range(60), range(60), range(24), range(1, 32), range(1, 13), range(8)]
_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]


@dataclass(frozen=True)
class Transition:
    """A change of a zone's offset: the first instant of the new one."""

    at: datetime
    change: timedelta

    def __repr__(self) -> str:
        return f"{self.at:%Y-%m-%dT%H:%M:%SZ}{self.change.total_seconds() / 3600:+g}h"


class Oracle:
    """One expression in one zone."""

    def __init__(self, expression: str, zone: str) -> None:
        fields = expression.split()
        if len(fields) == 5:
            fields.insert(0, "0")
        self.zone = ZoneInfo(zone)
        self.sets = [_values(*pair) for pair in zip(fields, _RANGES, strict=True)]
        self.sets[5] = {day % 7 for day in self.sets[5]}
        seconds, minutes, hours, *_ = self.sets
        self.elapsed = len(hours) == 24 or len(minutes) > 1 or len(seconds) > 1
        self.offset = min(seconds)
        self.step = SECOND if len(seconds) > 1 else MINUTE

    def fires(self, first: datetime, last: datetime) -> list[datetime]:
        """All fires from ``first`` to ``last``, both whole minutes in UTC."""
        found = self._elapsed_fires(first, last) if self.elapsed else self._daily_fires(first, last)
        return sorted({fire for fire in found if first <= fire <= last})

    def _elapsed_fires(self, first: datetime, last: datetime) -> Iterator[datetime]:
        for moment in self._walk(first, last):
            if self._matches(moment.astimezone(self.zone)):
                yield moment

    def _daily_fires(self, first: datetime, last: datetime) -> Iterator[datetime]:
        margin = timedelta(hours=40)
        for local in self._walk(first - margin, last + margin):
            if self._matches(local):
                yield self._instant(local.replace(tzinfo=None))

    def _walk(self, first: datetime, last: datetime) -> Iterator[datetime]:
        moment = first if self.step == SECOND else first + self.offset * SECOND
        while moment <= last:
            yield moment
            moment += self.step

    def _matches(self, local: datetime) -> bool:
        weekday = local.isoweekday() % 7
        parts = (local.second, local.minute, local.hour, local.day, local.month, weekday)
        return all(part in values for part, values in zip(parts, self.sets, strict=True))

    def _instant(self, local: datetime) -> datetime:
        """First occurrence of a local time; the first one after it that exists if it does not."""
        if not self._exists(local):
            local = local.replace(second=0) + MINUTE
            while not self._exists(local):
                local += MINUTE
        return local.replace(tzinfo=self.zone).astimezone(UTC)

    def _exists(self, local: datetime) -> bool:
        instant = local.replace(tzinfo=self.zone).astimezone(UTC)
        return instant.astimezone(self.zone).replace(tzinfo=None, fold=0) == local


def _values(text: str, allowed: range) -> set[int]:
    values: set[int] = set()
    for item in text.split(","):
        body, _, step = item.partition("/")
        low, dash, high = body.partition("-")
        if body in {"*", "?"}:
            first, last = allowed[0], allowed[-1]
        else:
            first = _value(low, allowed)
            last = _value(high, allowed) if dash else allowed[-1] if step else first
        values.update(range(first, last + 1, int(step or 1)))
    return values


def _value(text: str, allowed: range) -> int:
    if text.isdigit():
        return int(text)
    return _DAYS.index(text) if len(allowed) == 8 else _MONTHS.index(text) + 1


@cache
def transitions(zone: str, first_year: int, last_year: int) -> list[Transition]:
    """Find every change of a zone's offset in some years, to the minute."""
    info = ZoneInfo(zone)

    def offset(moment: datetime) -> timedelta:
        return moment.astimezone(info).utcoffset() or timedelta()

    moment = datetime(first_year, 1, 1, tzinfo=UTC)
    days = [moment + timedelta(days=n) for n in range(366 * (last_year - first_year + 1))]
    found: list[Transition] = []
    for low, high in pairwise(days):
        if offset(low) == offset(high):
            continue
        before, after = low, high
        while after - before > MINUTE:
            middle = before + (after - before) // (2 * MINUTE) * MINUTE
            if offset(middle) == offset(low):
                before = middle
            else:
                after = middle
        found.append(Transition(after, offset(high) - offset(low)))
    return found
