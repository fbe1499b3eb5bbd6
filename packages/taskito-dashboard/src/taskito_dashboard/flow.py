"""How what waits grows or shrinks, in all queues or in one."""

from taskito._watching import totals
from taskito_dashboard.source import Source
from taskito_dashboard.world import WINDOW_MS, Flow


def flow(source: Source, now: int, waiting: int, queue: str | None = None) -> Flow:
    """Return how the backlog grows, from what came in and what was done in five minutes.

    Args:
        source: What is asked.
        now: The present.
        waiting: How many jobs wait there.
        queue: Only jobs of this one.
    """
    done = totals(source.database, seconds=WINDOW_MS / 1000, queue=queue).get("", {}).get("done", 0)
    growth = source.backlog(queue).growth(now, waiting)
    if growth is None:
        arrived = source.arrived(now - WINDOW_MS, queue)
        growth = None if arrived is None else (arrived - done) * 60_000 / WINDOW_MS
    return Flow(waiting=waiting, done=done, growth=growth)
