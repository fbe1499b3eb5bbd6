"""What the routes answer. Instants are milliseconds since the epoch."""

from typing import Any, Self

from pydantic import BaseModel

from taskito.job import JobResult


class Problem(BaseModel):
    """Why a request was refused."""

    detail: str


class StatsResponse(BaseModel):
    """How many jobs stand where."""

    pending: int = 0
    running: int = 0
    completed: int = 0
    failed: int = 0
    dead: int = 0
    cancelled: int = 0


class JobRef(BaseModel):
    """A job that was enqueued: what to answer with ``202 Accepted``."""

    id: str

    @classmethod
    def of(cls, job: JobResult[Any]) -> Self:
        """Return the reference to a job. Reads nothing."""
        return cls(id=job.id)


class JobResponse(BaseModel):
    """One job, as :meth:`taskito.JobResult.to_dict` has it."""

    id: str
    queue: str
    task_name: str
    status: str
    priority: int
    progress: int | None = None
    retry_count: int
    max_retries: int
    created_at: int
    scheduled_at: int
    started_at: int | None = None
    completed_at: int | None = None
    error: str | None = None
    timeout_ms: int
    unique_key: str | None = None
    metadata: str | None = None


class JobErrorResponse(BaseModel):
    """One failed or lost attempt; ``attempt`` counts from 0."""

    id: str
    job_id: str
    attempt: int
    error: str
    failed_at: int


class JobLogResponse(BaseModel):
    """One line that a job has logged; ``extra`` is JSON text."""

    id: str
    job_id: str
    task_name: str
    level: str
    message: str
    extra: str | None = None
    logged_at: int


class JobResultResponse(BaseModel):
    """How a job stands, with what it returned or why it failed, if it has ended."""

    id: str
    status: str
    result: Any = None
    error: str | None = None


class ReasonResponse(BaseModel):
    """One reason why a job does not run; ``until`` is when it ends by itself."""

    code: str
    message: str
    until: int | None = None
    details: dict[str, Any]


class WhyResponse(BaseModel):
    """Why a job does not run."""

    job_id: str
    status: str
    ready: bool
    reasons: list[ReasonResponse]


class CancelResponse(BaseModel):
    """Whether a job was pending and is now cancelled."""

    cancelled: bool


class DeadLetterResponse(BaseModel):
    """A job that will not be tried again, kept for a person."""

    id: str
    original_job_id: str
    queue: str
    task_name: str
    error: str | None = None
    retry_count: int
    failed_at: int
    metadata: str | None = None


class RetryResponse(BaseModel):
    """The job that a dead letter became."""

    new_job_id: str


class DeletedResponse(BaseModel):
    """A dead letter that is gone."""

    deleted: bool


class QueueResponse(BaseModel):
    """One queue, its limits, and how many of its jobs stand where."""

    name: str
    paused: bool
    rate_limit: str | None = None
    max_concurrent: int | None = None
    oldest_due_at: int | None = None
    workers: int
    pending: int
    running: int
    completed: int
    failed: int
    dead: int
    cancelled: int


class HealthResponse(BaseModel):
    """Whether the database can be read: ``ok`` or ``unavailable``."""

    status: str
