"""Questions about a database, answered as the documented lists and dicts."""

from typing import TYPE_CHECKING, Any

from taskito._checks import string

if TYPE_CHECKING:
    from taskito._core import WorkerRow
    from taskito._database import Database

_STALE_AFTER_MS = 15_000


def job_errors(database: "Database", job_id: str) -> list[dict[str, Any]]:
    """Return the failed and lost attempts of a job, oldest first."""
    with database as store:
        rows = store.attempts(string("job_id", job_id))
    return [
        {
            "id": row.id,
            "job_id": row.job_id,
            "attempt": row.attempt,
            "error": row.error,
            "failed_at": row.failed_at,
        }
        for row in rows
    ]


def metrics(
    database: "Database", task_name: str | None, since_ms: int
) -> dict[str, dict[str, int | float]]:
    """Return how many attempts ran and how long, by task."""
    with database as store:
        told = store.metrics(store.now - since_ms, task_name)
    return {
        task: {
            "count": count,
            "success_count": count - failures,
            "failure_count": failures,
            "avg_ms": _ms(total / count),
            "p50_ms": _ms(p50),
            "p95_ms": _ms(p95),
            "p99_ms": _ms(p99),
            "min_ms": _ms(shortest),
            "max_ms": _ms(longest),
        }
        for task, (count, failures, total, (p50, p95, p99, shortest, longest)) in told
    }


def _ms(micros: float) -> float:
    return round(micros / 1000, 2)


def task_logs(database: "Database", job_id: str) -> list[dict[str, Any]]:
    """Return what a job logged, oldest first."""
    with database as store:
        return [_log(line) for line in store.task_logs(string("job_id", job_id))]


def query_logs(
    database: "Database", task_name: str | None, level: str | None, since_ms: int, limit: int
) -> list[dict[str, Any]]:
    """Return what jobs logged, newest first."""
    with database as store:
        return [
            _log(line) for line in store.query_logs(task_name, level, store.now - since_ms, limit)
        ]


def _log(line: tuple[str, str, str, str, str, str | None, int]) -> dict[str, Any]:
    keys = ("id", "job_id", "task_name", "level", "message", "extra", "logged_at")
    return dict(zip(keys, line, strict=True))


def replay_history(database: "Database", job_id: str) -> list[dict[str, Any]]:
    """Return the jobs that repeat a job, newest first."""
    with database as store:
        rows = store.replays(string("job_id", job_id))
    return [
        {
            "id": replay_id,
            "original_job_id": job_id,
            "replay_job_id": replay_id,
            "replayed_at": replayed_at,
            "original_error": original_error,
            "replay_error": replay_error,
        }
        for replay_id, replayed_at, original_error, replay_error in rows
    ]


def workers(database: "Database") -> list[dict[str, Any]]:
    """Return the workers that registered and have not left."""
    with database as store:
        rows, now = store.workers(), store.now
    return [
        {
            "worker_id": row.id,
            "last_heartbeat": row.last_heartbeat,
            "queues": row.queues,
            "status": _worker_status(row, now),
            "hostname": row.hostname,
            "pid": row.pid,
            "started_at": row.started_at,
            "tasks": row.tasks,
            "concurrency": row.concurrency,
            "running": row.running,
            "abandoned": row.abandoned,
            "version": row.version,
        }
        for row in rows
    ]


def _worker_status(row: "WorkerRow", now: int) -> str:
    if now - row.last_heartbeat > _STALE_AFTER_MS:
        return "stale"
    return "draining" if row.draining else "active"
