"""What those who watch a queue ask: the dashboard, the command line. Not public.

Each function takes the :class:`~taskito._database.Database` of a queue, asks once, and costs no
more than it says. Instants are ms since the epoch, ids are strings.

- :func:`curves` is what charts show: attempts and their percentiles in buckets of one length.
- :func:`run_times` is a histogram of how long attempts ran, :func:`arrivals` what came to queues.
- :func:`lanes` are the numbers of jobs in each state, of each queue and task; they are read.
- :func:`attempts` is the timeline of a job: when each attempt was claimed, began and ended.
- :func:`running` is what runs now, and :func:`crew` the workers it runs in. Neither writes.
- :func:`fires` is what became of the newest jobs of schedules.
- :func:`delayed` is what jobs wait for that are not due, :func:`deaths` how many died lately.
- :func:`position` says how many are before one who waits, :func:`next_jobs` who is next.

A bucket is a dict ``at done failed retried wait_ms run_ms``: ``failed`` counts what is repeated
as well, ``retried`` only that. ``wait_ms`` (from due to begun) and ``run_ms`` are dicts
``p50 p95 p99``, estimates that are off by less than a factor of sqrt(2). Attempts that were
lost, snoozed, cancelled or handed back are in no bucket.
"""

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from taskito._core import AttemptRow, JobRow, Lookout, Rollup, Store
    from taskito._database import Database

By: TypeAlias = Literal["queue", "task"]

_SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
_BUCKETS = 48
_STATES = ("blocked", "scheduled", "ready", "running", "completed", "dead", "cancelled")


def curves(  # noqa: PLR0913 - what is wanted, and of what
    database: "Database",
    *,
    seconds: float,
    step: float,
    until: int | None = None,
    queue: str | None = None,
    task: str | None = None,
    by: By | None = None,
) -> dict[str, Any]:
    """Return what became of the attempts of the last ``seconds``, in buckets of ``step`` seconds.

    With ``until``, an instant in ms, those that ended before it are meant, not before now.
    Attempts are known by ten seconds for two hours, by the minute for two days, by the hour for
    ninety days; the buckets are multiples of that, so they may be longer than asked for.

    Returns:
        ``since until step_ms series``: the beginning of the first bucket, ``until`` or the
        present, the length of a bucket, and for each name of ``by`` (an empty one without) the
        buckets in which anything ended, oldest first. Where nothing ended there is no bucket.
    """
    with database as store:
        end = store.now if until is None else until
        beyond = end + 1 if until is None else end
        since, step_ms, rollups = _lookout(store).rollups(
            end - _ms(seconds), beyond, _ms(step), queue=queue, task=task, by=by
        )
    series: dict[str, list[dict[str, Any]]] = {}
    for rollup in rollups:
        series.setdefault(rollup.name, []).append(_bucket(rollup))
    return {"since": since, "until": end, "step_ms": step_ms, "series": series}


def lanes(database: "Database") -> list[dict[str, Any]]:
    """Return how many jobs of each queue and task stand where, by their names.

    Returns:
        Dicts with ``queue task blocked scheduled ready running completed dead cancelled``.
        What waits for a retry is scheduled; what is due is ready.
    """
    with database as store:
        census = _lookout(store).census()
    return [
        {"queue": queue, "task": task, **dict(zip(_STATES, counts, strict=True))}
        for queue, task, counts in census
    ]


def run_times(
    database: "Database", *, seconds: float, until: int, task: str | None = None
) -> list[int]:
    """Return how many attempts ran how long, of those that ended in a time before an instant.

    Returns:
        48 numbers: the first is of attempts under 1 ms, each further one reaches sqrt(2) times as
        far, the last one has no end.
    """
    with database as store:
        # One bucket for all of it, whatever it is rounded to.
        _, _, rollups = _lookout(store).rollups(
            until - _ms(seconds), until, _ms(2 * seconds), task=task
        )
    counts = [rollup.run_counts for rollup in rollups]
    return [sum(bucket) for bucket in zip(*counts, strict=True)] if counts else [0] * _BUCKETS


