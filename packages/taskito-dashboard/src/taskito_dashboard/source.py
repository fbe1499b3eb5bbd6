"""What the dashboard asks a queue for, beyond its public methods. Long, as each is one question."""

import json
import os
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from taskito._groups import Groups
from taskito._readers import LONG_LOG, readers
from taskito._watching import (
    attempts,
    crew,
    curves,
    deaths,
    lanes,
    next_jobs,
    position,
    run_times,
    running,
)
from taskito.bulk import Bulk, Deed
from taskito.cli._examine import network
from taskito.exceptions import JobNotFoundError
from taskito.job import JobResult
from taskito.listing import JobFilter
from taskito_dashboard.driving import Driver
from taskito_dashboard.keeping import Kept
from taskito_dashboard.rollups import Bucket, Span, bucket_of
from taskito_dashboard.world import Backlog

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from taskito import Queue
    from taskito_core import AttemptRow, GroupRow, JobRow

Metrics: TypeAlias = dict[str, dict[str, int]]

LATELY_SECONDS = 900
_RUN_SECONDS = 60
_DAY = 86_400
_TREND_SECONDS = 30
_CHART_SECONDS = 10
_DAY_TREND_SECONDS = 300
_RECENT_SECONDS = 60
_PORTION = 500
_MOST_BACKLOGS = 1000
_MOST_MARKS = 50
_GROUPS_SECONDS = 5
_MOUNT_SECONDS = 60
LETTERS_SHOWN = 1000
"""Up to so many dead letters are counted."""
MOST_BEFORE = 1000
"""Up to so many jobs that run before another one are counted."""
MOST_RECENT = 100_000
"""Among so many of the newest jobs are the newest of a task or queue looked for."""
MOST_RUNNING = 1000
"""Up to so many jobs that run are told of."""


@dataclass(frozen=True, slots=True)
class Values:
    """The decoded values of a job as text; ``None`` for what is not there or cannot be read."""

    args: str | None = None
    kwargs: str | None = None
    result: str | None = None


@dataclass(frozen=True, slots=True)
class Disk:
    """The database as files.

    Attributes:
        readers: Who keeps a long log from beginning anew, as far as is known.
    """

    path: str
    size: int | None
    log_size: int | None
    free: int | None
    readers: "Sequence[str]" = ()


