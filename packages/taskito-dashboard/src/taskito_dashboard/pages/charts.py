"""What pages with charts know about them."""

from typing import Any

from taskito_dashboard.rollups import COLUMNS, RANGES, bars, document, span_of, table_of
from taskito_dashboard.routing import Call
from taskito_dashboard.words import THIN, duration

_MINUTE = 60_000


def charts(call: Call, *, queue: str | None = None, task: str | None = None) -> dict[str, Any]:
    """Return the facts of the charts of a page that takes ``t``.

    Args:
        call: The request.
        queue: Only what waited there.
        task: Only attempts of this task.

    Returns:
        ``t``, as asked; ``ranges``, the names of the others; ``source``, where the numbers
        are; ``jobs``, the list a bucket leads to; ``unit``, what counts are per;
        ``rows``, the same in few buckets, newest first: dicts with ``at`` and
        the columns of :func:`taskito_dashboard.rollups.document`; ``sketch``, ``done`` and
        ``failed`` as bars, for where no scripts run, and ``number``, of how many;
        ``marks``, what people marked in that time, each with its place among the buckets;
        ``times``, whether any wait or run time is known.
    """
    t, now = call.query()["t"], call.source.now
    span = span_of(t, now)
    fine = document(call.source.buckets(span, queue, task), span, now)
    wide = table_of(t, now)
    coarse = document(call.source.buckets(wide, queue, task), wide, now)
    names = ("at", *COLUMNS)
    rows = [{name: coarse[name][place] for name in names} for place in range(len(coarse["at"]))]
    both = [*fine["done"], *fine["failed"]]
    drawn = bars(both, 100)
    return {
        "t": t,
        "ranges": list(RANGES),
        "source": call.url("api", "rollups", t=t, queue=queue, task=task),
        "jobs": call.url("jobs", queue=queue, task=task),
        "unit": _unit(span.step),
        "number": len(span.starts),
        "sketch": [(at % len(span.starts), *bar, at >= len(span.starts)) for at, *bar in drawn],
        "rows": rows[::-1],
        "marks": [((mark.at - span.start) / span.step, mark) for mark in call.source.marks(span)],
        "times": any(row["run_p95"] is not None for row in rows),
    }


def _unit(step: int) -> str:
    """Return ``per 10 s``, ``per min``."""
    length = f"{step // 1000}{THIN}s" if step < _MINUTE else duration(step)
    return f"per {length.removeprefix(f'1{THIN}')}"
