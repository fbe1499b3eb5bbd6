"""What became of a job, as the ``TaskResult`` that Django's tasks promise."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings

from taskito import exceptions
from taskito._checks import parsed_headers
from taskito.contrib.django._interface import (
    AnyResult,
    AnyTask,
    TaskError,
    TaskResult,
    TaskResultDoesNotExist,
    TaskResultMismatch,
    TaskResultStatus,
)
from taskito.contrib.django._tasks import imported, registered, restored
from taskito.job import exception_type

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from taskito._core import AttemptRow, JobRow, Store
    from taskito.queue import Queue

BACKEND_HEADER = "taskito-backend"
RUN_AFTER_HEADER = "taskito-run-after"
_STATUS = {
    "pending": TaskResultStatus.READY,
    "running": TaskResultStatus.RUNNING,
    "complete": TaskResultStatus.SUCCESSFUL,
    "dead": TaskResultStatus.FAILED,
    "cancelled": TaskResultStatus.FAILED,
}
_MARK = "taskito_attempt"
_TRIES = 20


class Ended(NamedTuple):
    """What the worker noted at the end of an attempt.

    Attributes:
        retry_count: How many retries were spent before.
        worker: Id of the worker.
        exception: Dotted path of what the attempt raised; ``None`` if it returned.
        at: When, in milliseconds.
    """

    retry_count: int
    worker: str
    exception: str | None
    at: int

    @staticmethod
    def read(extra: str | None, at: int) -> "Ended | None":
        """Return what a line of a job's log says of it; ``None`` for lines of other kinds."""
        if extra is None or _MARK not in extra:
            return None
        noted: Any = json.loads(extra)
        try:
            return Ended(int(noted[_MARK]), str(noted["worker"]), noted["exception"], at)
        except (KeyError, TypeError, ValueError):  # a line of the task that has the word in it
            return None

    def as_extra(self) -> dict[str, object]:
        """Return what is logged with the line."""
        return {_MARK: self.retry_count, "worker": self.worker, "exception": self.exception}


class _Facts(NamedTuple):
    """All that the database knows of one job, read while it stood still."""

    row: "JobRow"
    payload: bytes
    result: bytes | None
    attempts: "Sequence[AttemptRow]"
    ended: "Sequence[Ended]"
    worker: str | None


def stored_result(queue: "Queue", result_id: str) -> AnyResult:
    """Return the present state of a task's result.

    Raises:
        TaskResultDoesNotExist: If there is none, or its transaction has not been committed.
        TaskResultMismatch: If its task cannot be found in the program any more.
    """
    facts = _read(queue, result_id)
    if facts is None:
        raise TaskResultDoesNotExist(result_id)
    headers = parsed_headers(facts.row.headers)
    # Replayed jobs have no headers: a task that is registered here is told by its name alone.
    known = registered(queue, facts.row.task)
    if known is None and BACKEND_HEADER not in headers:
        raise TaskResultDoesNotExist(result_id)
    # A deferred enqueue has given out the key of its job before there was a job.
    key = facts.row.idempotency_key if BACKEND_HEADER in headers else None
    return _result(facts, _task(queue, facts.row, headers, known), queue, key or facts.row.id)


def job_of(store: "Store", result_id: str) -> "JobRow | None":
    """Return the job that a result id names: the job's own, or that of a deferred enqueue."""
    row = store.job(result_id)
    if row is None and (job_id := store.keyed(result_id)) is not None:
        row = store.job(job_id)
    return row


def instant(ms: int) -> datetime:
    """Return milliseconds since the epoch as Django has instants, with or without a zone."""
    aware = datetime.fromtimestamp(ms / 1000, tz=UTC)
    return aware if settings.USE_TZ else aware.astimezone().replace(tzinfo=None)


def exception_path(error: BaseException) -> str:
    """Return the dotted path of the class of an exception."""
    return f"{type(error).__module__}.{type(error).__qualname__}"


