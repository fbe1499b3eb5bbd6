"""The job that runs here and now: ``current_job``."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from reprlib import repr as short_repr
from typing import TYPE_CHECKING, Any, Protocol, cast

from taskito._checks import compact_json, integer, parsed_headers, string
from taskito.exceptions import (
    NoJobContextError,
    SoftTimeoutError,
    TaskCancelledError,
    TaskTimeoutError,
)

__all__ = ["JobContext", "current_job"]


class Facts(Protocol):
    """What is known of a job that runs: an engine's claim, or a test's stand-in."""

    @property
    def job_id(self) -> str: ...
    @property
    def queue(self) -> str: ...
    @property
    def task(self) -> str: ...
    @property
    def retry_count(self) -> int: ...
    @property
    def max_retries(self) -> int: ...
    @property
    def timeout_ms(self) -> int: ...


class Host(Protocol):
    """What runs attempts, as far as a context must know: a worker, or a test.

    Each method gets what the context was made with.
    """

    def progress(self, claim: Any, percent: int, /) -> None:
        """Store the progress of the job soon, if the attempt is its current one."""
        ...

    def log(self, claim: Any, level: str, message: str, extra: str | None, /) -> None:
        """Store a line of the job's log soon, if the attempt is its current one."""
        ...

    def is_cancelled(self, claim: Any, /) -> bool:
        """Return whether cancellation is requested, or another attempt the current one."""
        ...

    def details(self, claim: Any, /) -> "Details":
        """Return more about the job, as stored."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What few attempts ask for, so that it is read only then.

    Attributes:
        metadata: Of the job, as stored.
        headers: Of the job, as stored: a JSON object.
        workflow_id: Shared by all jobs of one canvas.
        worker_id: What runs the attempt; ``None`` in test mode.
    """

    metadata: str | None = None
    headers: str | None = None
    workflow_id: str | None = None
    worker_id: str | None = None


class JobContext:
    """One attempt of a job, as its function and its middleware see it.

    :data:`current_job` stands for the one that is active. Attributes of any other name may
    be set and last as long as the attempt. Usable from any thread.

    When another attempt has become the job's current one, because this one ran over its
    timeout or its worker was taken for lost, :meth:`is_cancelled` is true, and progress and
    log lines are dropped.

    Example:
        >>> from taskito import Queue, current_job
        >>> queue = Queue(":memory:")
        >>> @queue.task
        ... def resize(paths: list[str]) -> None:
        ...     for number, path in enumerate(paths):
        ...         current_job.check_cancelled()
        ...         current_job.update_progress(100 * number // len(paths))
        ...         current_job.log(f"resizing {path}")
    """

    __slots__ = (
        "__dict__",
        "__weakref__",
        "_claim",
        "_host",
        "_since",
        "_soft_ms",
    )

    # Only rarely read, so set when they are; making a context is part of every job.
    _deadline: int | None = None
    _details: Details | None = None

    def __init__(self, claim: Facts, host: Host, soft_timeout_ms: int) -> None:
        """Begin an attempt now; only the library does."""
        self._claim = claim
        self._host = host
        self._soft_ms = soft_timeout_ms
        self._since = time.monotonic()

    if TYPE_CHECKING:  # attributes of any name are part of the contract

        def __getattr__(self, name: str) -> Any: ...
        def __setattr__(self, name: str, value: Any) -> None: ...
        def __delattr__(self, name: str) -> None: ...

    @property
    def id(self) -> str:
        """The job's id."""
        return self._claim.job_id

    @property
    def task_name(self) -> str:
        """Name of its task."""
        return self._claim.task

    @property
    def queue_name(self) -> str:
        """Name of the queue it waited in."""
        return self._claim.queue

    @property
    def retry_count(self) -> int:
        """How many retries were spent before this attempt."""
        return self._claim.retry_count

    @property
    def attempt(self) -> int:
        """The number of this attempt, from 1: ``retry_count + 1``."""
        return self._claim.retry_count + 1

    @property
    def max_retries(self) -> int:
        """How many retries the job has in all."""
        return self._claim.max_retries

    @property
    def deadline(self) -> int | None:
        """When the attempt will be over its ``timeout``: milliseconds since the epoch.

        ``None`` without a timeout. Worked out when first asked for: the timeout itself is
        elapsed time, which no step of the clock changes.
        """
        left_ms = self._left_ms(self._claim.timeout_ms)
        if self._deadline is None and left_ms is not None:
            self._deadline = round(time.time() * 1000 + left_ms)
        return self._deadline

    @property
    def metadata(self) -> str | None:
        """The job's metadata as stored; read from the database once."""
        return self._read().metadata

    @property
    def headers(self) -> dict[str, str]:
        """A copy of the job's headers, ``{}`` if it has none; read from the database once."""
        return parsed_headers(self._read().headers)

    def update_progress(self, progress: int) -> None:
        """Show how far the job is; readers see it within 0.2 s.

        Args:
            progress: 0 to 100.

        Raises:
            ValueError: For another number.
            TypeError: For something that is no integer.
        """
        self._host.progress(self._claim, integer("progress", progress, 0, 100))

    def log(self, message: str, level: str = "info", extra: object = None) -> None:
        """Keep a line in the job's own log, see :meth:`taskito.Queue.task_logs`.

        Args:
            message: Any text.
            level: Any word.
            extra: Kept as JSON; ``{}`` is kept as ``None``.

        Raises:
            TypeError: If ``extra`` cannot be JSON, or the others are no ``str``.
        """
        self._host.log(
            self._claim,
            _storable(string("level", level)),
            _storable(string("message", message)),
            _json_text(extra),
        )

    def is_cancelled(self) -> bool:
        """Return whether the job is to be cancelled, or this attempt no longer counts."""
        return self._host.is_cancelled(self._claim)

    def check_cancelled(self) -> None:
        """Raise if :meth:`is_cancelled`; let it pass, and the job ends ``cancelled``.

        Raises:
            TaskCancelledError: If so.
        """
        if self.is_cancelled():
            raise TaskCancelledError(f"job {self.id} is to be cancelled")

    def check_timeout(self) -> None:
        """Raise if the attempt has run for longer than it may.

        Raises:
            SoftTimeoutError: Past the task's ``soft_timeout``.
            TaskTimeoutError: Past the job's ``timeout``.
        """
        if ran_over(self):
            raise timeout_error(self)
        left_ms = self._left_ms(self._soft_ms)
        if left_ms is not None and left_ms <= 0:
            limit = _seconds(self._soft_ms)
            raise SoftTimeoutError(
                f"task '{self.task_name}' ran longer than its soft_timeout of {limit} s"
            )

    def __repr__(self) -> str:
        """Show the job, its task and the number of the attempt."""
        return f"<JobContext id={self.id} task={self.task_name!r} attempt={self.attempt}>"

    def _left_ms(self, limit_ms: int) -> float | None:
        if not limit_ms:
            return None
        return limit_ms - (time.monotonic() - self._since) * 1000

    def _read(self) -> Details:
        if self._details is None:
            self._details = self._host.details(self._claim)
        return self._details


