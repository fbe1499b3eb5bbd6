"""What a test may claim about the jobs that are stored."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from reprlib import repr as short_repr
from typing import TYPE_CHECKING, Any

from taskito._checks import arguments, integer, keywords
from taskito.check import waiting
from taskito.job import JobResult
from taskito.task import BoundTask

if TYPE_CHECKING:
    from taskito._database import Database
    from taskito.queue import Queue
    from taskito.serializers import Serializer

_MOST_LISTED = 20


def assert_enqueued(
    task: BoundTask[..., Any] | str,
    args: Iterable[object] | None = None,
    kwargs: Mapping[str, object] | None = None,
    *,
    queue: "Queue | None" = None,
    count: int | None = None,
) -> JobResult[Any]:
    """Assert that a job of ``task`` is pending.

    Args:
        task: The task, or its name together with ``queue``.
        args: Only jobs with these positional arguments; ``None`` means any.
        kwargs: Only jobs with these keyword arguments; ``None`` means any.
        queue: The Queue to look into; ``None`` means that of the task.
        count: How many there must be; ``None`` means one or more.

    Returns:
        The match that was enqueued last.

    Raises:
        AssertionError: If there is none, or another number. Lists the pending jobs.
        TypeError: For a name without ``queue``.

    Example:
        >>> from taskito import Queue
        >>> queue = Queue(":memory:")
        >>> job = queue.enqueue("greet", ["ann"], delay=60)
        >>> assert_enqueued("greet", ["ann"], queue=queue) == job
        True
    """
    __tracebackhide__ = True
    wanted = _Wanted.of(task, args, kwargs)
    if count is not None:
        integer("count", count, 1)
    site = _Site.of(task, queue)
    matches = [job for job in site.pending() if wanted.fits(job, site)]
    if not matches:
        raise AssertionError(f"no pending job is {wanted}\n{site.listing(wanted.task)}")
    if count is not None and len(matches) != count:
        raise AssertionError(
            f"{len(matches)} pending jobs are {wanted}, not {count}\n{site.listing(wanted.task)}"
        )
    return JobResult(site.database, site.serializer, matches[-1].id)


def assert_not_enqueued(
    task: BoundTask[..., Any] | str,
    args: Iterable[object] | None = None,
    kwargs: Mapping[str, object] | None = None,
    *,
    queue: "Queue | None" = None,
) -> None:
    """Assert that no job of ``task`` is pending; see :func:`assert_enqueued`.

    Raises:
        AssertionError: If there is one. Lists the pending jobs.
    """
    __tracebackhide__ = True
    wanted = _Wanted.of(task, args, kwargs)
    site = _Site.of(task, queue)
    matches = sum(wanted.fits(job, site) for job in site.pending())
    if matches:
        noun = "pending job is" if matches == 1 else "pending jobs are"
        raise AssertionError(f"{matches} {noun} {wanted}\n{site.listing(wanted.task)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """The jobs a test means."""

    task: str
    args: tuple[object, ...] | None
    kwargs: dict[str, Any] | None

    @staticmethod
    def of(
        task: BoundTask[..., Any] | str,
        args: Iterable[object] | None,
        kwargs: Mapping[str, object] | None,
    ) -> "_Wanted":
        return _Wanted(
            task=task if isinstance(task, str) else task.name,
            args=None if args is None else arguments(args),
            kwargs=None if kwargs is None else keywords(kwargs),
        )

    def fits(self, job: "_Pending", site: "_Site") -> bool:
        if job.task != self.task:
            return False
        if self.args is None and self.kwargs is None:
            return True
        try:
            args, kwargs = site.call(job)
        except Exception:  # noqa: BLE001 - what a serializer raises means that it does not fit
            return False
        return (self.args is None or site.are_same(self.args, tuple(args))) and (
            self.kwargs is None or site.are_same(self.kwargs, kwargs)
        )

    def __str__(self) -> str:
        if self.args is None and self.kwargs is None:
            return self.task
        return _call_text(self.task, self.args, self.kwargs)


@dataclass(frozen=True, slots=True)
class _Pending:
    """A job as it waits."""

    id: str
    queue: str
    task: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class _Site:
    """Where to look, and how to read what is there."""

    database: "Database"
    serializer: "Serializer"

    @staticmethod
    def of(task: BoundTask[..., Any] | str, queue: "Queue | None") -> "_Site":
        if queue is not None:
            return _Site(queue._database, queue.serializer)  # noqa: SLF001 - of our own package
        if isinstance(task, str):
            raise TypeError(
                f"which queue? {task!r} is only a name\nhint: pass queue=..., or the task itself"
            )
        producer = task._producer.here()  # noqa: SLF001 - likewise
        return _Site(producer._database, producer._serializer)  # noqa: SLF001 - likewise

    def pending(self) -> "Iterator[_Pending]":
        """Pending jobs, oldest first."""
        with self.database as store:
            for job_id, queue, task, payload, _ in waiting(store):
                yield _Pending(job_id, queue, task, payload)

    def call(self, job: "_Pending") -> tuple[Iterable[object], Mapping[str, object]]:
        """The arguments of a job."""
        args, kwargs = self.serializer.loads(job.payload)
        return args, kwargs

    def are_same(self, wanted: object, found: object) -> bool:
        """Whether two values are equal, or would be after the way through the serializer."""
        if wanted == found:
            return True
        try:
            travelled = self.serializer.loads(self.serializer.dumps(wanted))
        except Exception:  # noqa: BLE001 - what cannot be stored cannot be found
            return False
        return bool((tuple(travelled) if isinstance(wanted, tuple) else travelled) == found)

    def listing(self, task: str) -> str:
        """The pending jobs of all tasks, and how those of ``task`` stand that are not pending."""
        jobs = list(self.pending())
        lines = [f"  {self._line(job)}" for job in jobs[-_MOST_LISTED:]]
        if len(jobs) > _MOST_LISTED:
            lines.insert(0, f"  ... {len(jobs) - _MOST_LISTED} more")
        text = "pending jobs:\n" + "\n".join(lines) if lines else "no job is pending"
        with self.database as store:
            others = store.jobs(task=task, limit=_MOST_LISTED)
        ended = [row.status for row in others if row.status != "pending"]
        if ended:
            text += f"\nhint: there are jobs of {task} that are {', '.join(sorted(set(ended)))}"
        return text

    def _line(self, job: "_Pending") -> str:
        try:
            text = _call_text(job.task, *self.call(job))
        except Exception as error:  # noqa: BLE001 - what a serializer raises
            text = f"{job.task}(?) cannot be decoded: {short_repr(error)}"
        return text if job.queue == "default" else f"{text} in queue {job.queue}"


def _call_text(
    task: str, args: Iterable[object] | None, kwargs: Mapping[str, object] | None
) -> str:
    positional = ["..."] if args is None else [short_repr(value) for value in args]
    named = (
        ["..."]
        if kwargs is None and args is not None
        else [f"{name}={short_repr(value)}" for name, value in (kwargs or {}).items()]
    )
    return f"{task}({', '.join([*positional, *named])})"
