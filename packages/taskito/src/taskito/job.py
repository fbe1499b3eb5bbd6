"""A handle on one job: what became of it, and its result."""

import re
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from taskito._checks import Seconds, in_seconds, milliseconds
from taskito._twins import twin
from taskito.exceptions import (
    DependencyFailedError,
    JobNotFoundError,
    MaxRetriesExceededError,
    ResultTimeout,
    SerializationError,
    TaskCancelledError,
    TaskFailedError,
    TaskitoError,
)
from taskito.inspection import job_errors, task_logs

if TYPE_CHECKING:
    from taskito._core import JobRow
    from taskito._database import Database
    from taskito.serializers import Serializer
    from taskito.why import Why

__all__ = ["JobResult"]

R = TypeVar("R")


class JobResult(Generic[R]):
    """One job, by its id. Cheap to make and to keep; reads the database when asked.

    ``status``, ``progress``, ``error``, ``errors``, ``dependencies`` and ``dependents`` are read
    at each access. The other attributes are as of the last read and never change but for
    ``retry_count`` and the instants. Instants are milliseconds since the Unix epoch, UTC.
    Handles are equal when their ids are.

    Attributes:
        id: The job's id, a UUIDv7 in lower case.
        deduplicated: Whether the call that returned this handle found an existing job.

    Example:
        >>> from taskito import Queue
        >>> queue = Queue(":memory:")
        >>> @queue.task(name="add")
        ... def add(a: int, b: int) -> int:
        ...     return a + b
        >>> add.delay(1, 2).status
        'pending'
    """

    __slots__ = ("_database", "_row", "_serializer", "deduplicated", "id")

    def __init__(
        self,
        database: "Database",
        serializer: "Serializer",
        job_id: str,
        deduplicated: bool = False,  # noqa: FBT001, FBT002 - built by the library alone
        row: "JobRow | None" = None,
    ) -> None:
        """Make a handle; only the library does."""
        self._database = database
        self._serializer = serializer
        self.id = job_id
        self.deduplicated = deduplicated
        self._row = row

    @property
    def status(self) -> str:
        """``pending``, ``running``, ``complete``, ``dead`` or ``cancelled``, read now."""
        return self._read().status

    @property
    def progress(self) -> int | None:
        """0 to 100, read now; ``None`` if the job never reported any."""
        return self._read().progress

    @property
    def error(self) -> str | None:
        """Text of the last failure, read now; ``None`` while the job may still run."""
        return self._read().error

    @property
    def errors(self) -> list[dict[str, Any]]:
        """Every failed or lost attempt, as :meth:`taskito.Queue.job_errors`, read now."""
        return job_errors(self._database, self.id)

    @property
    def dependencies(self) -> list[str]:
        """Ids of the jobs this one depends on, in the order given, read now."""
        with self._database as store:
            return store.dependencies(self.id)

    @property
    def dependents(self) -> list[str]:
        """Ids of the jobs that depend on this one, oldest first, read now."""
        with self._database as store:
            return store.dependents(self.id)

    @property
    def queue(self) -> str:
        """Name of the queue the job waits in."""
        return self._known().queue

    @property
    def task_name(self) -> str:
        """Name of its task."""
        return self._known().task

    @property
    def priority(self) -> int:
        """Higher runs first."""
        return self._known().priority

    @property
    def retry_count(self) -> int:
        """How many retries were spent."""
        return self._known().retry_count

    @property
    def max_retries(self) -> int:
        """How many retries there are."""
        return self._known().max_retries

    @property
    def created_at(self) -> int:
        """When it was stored."""
        return self._known().created_at

    @property
    def scheduled_at(self) -> int:
        """When it is or was due."""
        return self._known().scheduled_at

    @property
    def started_at(self) -> int | None:
        """When the current or last attempt was claimed."""
        return self._known().started_at

    @property
    def completed_at(self) -> int | None:
        """When it became ``complete``, ``dead`` or ``cancelled``."""
        return self._known().completed_at

    @property
    def metadata(self) -> str | None:
        """Metadata as stored."""
        return self._known().metadata

    def refresh(self) -> None:
        """Read the row again. Keeps what was known if the row is gone."""
        with self._database as store:
            self._row = store.job(self.id) or self._row

    def to_dict(self) -> dict[str, Any]:
        """Return the job as JSON-serializable facts, read now.

        Returns:
            Exactly the keys ``id queue task_name status priority progress retry_count
            max_retries created_at scheduled_at started_at completed_at error timeout_ms
            unique_key metadata``.
        """
        row = self._read()
        return {
            "id": row.id,
            "queue": row.queue,
            "task_name": row.task,
            "status": row.status,
            "priority": row.priority,
            "progress": row.progress,
            "retry_count": row.retry_count,
            "max_retries": row.max_retries,
            "created_at": row.created_at,
            "scheduled_at": row.scheduled_at,
            "started_at": row.started_at,
            "completed_at": row.completed_at,
            "error": row.error,
            "timeout_ms": row.timeout_ms,
            "unique_key": row.unique_key,
            "metadata": row.metadata,
        }

    def logs(self) -> list[dict[str, Any]]:
        """Return what the job logged, as :meth:`taskito.Queue.task_logs`."""
        return task_logs(self._database, self.id)

    def cancel(self) -> bool:
        """Cancel the job if it is pending; if it is running, ask for that.

        See :meth:`taskito.Queue.cancel_running_job` for what follows then.

        Returns:
            Whether it was pending and is now cancelled, or was running.
        """
        with self._database as store:
            # A failed attempt may have put it back between the two questions.
            return store.cancel(self.id) or store.cancel_request(self.id) or store.cancel(self.id)

    def why(self) -> "Why":
        """Return why the job does not run; see :meth:`taskito.Queue.why`.

        Raises:
            JobNotFoundError: If the row is gone.
        """
        from taskito.why import explain  # noqa: PLC0415 - few jobs are asked

        return explain(self._database, self.id)

    def wait(self, timeout: Seconds | None = None) -> bool:
        """Block until the job is ``complete``, ``dead`` or ``cancelled``, or gone.

        Never raises for a failed job.

        Args:
            timeout: Seconds to wait; 0 or less looks once, ``None`` waits without limit.

        Returns:
            ``False`` if the deadline passed first.
        """
        limit = None if timeout is None else milliseconds("timeout", timeout)
        with self._database as store:
            return store.wait(self.id, limit)

    def result(
        self,
        timeout: Seconds | None = 30.0,
        poll_interval: Seconds = 0.05,
        max_poll_interval: Seconds = 0.5,
    ) -> R:
        """Block until the job ends and return what its function returned.

        Args:
            timeout: Seconds to wait; 0 or less looks once, ``None`` waits without limit.
            poll_interval: Upper bound in seconds on the delay between the end of the job
                and the return. The engine wakes waiters sooner; nothing polls.
            max_poll_interval: Likewise.

        Returns:
            The value, decoded with the queue's serializer.

        Raises:
            MaxRetriesExceededError: The job is dead and its last allowed retry failed.
            TaskFailedError: The job is dead for another reason.
            TaskCancelledError: The job was cancelled; ``DependencyFailedError`` if that was
                because one that it depends on ended ``dead`` or ``cancelled``, with that
                job's error as ``__cause__``.
            JobNotFoundError: Its row is gone.
            ResultTimeout: It was still unfinished at the deadline.
            SerializationError: The result cannot be decoded; ``SignatureError`` if its
                signature is wrong.
        """
        milliseconds("poll_interval", poll_interval)
        milliseconds("max_poll_interval", max_poll_interval)
        if not self.wait(timeout):
            raise self._timeout_error(timeout)
        with self._database as store:
            data = store.result(self.id)
        if data is None:
            raise self._failure()
        try:
            return cast("R", self._serializer.loads(data))
        except SerializationError as error:
            error.add_note(f"while decoding the result of job {self.id}")
            raise
        except Exception as error:
            message = f"the result of job {self.id} cannot be decoded: {error}"
            raise SerializationError(message) from error

    async def await_(self, timeout: Seconds | None = None) -> bool:  # noqa: ASYNC109 - as wait()
        """Await what :meth:`wait` waits for; the event loop goes on meanwhile."""
        limit = None if timeout is None else milliseconds("timeout", timeout) / 1000
        return await self._database.herald().ended(self.id, limit)

    async def aresult(
        self,
        timeout: Seconds | None = 30.0,  # noqa: ASYNC109 - as result()
        poll_interval: Seconds = 0.05,
        max_poll_interval: Seconds = 0.5,
    ) -> R:
        """Await what :meth:`result` returns; the event loop goes on meanwhile."""
        from asyncio import to_thread  # noqa: PLC0415 - large, and only here needed

        if await self.await_(timeout):
            return await to_thread(self.result, 0, poll_interval, max_poll_interval)
        raise await to_thread(self._timeout_error, timeout)

    arefresh = twin(refresh)
    alogs = twin(logs)
    acancel = twin(cancel)
    awhy = twin(why)

    def __eq__(self, other: object) -> bool:
        """Compare ids."""
        return self.id == other.id if isinstance(other, JobResult) else NotImplemented

    def __hash__(self) -> int:
        """Hash the id."""
        return hash(self.id)

    def __repr__(self) -> str:
        """Show the id and the status, read now if that is possible."""
        try:
            status = self.status
        except TaskitoError:
            status = "unknown"
        return f"<JobResult id={self.id} status={status}>"

    def _read(self) -> "JobRow":
        self.refresh()
        return self._known()

    def _known(self) -> "JobRow":
        if self._row is None:
            self.refresh()
        if self._row is None:
            raise self._gone()
        return self._row

    def _gone(self) -> JobNotFoundError:
        return JobNotFoundError(f"job not found: {self.id}")

    def _timeout_error(self, timeout: Seconds | None) -> ResultTimeout:
        with self._database as store:
            row = store.job(self.id)
            idle = not store.workers()
        status = row.status if row else "gone"
        limit = in_seconds(timeout)
        message = f"Job {self.id} did not complete within {limit}s (current status: {status})"
        hint = "no worker uses this database: start one with queue.run_worker()" if idle else None
        return ResultTimeout(message, job_id=self.id, status=status, hint=hint)

    def _failure(self) -> Exception:
        """Return the exception of a job that ended without a result."""
        with self._database as store:
            row = store.job(self.id)
            attempts = store.attempts(self.id)
        if row is None:
            return self._gone()
        if row.status == "cancelled":
            return self._cancellation(row)
        text = row.error or "no reason is recorded"
        was_lost = bool(attempts) and attempts[-1].outcome == "lost"
        spent = row.retry_count >= row.max_retries and not was_lost
        kind = MaxRetriesExceededError if spent else TaskFailedError
        return kind(
            f"Job {self.id} dead: {text}",
            job_id=self.id,
            task_name=row.task,
            error=text,
            attempts=len(attempts),
            exception_type=exception_type(text),
        )

    def _cancellation(self, row: "JobRow") -> TaskCancelledError:
        reason = f": {row.error}" if row.error else ""
        message = f"Job {self.id} cancelled{reason}"
        if row.root_id is None:
            return TaskCancelledError(message)
        error = DependencyFailedError(message, job_id=self.id, root_id=row.root_id)
        root: JobResult[Any] = JobResult(self._database, self._serializer, row.root_id)
        error.__cause__ = root._failure()
        return error


_TYPE_LINE = re.compile(r"(?:  \| )?([^\W\d][\w.]*)(?::|$)")


def exception_type(text: str) -> str | None:
    """Return the class name that a formatted traceback ends with."""
    last = text.rfind("Traceback (most recent call last):\n")
    lines = text[max(last, 0) :].splitlines()[1 if last >= 0 else 0 :]
    matches = (_TYPE_LINE.match(line) for line in lines)
    return next((match[1] for match in matches if match), None)