class Source:
    """One queue, as its dashboard sees it.

    Attributes:
        queue: The queue.
        decodes: Whether arguments and results are decoded. Not when there is only a
            database file: decoding may run code, and nobody vouched for the file.
        hides: Whether nobody is shown arguments and results.
        bulk: Many jobs of the queue at once.
        driver: What takes operations on.
        groups: Its groups of failures.
        kept: What pages find out and keep for some seconds, by keys of their own.
        database: ``with database as store`` gives the engine's own answers.
    """

    def __init__(self, queue: "Queue", *, decodes: bool, hides: bool = False) -> None:
        self.queue = queue
        self.decodes = decodes
        self.hides = hides
        self.kept: Kept[Any] = Kept()
        self._backlogs: dict[str | None, Backlog] = {}
        self._charts: Kept[list[Bucket]] = Kept()
        self._trends: Kept[Metrics] = Kept()
        self._run = uuid.uuid4().hex[:8]
        self.database = queue._database  # noqa: SLF001 - of our own packages
        self.bulk = Bulk(queue)
        self.driver = Driver(self.bulk)
        self.groups = Groups(self.database)

    @property
    def now(self) -> int:
        """The present instant of the database's clock."""
        with self.database as store:
            return store.now

    def change(self) -> str:
        """A text that is another one after every commit of any process."""
        with self.database as store:
            # Counters of different processes may be equal by chance.
            return f"{self._run}{os.getpid():x}-{store.change_counter():x}"

    def job(self, job_id: str) -> "JobRow":
        """One job with all that is stored of it.

        Raises:
            JobNotFoundError: If there is none.
        """
        with self.database as store:
            row = store.job(job_id)
        if row is None:
            raise JobNotFoundError(f"job not found: {job_id}")
        return row

    def attempts(self, job_id: str) -> list[dict[str, Any]]:
        """The attempts of a job, oldest first, as :func:`taskito._watching.attempts` tells them."""
        return attempts(self.database, job_id)

    def failed_attempts(self, job_id: str) -> "list[AttemptRow]":
        """The failed and lost attempts of a job with all that is stored of them, oldest first."""
        with self.database as store:
            return store.attempts(job_id)

    def running(self, limit: int) -> list[dict[str, Any]]:
        """What runs now, the longest first, as :func:`taskito._watching.running` tells it."""
        found = running(self.database, limit=limit)
        return [{**row, "preview": None} for row in found] if self.hides else found

    def preview(self, row: "JobRow") -> str | None:
        """The arguments of a job for people; ``None`` if there is no preview, or it is hidden."""
        return None if self.hides else row.preview

    def result_preview(self, job_id: str) -> str | None:
        """The result of a job for people, likewise."""
        return None if self.hides else self.groups.result_preview(job_id)

    def crew(self) -> list[dict[str, Any]]:
        """The workers on the roster, as :func:`taskito._watching.crew` tells them."""
        return crew(self.database)

    def begun_at(self, row: "JobRow") -> int | None:
        """When the function of a job that runs began; ``None`` if it did not yet."""
        if row.status != "running":
            return None
        rows = self.running(MOST_RUNNING)
        return next((found["since"] for found in rows if found["job_id"] == row.id), None)

    def before(self, row: "JobRow") -> int | None:
        """How many jobs run before one that is due, counted up to :data:`MOST_BEFORE`."""
        if row.status != "pending":
            return None
        return position(self.database, row.id, cap=MOST_BEFORE)

    def worker_id(self, row: "JobRow") -> str | None:
        """The worker that runs a job now."""
        if row.status != "running":
            return None
        with self.database as store:
            return next((found.id for found in store.workers() if found.number == row.worker), None)

    def worker(self, row: "JobRow") -> str | None:
        """Machine and process of the worker that runs a job now."""
        if row.status != "running":
            return None
        with self.database as store:
            found = [worker for worker in store.workers() if worker.number == row.worker]
        return f"{found[0].hostname}:{found[0].pid}" if found else None

    def values(self, row: "JobRow") -> Values:
        """Decode what a job was called with and what it returned."""
        if self.hides or not self.decodes:
            return Values()
        with self.database as store:
            payload = store.payload(row.id)
            result = store.result(row.id) if row.status == "complete" else None
        args, kwargs = self._arguments(payload)
        return Values(args, kwargs, None if result is None else self._decoded(result))

    def arguments(self, row: "JobRow") -> tuple[list[Any], dict[str, Any]] | None:
        """Decode what a job was called with; ``None`` if that must not or cannot be done."""
        if self.hides or not self.decodes:
            return None
        with self.database as store:
            payload = store.payload(row.id)
        try:
            args, kwargs = self.queue.serializer.loads(payload or b"")
            return list(args), dict(kwargs)
        except Exception:  # noqa: BLE001 - code of the application runs here
            return None

    def lanes(self) -> list[dict[str, Any]]:
        """How many jobs of each queue and task stand where, as :func:`taskito._watching.lanes`."""
        return lanes(self.database)

    def marks(self, span: Span) -> list[Deed]:
        """What people marked within a span: the newest 50, oldest first."""
        return self.bulk.marks(span.start, span.end, _MOST_MARKS)[::-1]

    def last_mark(self, since: int) -> Deed | None:
        """What somebody marked last since then."""
        return next(iter(self.bulk.marks(since, self.now + 1, 1)), None)

    def deaths(self, since: int, most: int) -> int:
        """How many dead letters there are of jobs that died since then, up to so many."""
        return deaths(self.database, since, cap=most)

    def failing(self) -> "list[GroupRow]":
        """The groups of failures that jobs are in now, up to five seconds old.

        Each counts its jobs in an index, so many of them take a while.
        """

        def find() -> "list[GroupRow]":
            return [row for row in self.groups.all() if row.dead + row.retrying]

        found: list[GroupRow] = self.kept.get("failing", find, seconds=_GROUPS_SECONDS)
        return found

    def letters(self) -> int:
        """How many dead letters there are, counted up to one more than are told."""
        return self.deaths(0, LETTERS_SHOWN + 1)

    def letter_of(self, row: "JobRow") -> str | None:
        """The dead letter of a dead job, ``None`` when it was retried or removed."""
        cursor = None
        while True:
            page = self.queue.dead_letters(
                _PORTION, task_name=row.task, queue=row.queue, cursor=cursor
            )
            for letter in page:
                if letter["original_job_id"] == row.id:
                    return str(letter["id"])
            cursor = page.next_cursor
            if cursor is None:
                return None

    def newest(
        self, most: int, status: str, queue: str | None = None, task: str | None = None
    ) -> "list[JobRow]":
        """Up to so many jobs in a status, newest first.

        Where the counters say that there are fewer, the search ends with the last of them
        instead of looking through all other jobs for one more.
        """
        wanted = min(most, self.queue.count_jobs(status, queue, task))
        if not wanted:
            return []
        which = JobFilter(status=status, queue=queue, task_name=task)
        return which.rows(self.database, None, wanted, 0)

    def trend(self) -> "tuple[Metrics, Metrics]":
        """What ended in the last 15 minutes and in the last 24 hours, by task.

        Reading a whole day takes long where there are many tasks, so that may be five minutes
        old, and the other half a minute.

        Returns:
            Dicts with ``count`` and ``failure_count`` of attempts, for each task with any.
        """
        lately = self._ended(LATELY_SECONDS, good_for=_TREND_SECONDS)
        return lately, self._ended(_DAY, good_for=_DAY_TREND_SECONDS)

    def _ended(self, seconds: int, *, good_for: float) -> Metrics:
        def find() -> Metrics:
            # One bucket for all of it, whatever it is rounded to.
            told = curves(self.database, seconds=seconds, step=2 * seconds, by="task")
            return {task: _sums(buckets) for task, buckets in told["series"].items()}

        return self._trends.get(seconds, find, seconds=good_for)

    def run_percentiles(self, task: str) -> "Mapping[str, float | None]":
        """How long attempts of a task ran in the last 24 hours: ``p50 p95 p99`` in ms.

        Up to a minute old.
        """

        def find() -> "Mapping[str, float | None]":
            told = curves(self.database, seconds=_DAY, step=2 * _DAY, task=task)["series"]
            buckets = told.get("", ())
            return buckets[0]["run_ms"] if buckets else {}

        found: Mapping[str, float | None] = self.kept.get(
            ("run times", task), find, seconds=_RUN_SECONDS
        )
        return found

    def buckets(self, span: Span, queue: str | None, task: str | None) -> list[Bucket]:
        """What ended in each bucket of a span; none for times that nobody knows any more.

        Up to a tenth of a bucket old, but never more than ten seconds: pages that are watched ask
        every two seconds, and a day of many lanes takes a while to read.
        """

        def find() -> list[Bucket]:
            return self._buckets(span, queue, task)

        key = (span.start, span.end, span.step, queue, task)
        return self._charts.get(key, find, seconds=min(span.step / 10_000, _CHART_SECONDS))

    def _buckets(self, span: Span, queue: str | None, task: str | None) -> list[Bucket]:
        told = curves(
            self.database,
            seconds=(span.end - span.start) / 1000,
            step=span.step / 1000,
            until=span.end,
            queue=queue,
            task=task,
        )
        found = {bucket["at"]: bucket for bucket in told["series"].get("", [])}
        return [bucket_of(at, found.get(at)) for at in span.starts if at >= span.known_from]

    def recent(
        self, most: int, *, queue: str | None = None, task: str | None = None
    ) -> "list[JobRow]":
        """Up to so many jobs of a queue or a task, newest first.

        Looked for among the newest :data:`MOST_RECENT` jobs of the database alone.
        """
        wanted = min(most, sum(self._stored(queue, task)))
        if not wanted:
            return []
        which = JobFilter(queue=queue, task_name=task, created_after=self._recent_since())
        return which.rows(self.database, None, wanted, 0)

    def _stored(self, queue: str | None, task: str | None) -> "Iterator[int]":
        """Give the numbers of jobs of a queue or a task, by counters."""
        for lane in self.lanes():
            if queue in {None, lane["queue"]} and task in {None, lane["task"]}:
                yield sum(lane[state] for state in lane.keys() - {"queue", "task"})

    def _recent_since(self) -> int | None:
        """When the oldest of the newest jobs was stored, a minute ago; ``None`` if all are new."""

        def find() -> int | None:
            with self.database as store:
                oldest = store.jobs(limit=1, offset=MOST_RECENT)
            return oldest[0].created_at if oldest else None

        found: int | None = self.kept.get("recent", find, seconds=_RECENT_SECONDS)
        return found

    def run_times(self, span: Span, task: str) -> list[int]:
        """How many attempts of a task ran how long, see :func:`taskito._watching.run_times`.

        As old as :meth:`buckets` may be.
        """
        seconds = (span.end - span.start) / 1000

        def find() -> list[int]:
            return run_times(self.database, seconds=seconds, until=span.end, task=task)

        good_for = min(span.step / 10_000, _CHART_SECONDS)
        found: list[int] = self.kept.get((span.start, span.end, task), find, seconds=good_for)
        return found

    def backlog(self, queue: str | None) -> Backlog:
        """What waited in a queue when somebody looked, or in all of them."""
        if len(self._backlogs) >= _MOST_BACKLOGS:
            self._backlogs.clear()
        return self._backlogs.setdefault(queue, Backlog())

    def next_jobs(self, queue: str, limit: int) -> "list[JobRow]":
        """The jobs of a queue that a worker would claim next, in that order."""
        return next_jobs(self.database, queue, limit=limit)

    @property
    def keeps_ms(self) -> int | None:
        """How long finished jobs are kept, in ms, as far as the program of the page says."""
        return self.queue._result_ttl_ms if self.decodes else None  # noqa: SLF001 - of our own packages

    @property
    def keeps_all(self) -> bool:
        """Whether nothing deletes finished jobs, as far as the program of the page says."""
        return self.decodes and self.keeps_ms is None

    def matching(self, which: dict[str, Any]) -> "Iterator[str]":
        """The ids of all jobs that match, newest first; none that come meanwhile."""
        cursor = None
        while True:
            page = self.queue.list_jobs(limit=_PORTION, cursor=cursor, **which)
            yield from (job.id for job in page)
            cursor = page.next_cursor
            if cursor is None:
                return

    def disk(self) -> Disk:
        """The sizes of the database's files."""
        path = self.queue.db_path
        if path == ":memory:":
            return Disk(path, None, None, None)
        file = Path(path).absolute()
        log = _size(file.with_name(f"{file.name}-wal"))
        found = readers(str(file)) if log is not None and log > LONG_LOG else ()
        return Disk(str(file), _size(file), log, _free(file), found)

    def network(self) -> str | None:
        """The kind of network file system that the database lies on, if it does."""
        path = self.queue.db_path
        if path == ":memory:":
            return None

        def find() -> str | None:
            return network(Path(path).absolute())

        found: str | None = self.kept.get("network", find, seconds=_MOUNT_SECONDS)
        return found

    def _arguments(self, payload: bytes | None) -> tuple[str | None, str | None]:
        if payload is None:
            return None, None
        try:
            args, kwargs = self.queue.serializer.loads(payload)
            return as_text(list(args)), as_text(dict(kwargs))
        except Exception:  # noqa: BLE001 - code of the application runs here
            return None, None

    def _decoded(self, data: bytes) -> str | None:
        try:
            return as_text(self.queue.serializer.loads(data))
        except Exception:  # noqa: BLE001 - code of the application runs here
            return None


def _sums(buckets: "Iterable[Mapping[str, Any]]") -> dict[str, int]:
    count = failures = 0
    for bucket in buckets:
        count += bucket["done"] + bucket["failed"]
        failures += bucket["failed"]
    return {"count": count, "failure_count": failures}


def row_of(job: JobResult[Any]) -> "JobRow":
    """Return a job as it was found."""
    return job._known()  # noqa: SLF001 - of our own packages


def as_text(value: object) -> str:
    """Return a value as JSON text, else its ``repr``."""
    try:
        return json.dumps(value, allow_nan=False)
    except Exception:  # noqa: BLE001 - whatever the value does when it is looked at
        return _printed(value)


def _printed(value: object) -> str:
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - likewise
        return f"<{type(value).__name__}: its repr fails>"


def milliseconds() -> int:
    """The present as milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def _size(file: Path) -> int | None:
    try:
        return file.stat().st_size
    except OSError:
        return None


def _free(file: Path) -> int | None:
    try:
        found = os.statvfs(file.parent)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize
