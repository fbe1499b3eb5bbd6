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
_STEPS = (60_000, 600_000, 1_800_000, 14_400_000)
"""How long buckets may be."""
_MOST = 60
"""Up to so many buckets are made."""
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
        done: Those that returned; ``None`` where nobody counted.
        failed: Those that failed, repeated or not; ``None`` likewise.
        retried: Those of the failed that are repeated; ``None`` where that is not known.
        wait_p50: Median of how long jobs had been due when they started, in milliseconds;
            ``None`` where nothing started or that is not known, as for all percentiles.
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
    """

    start: int
    end: int
    step: int

    @property
    def starts(self) -> range:
        """Where the buckets begin."""
        return range(self.start, self.end, self.step)

    def coarser(self) -> "Span":
        """Return the same time in fewer buckets, for a table."""
        length = self.end - self.start
        step = self.step * -(-length // (self.step * _ROWS))
        return Span(start=self.end - -(-length // step) * step, end=self.end, step=step)


def span_of(text: str, now: int) -> Span:
    """Return what ``t`` in an address means.

    Args:
        text: A name of ``RANGES``, or two instants in milliseconds like ``1000-2000``.
        now: The present.

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
    step = next((step for step in _STEPS if end - start <= step * _MOST), _STEPS[-1])
    first = max(start, end - step * _MOST) // step * step
    return Span(start=first, end=-(-end // step) * step, step=step)


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
