"""Lists of jobs and dead letters, and the cursors that lead from page to page."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from itertools import islice
from reprlib import repr as short_repr
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

from taskito._checks import count, integer, string
from taskito.job import JobResult

if TYPE_CHECKING:
    from taskito._core import DeadRow, JobRow, Store
    from taskito._database import Database
    from taskito.serializers import Serializer
    from taskito_core import Status

__all__ = ["JobFilter", "JobPage", "Page"]

T = TypeVar("T")

_STATUSES: "dict[str, Status | None]" = {
    "pending": "pending",
    "running": "running",
    "complete": "complete",
    "completed": "complete",
    "failed": None,
    "dead": "dead",
    "cancelled": "cancelled",
}
_PORTION = 500
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)  # noqa: UP017 - costs less to import
_CURSOR = re.compile("([jd])([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})")


class Page(list[T]):
    """A list that knows where the next one begins.

    Attributes:
        next_cursor: The ``cursor`` of the next page; ``None`` after the last one.
    """

    __slots__ = ("next_cursor",)

    def __init__(self, items: list[T], next_cursor: str | None) -> None:
        """Hold ``items``; only the library makes pages."""
        super().__init__(items)
        self.next_cursor = next_cursor


class JobPage(Page[JobResult[Any]]):
    """Jobs, newest first, as :meth:`taskito.Queue.list_jobs` returns them.

    Attributes:
        next_cursor: The ``cursor`` of the next page; ``None`` after the last one.

    Example:
        >>> from taskito import Queue
        >>> queue = Queue(":memory:")
        >>> jobs = [queue.enqueue("t") for _ in range(3)]
        >>> page = queue.list_jobs(limit=2)
        >>> len(page), len(queue.list_jobs(limit=2, cursor=page.next_cursor))
        (2, 1)
    """

    __slots__ = ()


class _Plain(TypedDict, total=False):
    """The filters that the engine applies by itself."""

    status: "Status | None"
    queue: str | None
    task: str | None
    created_after: int | None
    created_before: int | None
    metadata: str | None
    error: str | None


class JobFilter:
    """Which jobs are meant. Checked when it is made; see :meth:`taskito.Queue.list_jobs`."""

    __slots__ = ("_facts", "_none", "_plain")

    def __init__(  # noqa: PLR0913 - the documented filters
        self,
        *,
        status: str | None = None,
        queue: str | None = None,
        task_name: str | None = None,
        created_after: int | datetime | None = None,
        created_before: int | datetime | None = None,
        metadata: str | Mapping[str, object] | None = None,
        error: str | None = None,
    ) -> None:
        """Check the filters.

        Raises:
            ValueError: For an unknown status, or a datetime without a time zone.
            TypeError: For a value of the wrong type.
        """
        if status is not None and string("status", status) not in _STATUSES:
            message = f"status must be one of {', '.join(_STATUSES)}, got {status!r}"
            raise ValueError(message)
        self._none = status == "failed"
        self._facts: dict[str, Any] | None = None
        if isinstance(metadata, Mapping):
            self._facts = _as_json(metadata)
            metadata = None
        self._plain: _Plain = {
            "status": None if status is None else _STATUSES[status],
            "queue": None if queue is None else string("queue", queue),
            "task": None if task_name is None else string("task_name", task_name),
            "created_after": _instant("created_after", created_after),
            "created_before": _instant("created_before", created_before),
            "metadata": None if metadata is None else string("metadata", metadata),
            "error": None if error is None else string("error", error),
        }

    def count(self, database: "Database") -> int:
        """Return how many jobs there are."""
        if self._none:
            return 0
        with database as store:
            if self._facts is None:
                return store.count(**self._plain)
            return sum(1 for _ in self._search(store, None))

    def rows(
        self, database: "Database", before: str | None, limit: int, offset: int
    ) -> "list[JobRow]":
        """Return jobs, newest first."""
        if self._none:
            return []
        with database as store:
            if self._facts is None:
                return store.jobs(**self._plain, before=before, limit=limit, offset=offset)
            return list(islice(self._search(store, before), offset, offset + limit))

    def _search(self, store: "Store", before: str | None) -> "Iterator[JobRow]":
        """Yield jobs whose metadata says what is asked for, portion by portion."""
        while True:
            rows = store.jobs(**self._plain, before=before, limit=_PORTION)
            yield from (row for row in rows if self._says(row.metadata))
            if len(rows) < _PORTION:
                return
            before = rows[-1].id

    def _says(self, metadata: str | None) -> bool:
        from json import loads  # noqa: PLC0415 - not needed by most programs

        try:
            said = loads(metadata or "")
        except ValueError:
            return False
        return isinstance(said, dict) and all(
            name in said and _same(said[name], value) for name, value in (self._facts or {}).items()
        )


def list_jobs(  # noqa: PLR0913 - what a page consists of
    database: "Database",
    serializer: "Serializer",
    which: JobFilter,
    *,
    limit: int,
    offset: int,
    cursor: str | None,
) -> JobPage:
    """Return one page of jobs, newest first."""
    before = _checked("j", limit, offset, cursor)
    rows = which.rows(database, before, limit + 1, offset)
    jobs = [JobResult[Any](database, serializer, row.id, row=row) for row in rows[:limit]]
    return JobPage(jobs, cursor_of("j", jobs[-1].id) if jobs and len(rows) > limit else None)


def dead_letters(  # noqa: PLR0913 - what a page consists of
    database: "Database",
    *,
    task_name: str | None,
    queue: str | None,
    limit: int,
    offset: int,
    cursor: str | None,
) -> Page[dict[str, Any]]:
    """Return one page of dead letters, newest first."""
    before = _checked("d", limit, offset, cursor)
    with database as store:
        rows = store.dead_letters(
            queue=None if queue is None else string("queue", queue),
            task=None if task_name is None else string("task_name", task_name),
            before=before,
            limit=limit + 1,
            offset=offset,
        )
    more = len(rows) > limit > 0
    letters = [_letter(row) for row in rows[:limit]]
    return Page(letters, cursor_of("d", letters[-1]["id"]) if more else None)


def _letter(row: "DeadRow") -> dict[str, Any]:
    return {
        "id": row.id,
        "original_job_id": row.job_id,
        "queue": row.queue,
        "task_name": row.task,
        "error": row.error,
        "retry_count": row.retry_count,
        "failed_at": row.failed_at,
        "metadata": row.metadata,
    }


def _checked(kind: str, limit: int, offset: int, cursor: str | None) -> str | None:
    """Return the id that the cursor stands for, after a look at all that names the page."""
    count("offset", offset)
    if cursor is not None and offset:
        message = f"cursor and offset exclude each other, got offset={offset}"
        raise ValueError(f"{message}\nhint: the cursor says already where the page begins")
    return place_of(kind, limit, cursor)


def place_of(kind: str, limit: int, cursor: str | None) -> str | None:
    """Return the id that the cursor of a list of that kind stands for."""
    count("limit", limit)
    if cursor is None:
        return None
    found = _CURSOR.fullmatch(string("cursor", cursor))
    if found is None or found[1] != kind:
        message = f"cursor {short_repr(cursor)} was not returned by this call"
        raise ValueError(f"{message}\nhint: pass the next_cursor of the page before")
    return "-".join(found.groups()[1:])


def cursor_of(kind: str, row_id: str) -> str:
    """Return the cursor that stands for an id."""
    return kind + row_id.replace("-", "")


def _instant(name: str, value: object) -> int | None:
    """Return an instant in whole milliseconds; parts of one count as a whole one."""
    if value is None:
        return None
    if not isinstance(value, datetime):
        return integer(name, value, -(2**63), 2**63 - 1)
    if value.tzinfo is None:
        message = f"{name} must have a time zone, got {value!r}"
        raise ValueError(f"{message}\nhint: add tzinfo=datetime.UTC, or use value.astimezone()")
    return -((_EPOCH - value) // timedelta(milliseconds=1))


def _as_json(value: Mapping[str, object]) -> dict[str, Any]:
    """Return what ``value`` is after a way through JSON, as stored metadata is."""
    from json import dumps, loads  # noqa: PLC0415

    for name in value:
        string("a key of metadata", name)
    facts: dict[str, Any] = loads(dumps(dict(value), allow_nan=False))
    return facts


def _same(one: object, other: object) -> bool:
    """Return whether two values of JSON are equal; ``true`` is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return one == other
