"""Where jobs stand that wait, and what was done in the last minute."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from taskito._watching import curves, delayed
from taskito_dashboard.source import Source
from taskito_dashboard.words import count

MOST_DELAYED = 10_001
"""Of the jobs that are not due, and of those that nobody made ready, less than so many are looked
at."""
_MINUTE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How many jobs are ready, and how many are not due.

    Attributes:
        ready: Those that are due, of each queue that has jobs.
        scheduled: Those that are due later and never failed; ``None`` if there are too many to
            tell them from those that did.
        retrying: Those that wait for another attempt.
        next_retry: When the first of these is due, in ms.
        is_whole: Whether these are all; else there are more.
    """

    ready: Mapping[str, int]
    scheduled: int | None
    retrying: int
    next_retry: int | None
    is_whole: bool

    @property
    def all_ready(self) -> int:
        """Those that are due, of all queues."""
        return sum(self.ready.values())

    @property
    def retrying_text(self) -> str:
        """``49``, or ``10,000+``."""
        return count(self.retrying) if self.is_whole else f"{count(self.retrying)}+"


def standing(source: Source) -> Standing:
    """Tell ready, scheduled and retrying jobs apart, without reading any of them."""
    apart = delayed(source.database, cap=MOST_DELAYED)
    ready: dict[str, int] = dict(apart["due"])
    later = -sum(ready.values()) - apart["retrying"]
    for lane in source.lanes():
        ready[lane["queue"]] = ready.get(lane["queue"], 0) + lane["ready"]
        later += lane["scheduled"]
    return Standing(
        ready=ready,
        # Jobs may have moved between the two questions.
        scheduled=max(0, later) if apart["is_whole"] else None,
        retrying=apart["retrying"],
        next_retry=apart["next_retry"] if apart["is_whole"] else None,
        is_whole=apart["is_whole"],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What ended in a minute: attempts, whatever becomes of the jobs.

    Attributes:
        done: Those that returned.
        failed: Those that did not.
        run_p95: The time that 95 % of them ran no longer than, in ms.
        done_in: Those that returned, of each queue that had any.
    """

    done: int
    failed: int
    run_p95: float | None
    done_in: Mapping[str, int]


def pace(source: Source) -> Pace:
    """Return what ends in a minute.

    By the last minute and up to ten seconds more, which is how finely attempts are known.
    """
    both = [
        curves(source.database, seconds=_MINUTE, step=2 * _MINUTE, by=by) for by in (None, "queue")
    ]
    whole, apart = (told["series"] for told in both)
    length: int = max(1, both[0]["until"] - both[0]["since"])

    def each_minute(number: int) -> int:
        # One that ended is not rounded away.
        return ceil(number * 60_000 / length)

    buckets = whole.get("", [])
    return Pace(
        done=each_minute(sum(bucket["done"] for bucket in buckets)),
        failed=each_minute(sum(bucket["failed"] for bucket in buckets)),
        run_p95=max(
            (bucket["run_ms"]["p95"] for bucket in buckets if bucket["run_ms"]["p95"] is not None),
            default=None,
        ),
        done_in={
            queue: each_minute(sum(bucket["done"] for bucket in found))
            for queue, found in apart.items()
        },
    )