def _read(queue: "Queue", result_id: str) -> _Facts | None:
    """Read a job in several steps, again if it moved meanwhile."""
    with queue._database as store:  # noqa: SLF001 - of our own package
        row = job_of(store, result_id)
        for _ in range(_TRIES):
            if row is None:
                return None
            facts = _Facts(
                row=row,
                payload=store.payload(row.id) or b"[[],{}]",
                result=store.result(row.id),
                attempts=store.attempts(row.id),
                ended=_endings(store, row.id),
                worker=_worker(store, row),
            )
            row = store.job(row.id)
            if row is not None and _stand(row) == _stand(facts.row):
                return facts
    raise exceptions.QueueError(f"the state of result {result_id!r} changes all the time")


def _stand(row: "JobRow") -> tuple[object, ...]:
    return row.status, row.retry_count, row.losses, row.started_at, row.worker


def _endings(store: "Store", job_id: str) -> list[Ended]:
    """Return the lines that workers wrote at the ends of attempts, oldest first."""
    lines = [Ended.read(extra, at) for *_, extra, at in store.task_logs(job_id)]
    return [line for line in lines if line is not None]


def _worker(store: "Store", row: "JobRow") -> str | None:
    if row.worker is None:
        return None
    return next((w.id for w in store.workers() if w.number == row.worker), str(row.worker))


def _task(
    queue: "Queue", row: "JobRow", headers: "Mapping[str, str]", known: AnyTask | None
) -> AnyTask:
    if known is None:
        try:
            known = imported(queue, row.task)
        except ImportError as error:
            raise _lost(row, f": {error}") from error
    if known is None:
        raise _lost(row, "")
    run_after = headers.get(RUN_AFTER_HEADER)
    return restored(
        known,
        priority=row.priority,
        queue_name=row.queue,
        backend=headers.get(BACKEND_HEADER, known.backend),
        run_after=datetime.fromisoformat(run_after) if run_after else None,
    )


def _lost(row: "JobRow", why: str) -> TaskResultMismatch:
    return TaskResultMismatch(
        f"the task {row.task!r} of result {row.id!r} is not in this program{why}\n"
        "hint: a task that was renamed is another task; keep the old name while results matter"
    )


def _result(facts: _Facts, task: AnyTask, queue: "Queue", result_id: str) -> AnyResult:
    row = facts.row
    starts = [attempt.claimed_at for attempt in facts.attempts]
    if row.started_at is not None:
        starts.append(row.started_at)
    args, kwargs = queue.serializer.loads(facts.payload)
    result: AnyResult = TaskResult(
        task=task,
        id=result_id,
        status=_STATUS[row.status],
        enqueued_at=instant(row.created_at),
        started_at=instant(min(starts)) if starts else None,
        finished_at=None if row.completed_at is None else instant(row.completed_at),
        last_attempted_at=instant(max(starts)) if starts else None,
        args=args,
        kwargs=kwargs,
        backend=task.backend,
        errors=_errors(facts),
        worker_ids=_worker_ids(facts),
    )
    if facts.result is not None:
        object.__setattr__(result, "_return_value", queue.serializer.loads(facts.result))
    return result


def _errors(facts: _Facts) -> list[TaskError]:
    paths = {ended.retry_count: ended.exception for ended in facts.ended}
    return [
        TaskError(
            exception_class_path=(
                paths.get(attempt.attempt) if attempt.outcome == "failed" else None
            )
            or _printed_path(attempt.error),
            traceback=attempt.error,
        )
        for attempt in facts.attempts
    ]


def _printed_path(text: str) -> str:
    """Return the class a traceback ends with; of ours and the builtins it has no module."""
    name = exception_type(text) or "Exception"
    if "." in name:
        return name
    return f"{exceptions.__name__ if hasattr(exceptions, name) else 'builtins'}.{name}"


def _worker_ids(facts: _Facts) -> list[str]:
    """Return the worker of every attempt, in their order: ended, lost, and the present one."""
    ended = [(noted.at, noted.worker) for noted in facts.ended]
    lost = [
        (attempt.failed_at, attempt.error.partition("worker ")[2].partition(" ")[0])
        for attempt in facts.attempts
        if attempt.outcome == "lost"
    ]
    present = [] if facts.worker is None else [facts.worker]
    return [worker for _, worker in sorted([*ended, *lost], key=lambda pair: pair[0])] + present