def arrivals(database: "Database", *, since: int, cap: int) -> tuple[int, dict[str, int]]:
    """Return from when on, and how many jobs were stored in each queue since an instant.

    Of more than ``cap`` the newest are counted, and the instant is a later one. Jobs that were
    deleted meanwhile are not known any more.
    """
    with database as store:
        since, queues = _lookout(store).arrivals(since, cap)
    return since, dict(queues)


def task_limits(database: "Database") -> dict[str, tuple[str | None, int | None]]:
    """Return the rate and the number at once of tasks that have limits, as a worker said last."""
    with database as store:
        return {task: (rate, most) for task, rate, most in store.task_limits()}


def attempts(database: "Database", job_id: str) -> list[dict[str, Any]]:
    """Return the attempts of a job, oldest first; an unknown id has none.

    Returns:
        Dicts with ``attempt outcome claimed_at started_at finished_at error``. ``attempt`` is
        the retry count while it ran. ``outcome`` is ``failed lost running completed
        cancelled``. ``started_at`` is when the function began, ``None`` if it did not or
        nobody knows. The last one is that of a job that runs, or that ended with it.
    """
    with database as store:
        row = store.job(job_id)
        past = [_past(attempt) for attempt in store.attempts(job_id)]
    if row is None or row.started_at is None or _is_recorded(row, past):
        return past
    return [*past, _present(row)]


def running(database: "Database", *, limit: int = 100) -> list[dict[str, Any]]:
    """Return what runs now, the longest first; one that begins or ends now may be missing.

    Returns:
        Dicts with ``job_id task_name queue retry_count progress timeout_ms worker_id since
        preview``; ``since`` is when the function began, ``preview`` are the arguments as text.
    """
    with database as store:
        rows = _lookout(store).running(limit)
    return [
        {
            "job_id": row.id,
            "task_name": row.task,
            "queue": row.queue,
            "retry_count": row.retry_count,
            "progress": row.progress,
            "timeout_ms": row.timeout_ms,
            "worker_id": worker_id,
            "since": since,
            "preview": row.preview,
        }
        for row, worker_id, since in rows
    ]


def crew(database: "Database") -> list[dict[str, Any]]:
    """Return the workers on the roster, oldest first.

    Returns:
        Dicts with ``worker_id hostname pid version queues tasks slots held abandoned ended
        draining is_lost rss started_at last_heartbeat``. No ``queues`` are all queues. ``held``
        jobs were claimed and may not run yet; ``ended`` attempts came to an end in it since it
        started, as of the last heartbeat; ``rss`` is bytes or ``None``. Of one that ``is_lost``
        the process is gone: a living worker takes its jobs and strikes it off the roster.
    """
    with database as store:
        rows = store.workers()
        living = {row.id for row in store.living_workers()}
    return [
        {
            "worker_id": row.id,
            "hostname": row.hostname,
            "pid": row.pid,
            "version": row.version,
            "queues": row.queues,
            "tasks": row.tasks,
            "slots": row.concurrency,
            "held": row.running,
            "abandoned": row.abandoned,
            "ended": row.ended,
            "draining": row.draining,
            "is_lost": row.id not in living,
            "rss": row.rss,
            "started_at": row.started_at,
            "last_heartbeat": row.last_heartbeat,
        }
        for row in rows
    ]


