"""Deleting what is over, in portions that hold nobody up."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from taskito._database import Database
    from taskito_core import Status

_FINISHED: "dict[str, Status]" = {
    "complete": "complete",
    "completed": "complete",
    "dead": "dead",
    "cancelled": "cancelled",
}


def purge_jobs(  # noqa: PLR0913 - the documented filters
    database: "Database",
    status: str,
    older_than_ms: int,
    *,
    queue: str | None = None,
    task: str | None = None,
    on_progress: Callable[[int], object] | None = None,
) -> int:
    """Delete finished jobs that ended before; return how many.

    ``on_progress`` is told the number so far after each portion.
    """
    if status not in _FINISHED:
        message = f"status must be one of complete, dead, cancelled, got {status!r}"
        raise ValueError(f"{message}\nhint: only finished jobs can be deleted; cancel others first")
    total = 0
    after: str | None = None
    with database as store:
        before = store.now - older_than_ms
        while True:
            deleted, after = store.purge(
                _FINISHED[status], before=before, queue=queue, task=task, after=after
            )
            total += deleted
            if on_progress is not None:
                on_progress(total)
            if after is None:
                return total
