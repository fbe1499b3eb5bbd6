"""What happened over time, in buckets: the one place that says how charts get their numbers."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from taskito_dashboard.errors import Refused

RANGES: Mapping[str, int] = {
    "15m": 900_000,
    "1h": 3_600_000,
    "6h": 6 * 3_600_000,
    "24h": 86_400_000,
    "7d": 7 * 86_400_000,
}
"""The ranges that pages offer, in milliseconds."""
DEFAULT = "1h"
_MINUTE, _HOUR, _DAY = 60_000, 3_600_000, 86_400_000
_STEPS = (
    *(10_000, 30_000, _MINUTE, 2 * _MINUTE, 5 * _MINUTE, 10 * _MINUTE, 15 * _MINUTE),
    *(30 * _MINUTE, _HOUR, 2 * _HOUR, 4 * _HOUR, 12 * _HOUR, _DAY, 8 * _DAY),
)
"""How long buckets may be."""
_STRETCHES = ((2 * _HOUR, 10_000), (48 * _HOUR, _MINUTE))
"""Up to which age attempts are known by how much time; what is older is known by the hour."""
_KNOWN = 90 * _DAY
_MOST = 120
"""Up to so many buckets are made, or one more where they begin in the middle of one."""
_ROWS = 12
"""Up to so many rows has the table beside a chart."""
_SPAN = re.compile(r"(\d{1,15})-(\d{1,15})")
COLUMNS = ("done", "failed", "retried", "wait_p50", "wait_p95", "run_p50", "run_p95")
"""What is told of each bucket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Attempts that ended within one stretch of time.

    Attributes:
        at: When it begins, in milliseconds since the epoch.
        done: Those that returned; ``None`` where that is forgotten.
        failed: Those that failed, repeated or not; ``None`` likewise.
        retried: Those of the failed that are repeated; ``None`` likewise.
        wait_p50: Median of how long jobs had been due when they started, in milliseconds;
            ``None`` where nothing ended, as for all percentiles. They are estimates, off by
            less than a factor of sqrt(2).
        wait_p95: The 95th percentile of it.
        run_p50: Median of how long attempts ran.
        run_p95: The 95th percentile of it.
    """

    at: int
    done: int | None = None
    failed: int | None = None
    retried: int | None = None
    wait_p50: float | None = None
    wait_p95: float | None = None
    run_p50: float | None = None
    run_p95: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of time in buckets.

    Attributes:
        start: Where the first bucket begins, in milliseconds since the epoch.
        end: Where the last one ends; after the present if that one is still open.
        step: The length of a bucket in milliseconds.
        known_from: What ended earlier is forgotten.
    """

    start: int
    end: int
    step: int
    known_from: int = 0

    @property
    def starts(self) -> range:
        """Where the buckets begin."""
        return range(self.start, self.end, self.step)


def span_of(text: str, now: int, *, most: int = _MOST) -> Span:
    """Return what ``t`` in an address means.

    Args:
        text: A name of ``RANGES``, or two instants in milliseconds like ``1000-2000``.
        now: The present.
        most: How many buckets are enough; there may be one more.

    Raises:
        Refused: With 400, for anything else.
    """
    if text in RANGES:
        start, end = now - RANGES[text], now
    elif found := _SPAN.fullmatch(text):
        start, end = int(found[1]), min(int(found[2]), now)
    else:
        start = end = 0
    if start >= end:
        hint = f"t must be one of {', '.join(RANGES)}, or two instants like 1000-2000"
        raise Refused(400, f"t is {text[:100]!r}", hint)
    step = next((step for step in _STEPS if _fits(step, start, end, now, most)), _STEPS[-1])
    first = max(start, end - step * most) // step * step
    # What ends at this very moment belongs to a range that goes on.
    last = end + 1 if end == now else end
    return Span(start=first, end=-(-last // step) * step, step=step, known_from=now - _KNOWN)


def table_of(text: str, now: int) -> Span:
    """Return the same time as :func:`span_of` in a few buckets, for a table."""
    return span_of(text, now, most=_ROWS)


def _fits(step: int, start: int, end: int, now: int, most: int) -> bool:
    """Tell whether buckets of a length are few enough, and no finer than what is known."""
    age = now - start // step * step
    stretch = next((stretch for kept, stretch in _STRETCHES if age <= kept), _HOUR)
    return end - start <= step * most and step % stretch == 0


def bucket_of(at: int, told: Mapping[str, Any] | None) -> Bucket:
    """Return what :func:`taskito._watching.curves` tells of a bucket; nothing is zero attempts."""
    if told is None:
        return Bucket(at=at, done=0, failed=0, retried=0)
    wait, run = told["wait_ms"], told["run_ms"]
    return Bucket(
        at=at,
        done=told["done"],
        failed=told["failed"],
        retried=told["retried"],
        wait_p50=wait["p50"],
        wait_p95=wait["p95"],
        run_p50=run["p50"],
        run_p95=run["p95"],
    )


def document(buckets: Iterable[Bucket], span: Span, now: int) -> dict[str, Any]:
    """Return the answer of ``/api/rollups``: one list per column, all of the same length.

    Args:
        buckets: In any order; a bucket that is absent is a gap.
        span: Which buckets there are.
        now: The present.

    Returns:
        ``from to step``, in milliseconds; ``open``, the index of the bucket that goes on, or
        ``None``; ``at``, where the buckets begin; and for each of them ``done failed retried``
        (counts) and ``wait_p50 wait_p95 run_p50 run_p95`` (milliseconds), ``None`` where
        nothing is known.
    """
    known = {bucket.at: bucket for bucket in buckets}
    starts: Sequence[int] = span.starts
    rows = [known.get(at) or Bucket(at=at) for at in starts]
    is_open = span.end > now
    return {
        "from": span.start,
        "to": span.end,
        "step": span.step,
        "open": len(rows) - 1 if is_open else None,
        "at": list(starts),
        **{name: [getattr(row, name) for row in rows] for name in COLUMNS},
    }


def bars(values: Sequence[float | None], height: int = 20) -> list[tuple[int, float, float]]:
    """Return values as bars of a small drawing: which one, its top, its height.

    Gaps have no bar, and the highest value fills the height.
    """
    most = max((value for value in values if value is not None), default=0) or 1
    scaled = ((at, value * height / most) for at, value in enumerate(values) if value)
    return [(at, round(height - tall, 1), round(tall, 1)) for at, tall in scaled]
