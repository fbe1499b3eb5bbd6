"""What operators see of queues and set for them, and workers that they send away."""

from typing import TYPE_CHECKING, Any

from taskito import _limits
from taskito._checks import string

if TYPE_CHECKING:
    from taskito._core import QueueRow
    from taskito._database import Database


def pause(database: "Database", queue: str) -> None:
    """Let no job of a queue start any more."""
    name = queue_name(queue)
    with database as store:
        store.pause(name)


def resume(database: "Database", queue: str) -> None:
    """Let jobs of a queue start again."""
    name = queue_name(queue)
    with database as store:
        store.resume(name)


def set_rate_limit(database: "Database", queue: str, rate: str | None) -> None:
    """Set how fast jobs of a queue start."""
    name = queue_name(queue)
    text = None if rate is None else _limits.rate("rate", rate)
    with database as store:
        store.set_queue_rate(name, text)


def set_concurrency(database: "Database", queue: str, limit: int | None) -> None:
    """Set how many jobs of a queue run at once."""
    name = queue_name(queue)
    checked = None if limit is None else _limits.concurrency("limit", limit)
    with database as store:
        store.set_queue_concurrency(name, checked)


def drain_worker(database: "Database", worker_id: str) -> bool:
    """Ask a living worker to leave; whether there is one with that id."""
    checked = string("worker_id", worker_id)
    with database as store:
        return store.drain_worker(checked)


def paused_queues(database: "Database") -> list[str]:
    """Return the names of paused queues, sorted."""
    with database as store:
        return sorted(row.name for row in store.queues() if row.paused)


def list_queues(database: "Database") -> list[dict[str, Any]]:
    """Return every queue that has jobs, settings, or a worker that names it, by name."""
    with database as store:
        rows = {row.name: row for row in store.queues()}
        workers = [worker for worker in store.living_workers() if not worker.draining]
    named = {name for worker in workers for name in worker.queues}
    return [
        {
            "name": name,
            "paused": row is not None and row.paused,
            "rate_limit": row and row.rate,
            "max_concurrent": row and row.max_concurrent,
            "oldest_due_at": row and row.oldest_due_at,
            "workers": sum(not worker.queues or name in worker.queues for worker in workers),
            **_counts(row),
        }
        for name in sorted(rows.keys() | named)
        for row in [rows.get(name)]
    ]


def stats_by_queue(database: "Database") -> dict[str, dict[str, int]]:
    """Return the counts of every queue that has a job."""
    with database as store:
        counts = {row.name: _counts(row) for row in store.queues()}
    return {name: stats for name, stats in counts.items() if any(stats.values())}


def circuit_breakers(database: "Database") -> list[dict[str, Any]]:
    """Return the circuit breaker of every task that declares one."""
    with database as store:
        rows = store.breakers()
    return [
        {
            "task_name": row.task,
            "state": row.state,
            "failure_count": row.failure_count,
            "last_failure_at": row.last_failure_at,
            "opened_at": row.opened_at,
            "threshold": row.threshold,
            "window_ms": row.window_ms,
            "cooldown_ms": row.cooldown_ms,
        }
        for row in rows
    ]


def queue_name(name: object) -> str:
    """Return the name of a queue if it can be one."""
    checked = string("queue", name)
    if not checked:
        message = "queue is empty\nhint: name a queue; that of jobs which name none is 'default'"
        raise ValueError(message)
    return checked


def _counts(row: "QueueRow | None") -> dict[str, int]:
    return {
        "pending": row.pending if row else 0,
        "running": row.running if row else 0,
        "completed": row.complete if row else 0,
        "failed": 0,
        "dead": row.dead if row else 0,
        "cancelled": row.cancelled if row else 0,
    }
