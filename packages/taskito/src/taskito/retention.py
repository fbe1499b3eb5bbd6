"""Deleting what is over and reviving the dead, in portions that hold nobody up."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from taskito._checks import string

if TYPE_CHECKING:
    from taskito._core import Store
    from taskito._database import Database
    from taskito_core import Status

_FINISHED: "dict[str, Status]" = {
    "complete": "complete",
    "completed": "complete",
    "dead": "dead",
    "cancelled": "cancelled",
}
_LETTERS = 500
_REVIVALS = 20
Progress = Callable[[int], object]


def purge_jobs(  # noqa: PLR0913 - the documented filters
    database: "Database",
    status: str,
    older_than_ms: int,
    *,
    queue: str | None = None,
    task: str | None = None,
    on_progress: Progress | None = None,
) -> int:
    """Delete finished jobs that ended before; return how many.

    ``on_progress`` is told the number so far after each portion.
    """
    if string("status", status) not in _FINISHED:
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


def purge_dead(
    database: "Database",
    older_than_ms: int,
    *,
    queue: str | None = None,
    task: str | None = None,
    on_progress: Progress | None = None,
) -> int:
    """Remove dead letters of jobs that died before; return how many."""
    total = 0
    with database as store:
        before = store.now - older_than_ms
        for letters in _letters(store, queue, task, _LETTERS):
            total += store.discard([letter for letter, died_at in letters if died_at < before])
            if on_progress is not None:
                on_progress(total)
    return total


def retry_all_dead(
    database: "Database",
    *,
    queue: str | None = None,
    task: str | None = None,
    limit: int | None = None,
    on_progress: Progress | None = None,
) -> list[str]:
    """Store the jobs of dead letters again, oldest first; return the new ids.

    Letters that come while this runs are left alone, or a job that dies at once would come
    round for ever.
    """
    revived: list[str] = []
    with database as store:
        newest = next((letter.id for letter in store.dead_letters(limit=1)), "")
        for letters in _letters(store, queue, task, _REVIVALS):
            wanted = [letter for letter, _ in letters if letter <= newest]
            if limit is not None:
                wanted = wanted[: limit - len(revived)]
            if not wanted:
                break
            revived += store.revive_all(wanted)
            if on_progress is not None:
                on_progress(len(revived))
    return revived


def _letters(
    store: "Store", queue: str | None, task: str | None, portion: int
) -> Iterator[list[tuple[str, int]]]:
    """Yield dead letters with the time of each death, oldest first."""
    after: str | None = None
    while letters := store.oldest_letters(queue=queue, task=task, after=after, limit=portion):
        yield letters
        after = letters[-1][0]
