"""Why a job does not run, or what became of it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from taskito.exceptions import JobNotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from taskito._core import Hold, JobRow, Store, WorkerRow
    from taskito._database import Database

__all__ = ["Reason", "Why"]

_FREE_SLOT = "workers_busy"
_MANY = 5


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that keeps a job from starting, or where it stands instead.

    Attributes:
        code: ``scheduled retry_backoff snoozed dependencies queue_paused rate_limited
            concurrency_full circuit_open no_worker no_worker_for_queue no_worker_for_task
            workers_busy running finished``.
        message: The same for a person.
        until: When it ends by itself, in ms since the epoch, if that is known.
        details: What it is about, by code: ``attempt``; ``waiting`` (ids); ``queue``;
            ``scope name key limit`` and ``running``; ``task``; ``running slots``;
            ``worker_id``; ``status error``.
    """

    code: str
    message: str
    until: int | None
    details: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Why:
    """All reasons why a job does not run. ``str()`` is one line for each.

    Attributes:
        job_id: The job.
        status: Its status.
        ready: Whether it is pending and nothing but a free slot is missing.
        reasons: In the order in which they are looked for.
    """

    job_id: str
    status: str
    ready: bool
    reasons: tuple[Reason, ...]

    def __str__(self) -> str:
        """Return the messages, one a line."""
        return "\n".join(reason.message for reason in self.reasons)


def explain(database: "Database", job_id: str) -> Why:
    """Say why a job does not run, by the rules that claims go by.

    Raises:
        JobNotFoundError: If there is no such job.
    """
    with database as store:
        row = store.job(job_id)
        if row is None:
            message = f"job not found: {job_id}"
            raise JobNotFoundError(message)
        reasons = tuple(_reasons(store, row))
    pending = row.status == "pending"
    ready = pending and all(reason.code == _FREE_SLOT for reason in reasons)
    return Why(row.id, row.status, ready, reasons)


def in_test_mode(job_id: str, status: str, error: str | None) -> Why:
    """Say the same for a job of test mode, which runs in this thread or has ended."""
    if status == "running":
        reason = Reason("running", "this thread runs it", None, {"worker_id": None})
    else:
        reason = _finished(status, error)
    return Why(job_id, status, ready=False, reasons=(reason,))


def _reasons(store: "Store", row: "JobRow") -> "Iterator[Reason]":
    if row.status == "running":
        yield _running(row, store.workers())
    elif row.status != "pending":
        yield _finished(row.status, row.error)
    else:
        waits = list(_waits(store, row))
        yield from waits
        yield from map(_held, store.holds(row.id))
        yield from _without_worker(row, store.living_workers(), is_due=not waits)


def _running(row: "JobRow", workers: "list[WorkerRow]") -> Reason:
    worker = next((worker.id for worker in workers if worker.number == row.worker), None)
    until = None
    if row.timeout_ms and row.started_at is not None:
        until = row.started_at + row.timeout_ms
    limit = "" if until is None else f", until {_at(until)} at most"
    return Reason("running", f"worker {worker} runs it{limit}", until, {"worker_id": worker})


def _finished(status: str, error: str | None) -> Reason:
    tail = f": {error.rstrip().splitlines()[-1]}" if error and not error.isspace() else ""
    details = {"status": status, "error": error}
    return Reason("finished", f"it is {status}{tail}", None, details)


def _waits(store: "Store", row: "JobRow") -> "Iterator[Reason]":
    if row.waiting_on:
        parents = [parent for parent in store.dependencies(row.id) if _unfinished(store, parent)]
        named = ", ".join(parents[:_MANY]) + (", ..." if len(parents) > _MANY else "")
        message = f"it waits for {len(parents)} of its dependencies: {named}"
        yield Reason("dependencies", message, None, {"waiting": parents})
    due = row.scheduled_at
    if not row.is_scheduled or due <= store.now:
        return
    if row.wait == "backoff":
        message = f"it waits until {_at(due)} for retry {row.retry_count} of {row.max_retries}"
        yield Reason("retry_backoff", message, due, {"attempt": row.retry_count})
    elif row.wait == "snooze":
        yield Reason("snoozed", f"its task put it off until {_at(due)}", due, {})
    else:
        yield Reason("scheduled", f"it is due at {_at(due)}", due, {})


def _unfinished(store: "Store", job_id: str) -> bool:
    row = store.job(job_id)
    return row is not None and row.status in ("pending", "running")


def _held(hold: "Hold") -> Reason:
    if hold.kind == "paused":
        return Reason("queue_paused", f"queue {hold.name!r} is paused", None, {"queue": hold.name})
    if hold.kind == "broken":
        then = f"until {_at(hold.until)}" if hold.until else "while one job is tried"
        message = f"the circuit breaker of task {hold.name!r} is open {then}"
        return Reason("circuit_open", message, hold.until, {"task": hold.name})
    subject = {
        "queue": f"queue {hold.name!r}",
        "task": f"task {hold.name!r}",
        "key": f"task {hold.name!r} with limit key {hold.key!r}",
        "group": "its group",
    }[hold.scope]
    details: dict[str, Any] = {"scope": hold.scope, "name": hold.name, "key": hold.key}
    if hold.kind == "rate":
        message = f"{subject} starts {hold.rate} at most, the next at {_at(hold.until or 0)}"
        return Reason("rate_limited", message, hold.until, {**details, "limit": hold.rate})
    message = f"{hold.running} of at most {hold.max_concurrent} jobs of {subject} run"
    details |= {"limit": hold.max_concurrent, "running": hold.running}
    return Reason("concurrency_full", message, None, details)


def _without_worker(
    row: "JobRow", workers: "list[WorkerRow]", *, is_due: bool
) -> "Iterator[Reason]":
    serving = [worker for worker in workers if not worker.draining]
    if not serving:
        yield Reason("no_worker", "no worker runs", None, {})
        return
    here = [worker for worker in serving if not worker.queues or row.queue in worker.queues]
    able = [worker for worker in here if row.task in worker.tasks]
    if not here:
        message = f"no worker serves queue {row.queue!r}"
        yield Reason("no_worker_for_queue", message, None, {"queue": row.queue})
    if not able and (here or not any(row.task in worker.tasks for worker in serving)):
        message = f"no worker{' of its queue' if here else ''} knows task {row.task!r}"
        yield Reason("no_worker_for_task", message, None, {"task": row.task})
    running = sum(worker.running for worker in able)
    slots = sum(worker.concurrency for worker in able)
    if able and is_due and running >= slots:
        message = f"all {slots} slots of the workers that can run it are taken"
        yield Reason(_FREE_SLOT, message, None, {"running": running, "slots": slots})


def _at(instant: int) -> str:
    try:
        return f"{datetime.fromtimestamp(instant / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError):  # delays may be longer than calendars
        return f"{instant} ms since 1970"
