"""Jobs of test mode, and handles on them that work like any other."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from taskito._checks import Seconds, in_seconds, milliseconds
from taskito.exceptions import (
    DependencyFailedError,
    ResultTimeout,
    TaskCancelledError,
    TaskFailedError,
    TaskitoError,
)
from taskito.job import JobResult, exception_type
from taskito.why import Why, in_test_mode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from taskito._core import JobRow, JobSpec
    from taskito._database import Database
    from taskito.serializers import Serializer

R = TypeVar("R")


@dataclass(slots=True, kw_only=True, eq=False)
class TrialJob:
    """A job of test mode, with the attributes that a row of the database has.

    Attributes:
        value: What its function returned.
        exception: What it raised.
        root: The job whose end took this one along.
    """

    id: str
    queue: str
    task: str
    priority: int
    max_retries: int
    timeout_ms: int
    created_at: int
    unique_key: str | None
    metadata: str | None
    headers: str | None
    dependencies: list[str]
    dependents: list[str] = field(default_factory=list[str])
    status: Literal["running", "complete", "failed", "cancelled"] = "running"
    retry_count: int = 0
    progress: int | None = None
    error: str | None = None
    completed_at: int | None = None
    logs: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    value: Any = None
    exception: BaseException | None = None
    root: "TrialJob | None" = None

    @staticmethod
    def of(
        spec: "JobSpec", job_id: str, now: int, dependencies: "Sequence[TrialJob]"
    ) -> "TrialJob":
        """Return a job that runs now."""
        return TrialJob(
            id=job_id,
            queue=spec.queue,
            task=spec.task,
            priority=spec.priority,
            max_retries=spec.max_retries,
            timeout_ms=spec.timeout_ms,
            created_at=now,
            unique_key=spec.unique_key,
            metadata=spec.metadata,
            headers=spec.headers,
            dependencies=[job.id for job in dependencies],
        )

    @property
    def job_id(self) -> str:
        """The id, as a context asks for it."""
        return self.id

    @property
    def scheduled_at(self) -> int:
        """It is due when it is enqueued."""
        return self.created_at

    @property
    def started_at(self) -> int | None:
        """When it started; ``None`` if it was not run."""
        return None if self.root else self.created_at

    def complete(self, value: object, now: int) -> None:
        """End with a result."""
        self.status, self.value, self.completed_at = "complete", value, now
        if self.progress is None:
            self.progress = 100

    def fail(self, exception: BaseException, text: str, cancellation: str | None, now: int) -> None:
        """End with what the function raised; with a ``cancellation`` as cancelled."""
        self.status = "failed" if cancellation is None else "cancelled"
        self.error = cancellation or text
        self.exception, self.completed_at = exception, now

    def fall_with(self, other: "TrialJob", now: int) -> None:
        """End without a run, because ``other``, which this job waits for, has no result."""
        root = other.root or other
        self.status, self.root, self.completed_at = "cancelled", root, now
        self.error = f"dependency {root.status}: {root.id}"


class TrialResult(JobResult[R]):
    """A handle on a job of test mode, which has ended when it is returned.

    ``id`` is ``test-000001`` and so on; ``status`` is ``complete``, ``failed`` or
    ``cancelled``. It works without a database, also when the test mode is over.
    """

    __slots__ = ("_job",)

    def __init__(self, database: "Database", serializer: "Serializer", job: TrialJob) -> None:
        """Make a handle; only test mode does."""
        super().__init__(database, serializer, job.id, row=cast("JobRow", job))
        self._job = job

    @property
    def errors(self) -> list[dict[str, Any]]:
        """The failed attempt, if it failed."""
        job = self._job
        if job.status != "failed":
            return []
        return [
            {
                "id": f"{job.id}-error",
                "job_id": job.id,
                "attempt": 0,
                "error": job.error,
                "failed_at": job.completed_at,
            }
        ]

    @property
    def dependencies(self) -> list[str]:
        """Ids of the jobs this one depends on."""
        return list(self._job.dependencies)

    @property
    def dependents(self) -> list[str]:
        """Ids of the jobs that depend on this one."""
        return list(self._job.dependents)

    def logs(self) -> list[dict[str, Any]]:
        """Return what the job logged, as :meth:`taskito.Queue.task_logs`."""
        return [dict(line) for line in self._job.logs]

    def refresh(self) -> None:
        """Do nothing: all that is known is known here."""

    def cancel(self) -> bool:
        """Return ``False``: a job of test mode is never pending."""
        return False

    def why(self) -> Why:
        """Return that it has ended, or runs and asks itself."""
        return in_test_mode(self.id, self._job.status, self._job.error)

    async def awhy(self) -> Why:
        """Return what :meth:`why` does."""
        return self.why()

    def wait(self, timeout: Seconds | None = None) -> bool:
        """Return whether it has ended: only while it runs, asked by itself, has it not."""
        if timeout is not None:
            milliseconds("timeout", timeout)
        return self._job.status != "running"

    async def await_(self, timeout: Seconds | None = None) -> bool:  # noqa: ASYNC109 - as wait()
        """Return what :meth:`wait` does."""
        return self.wait(timeout)

    def result(
        self,
        timeout: Seconds | None = 30.0,
        poll_interval: Seconds = 0.05,
        max_poll_interval: Seconds = 0.5,
    ) -> R:
        """Return what the function returned.

        Raises:
            TaskFailedError: The function raised; see ``__cause__``.
            TaskCancelledError: The job was cancelled; ``DependencyFailedError`` if that was
                because one that it depends on has no result.
            ResultTimeout: The job asks for its own result.
        """
        milliseconds("poll_interval", poll_interval)
        milliseconds("max_poll_interval", max_poll_interval)
        if not self.wait(timeout):
            raise self._timeout_error(timeout)
        if self._job.status == "complete":
            return cast("R", self._job.value)
        raise self._failure()

    async def aresult(
        self,
        timeout: Seconds | None = 30.0,  # noqa: ASYNC109 - as result()
        poll_interval: Seconds = 0.05,
        max_poll_interval: Seconds = 0.5,
    ) -> R:
        """Return what :meth:`result` does."""
        return self.result(timeout, poll_interval, max_poll_interval)

    async def arefresh(self) -> None:
        """Do nothing, as :meth:`refresh`."""

    async def alogs(self) -> list[dict[str, Any]]:
        """Return what :meth:`logs` does."""
        return self.logs()

    async def acancel(self) -> bool:
        """Return ``False``, as :meth:`cancel`."""
        return self.cancel()

    def _timeout_error(self, timeout: Seconds | None) -> ResultTimeout:
        limit = in_seconds(timeout)
        message = f"Job {self.id} did not complete within {limit}s (current status: running)"
        hint = "a job cannot wait for itself"
        return ResultTimeout(message, job_id=self.id, status="running", hint=hint)

    def _failure(self) -> TaskitoError:
        return _failure(self._job)


def _failure(job: TrialJob) -> TaskitoError:
    """Return the exception of a job that ended without a result."""
    error: TaskitoError
    if job.root is not None:
        message = f"Job {job.id} cancelled: {job.error}"
        error = DependencyFailedError(message, job_id=job.id, root_id=job.root.id)
        error.__cause__ = _failure(job.root)
        return error
    if job.status == "cancelled":
        error = TaskCancelledError(f"Job {job.id} cancelled: {job.error}")
    else:
        text = job.error or ""
        error = TaskFailedError(
            f"Job {job.id} failed: {job.exception}",
            job_id=job.id,
            task_name=job.task,
            error=text,
            attempts=1,
            exception_type=exception_type(text),
        )
    error.__cause__ = job.exception
    return error
