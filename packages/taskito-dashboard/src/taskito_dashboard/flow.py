"""How what waits grows or shrinks, in each queue and in all of them."""

from collections.abc import Mapping
from dataclasses import dataclass

from taskito._watching import arrivals, curves
from taskito_dashboard.source import Source
from taskito_dashboard.world import WINDOW_MS, Flow

_KEPT_SECONDS = 5
_MOST_ARRIVALS = 10_000
_LEAST_MS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What came and what was done in the last five minutes, by queue.

    Attributes:
        done: Attempts that succeeded.
        came: Jobs that were stored: the newest 10,000 at most.
        came_ms: In how much time they came.
    """

    done: Mapping[str, int]
    came: Mapping[str, int]
    came_ms: int

    @property
    def is_whole(self) -> bool:
        """Whether all are counted that came in the five minutes."""
        return self.came_ms >= WINDOW_MS


def traffic(source: Source) -> Traffic:
    """Return what came and what was done, from one look at all queues; up to five seconds old."""

    def find() -> Traffic:
        seconds, now = WINDOW_MS / 1000, source.now
        # One bucket for all of it, whatever it is rounded to.
        told = curves(source.database, seconds=seconds, step=2 * seconds, by="queue")["series"]
        since, came = arrivals(source.database, since=now - WINDOW_MS, cap=_MOST_ARRIVALS)
        return Traffic(
            done={name: sum(one["done"] for one in buckets) for name, buckets in told.items()},
            came=came,
            came_ms=max(now - since, _LEAST_MS),
        )

    found: Traffic = source.kept.get("traffic", find, seconds=_KEPT_SECONDS)
    return found


def flow(source: Source, now: int, waiting: int, queue: str | None = None) -> Flow:
    """Return how the backlog grows, from what was seen of it, else from what came and was done.

    Costs nothing more for each further queue.

    Args:
        source: What is asked.
        now: The present.
        waiting: How many jobs wait there.
        queue: Only jobs of this one.
    """
    seen = traffic(source)
    done, came = (
        sum(numbers.values()) if queue is None else numbers.get(queue, 0)
        for numbers in (seen.done, seen.came)
    )
    growth = source.backlog(queue).growth(now, waiting)
    if growth is None and seen.is_whole:
        growth = (came - done) * 60_000 / WINDOW_MS
    arrived = came * 60_000 / seen.came_ms
    return Flow(waiting=waiting, done=done, growth=growth, arrived_per_minute=arrived)