def fires(database: "Database", *, most: int = 300) -> dict[str, list[dict[str, Any]]]:
    """Return what became of the newest jobs of each schedule, the oldest first, by its name.

    Up to 12 of each, and ``most`` of all together, but at least the newest of each. Those that
    were deleted are missing.

    Returns:
        Dicts with ``job_id status retries fire_time started_at finished_at``. ``retries`` says
        whether it failed before. ``started_at`` is when the function of its last attempt began.
    """
    from taskito._core import Timetable  # noqa: PLC0415 - loads the engine

    with database as store:
        schedules = Timetable(store).rows()
        each = max(1, most // max(1, len(schedules)))
        found = {row.name: map(store.job, row.recent_job_ids[-each:]) for row in schedules}
        return {name: [_fire(job) for job in jobs if job] for name, jobs in found.items()}


def _fire(row: "JobRow") -> dict[str, Any]:
    return {
        "job_id": row.id,
        "status": row.status,
        "retries": row.retry_count,
        "fire_time": row.fire_time,
        "started_at": _begun(row.started_at, row.began_at),
        "finished_at": row.completed_at,
    }


def delayed(database: "Database", *, cap: int) -> dict[str, Any]:
    """Return what jobs wait for that are not ready, looking at less than ``cap`` of each kind.

    Returns:
        ``due``, how many of each queue are due although no worker has made them ready;
        ``retrying``, how many wait for another attempt; ``next_retry``, when the first of these is
        due, or ``None``; ``is_whole``, whether these are all.
    """
    with database as store:
        due, retrying, next_retry, is_whole = _lookout(store).delayed(cap)
    return {"due": due, "retrying": retrying, "next_retry": next_retry, "is_whole": is_whole}


def deaths(database: "Database", since: int, *, cap: int) -> int:
    """Return how many dead letters there are of jobs that died since then, up to ``cap``."""
    with database as store:
        return _lookout(store).deaths(since, cap)


def position(database: "Database", job_id: str, *, cap: int = 1000) -> int | None:
    """Return how many jobs run before one that is ready, counted up to ``cap``.

    Jobs with a limit key or in a limited group count only if they stand in the same line.
    ``None`` if there is no such job, or it is not ready.
    """
    with database as store:
        return _lookout(store).position(job_id, cap)


def next_jobs(database: "Database", queue: str, *, limit: int = 10) -> "list[JobRow]":
    """Return the jobs of a queue that a worker would claim next, in that order.

    As if no limit held one back, and nobody had paused the queue. Those whose own limit was found
    closed may be missing.
    """
    with database as store:
        return _lookout(store).next_jobs(queue, limit)


def _lookout(store: "Store") -> "Lookout":
    from taskito._core import Lookout  # noqa: PLC0415 - loads the engine

    return Lookout(store)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _bucket(rollup: "Rollup") -> dict[str, Any]:
    return {
        "at": rollup.at,
        "done": rollup.done,
        "failed": rollup.failed,
        "retried": rollup.retried,
        "wait_ms": {name: rollup.wait_ms(share) for name, share in _SHARES.items()},
        "run_ms": {name: rollup.run_ms(share) for name, share in _SHARES.items()},
    }


def _is_recorded(row: "JobRow", past: list[dict[str, Any]]) -> bool:
    """Tell whether the attempt that ended a job is in its history: those that failed are."""
    if row.status == "cancelled" and past:
        last = past[-1]
        return (last["attempt"], last["claimed_at"]) == (row.retry_count, row.started_at)
    return row.status == "dead"


def _past(attempt: "AttemptRow") -> dict[str, Any]:
    return {
        "attempt": attempt.attempt,
        "outcome": attempt.outcome,
        "claimed_at": attempt.claimed_at,
        "started_at": _begun(attempt.claimed_at, attempt.began_at),
        "finished_at": attempt.failed_at,
        "error": attempt.error,
    }


def _present(row: "JobRow") -> dict[str, Any]:
    outcome = "completed" if row.status == "complete" else row.status
    return {
        "attempt": row.retry_count,
        "outcome": outcome,
        "claimed_at": row.started_at,
        "started_at": _begun(row.started_at, row.began_at),
        "finished_at": row.completed_at,
        "error": row.error,
    }


def _begun(claimed_at: int | None, began_at: int | None) -> int | None:
    """Not before the claim: the wall clock may have stood still, or been set back, meanwhile."""
    if claimed_at is None or began_at is None:
        return began_at
    return max(claimed_at, began_at)