ACTIVE: ContextVar[JobContext | None] = ContextVar("taskito_job", default=None)
"""The context of the attempt that runs here."""


@contextmanager
def active(context: JobContext) -> Generator[None]:
    """Make ``context`` the active one, then the one before again."""
    outer = ACTIVE.set(context)
    try:
        yield
    finally:
        ACTIVE.reset(outer)


class _CurrentJob:
    """Passes everything on to the active context."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what inspects objects asks for these, and expects this
            raise AttributeError(name)
        return getattr(_active(), name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(_active(), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(_active(), name)

    def __dir__(self) -> list[str]:
        return dir(JobContext)

    def __repr__(self) -> str:
        return f"<current_job: {ACTIVE.get() or 'none'}>"

    def __reduce__(self) -> str:
        return "current_job"


current_job = cast("JobContext", _CurrentJob())
"""The :class:`JobContext` of the attempt that runs here.

It follows the code: into coroutines and ``asyncio`` tasks, ``asyncio.to_thread``, and threads
started through ``contextvars.copy_context().run``. Where no task runs, every member raises
:class:`NoJobContextError`.
"""


def ran_over(context: JobContext) -> bool:
    """Return whether the attempt has been running for longer than its ``timeout``."""
    left_ms = context._left_ms(context._claim.timeout_ms)  # noqa: SLF001 - a friend
    return left_ms is not None and left_ms <= 0


def details_of(context: JobContext) -> Details:
    """Return more about the job of an attempt; read from the database once."""
    return context._read()  # noqa: SLF001 - a friend


def timeout_error(context: JobContext) -> TaskTimeoutError:
    """Return the error of an attempt that ran over its ``timeout``."""
    limit = _seconds(context._claim.timeout_ms)  # noqa: SLF001 - a friend
    return TaskTimeoutError(f"task '{context.task_name}' ran longer than its timeout of {limit} s")


def _active() -> JobContext:
    context = ACTIVE.get()
    if context is None:
        raise NoJobContextError(
            "No active job context: current_job works only while a task runs",
            hint="in a thread of your own, start it with contextvars.copy_context().run",
        )
    return context


def _seconds(duration_ms: int) -> str:
    return f"{duration_ms / 1000:.3f}".rstrip("0").rstrip(".")


def _json_text(extra: object) -> str | None:
    if extra is None or extra == {}:
        return None
    try:
        return _storable(compact_json(extra))
    except (TypeError, ValueError, RecursionError) as error:
        raise TypeError(f"extra must be JSON, got {short_repr(extra)}: {error}") from None


def _storable(text: str) -> str:
    """Return the text with what UTF-8 cannot hold escaped, which is also valid JSON."""
    return text.encode("utf-8", "backslashreplace").decode()
