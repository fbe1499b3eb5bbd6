"""Rules about what fails: tasks, breakers, workers that die, schedules and jobs that hang."""

from collections.abc import Iterator, Mapping
from typing import Any

from taskito_dashboard import words
from taskito_dashboard.problem import Problem, counted, worker_command
from taskito_dashboard.world import World

MISSED_MS = 60_000
OVERDUE_MS = 5_000
FEWEST_FAILURES = 5
TIMES_AS_MANY = 3
_MOST_NEW = 3


def open_breakers(world: World) -> Iterator[Problem]:
    """A circuit breaker lets no job of its task start."""
    for breaker in world.breakers:
        if breaker["state"] == "open":
            opened = words.ago(breaker["opened_at"], world.now)
            yield Problem(
                level="bad",
                rule="breaker_open",
                head="Circuit breaker open for task",
                name=breaker["task_name"],
                tail=f"opened {opened}; its jobs wait.",
                link=("failures",),
                query={"task": breaker["task_name"]},
                label="Failures",
            )


def failing_tasks(world: World) -> Iterator[Problem]:
    """A task fails three times as often as in the day before, and at least five times."""
    for task, lately in sorted(world.lately.items()):
        day = world.day.get(task, lately)
        # What was before the last minutes, as those are part of the day.
        runs = day["count"] - lately["count"]
        failures = day["failure_count"] - lately["failure_count"]
        share = lately["failure_count"] / lately["count"]
        usual = failures / runs if runs > 0 else 0
        if lately["failure_count"] < FEWEST_FAILURES or share < TIMES_AS_MANY * usual:
            continue
        normally = (
            f"normally {words.percent(failures, runs)}"
            if runs > 0
            else "it did not run in the day before"
        )
        worst = next((failure for failure in world.failures if failure.task == task), None)
        yield Problem(
            level="warn",
            rule="failing_task",
            head="Task",
            name=task,
            more=f"fails {words.percent(lately['failure_count'], lately['count'])}",
            tail=f"of the attempts of the last 15 min; {normally}"
            f"{'; mostly' if worst is not None else '.'}",
            said="" if worst is None else worst.title,
            link=("failures",) if worst is None else ("failures", worst.fingerprint),
            query={"task": task} if worst is None else {},
            label="Failures",
        )


def new_failures(world: World) -> Iterator[Problem]:
    """Jobs fail of what none failed of before."""
    told = {problem.name for problem in failing_tasks(world)}
    new = [found for found in world.failures if found.is_new and found.task not in told]
    since = "" if world.mark is None else f" since {world.mark}"
    for failure in new[:_MOST_NEW]:
        yield Problem(
            level="warn",
            rule="new_failure",
            head="New failure of task",
            name=failure.task,
            tail=f"{counted(failure.count, 'job')} failed{since}, the first attempt "
            f"{words.ago(failure.first_at, world.now)}:",
            said=failure.title,
            link=("failures", failure.fingerprint),
            label="Failures",
        )


def lost_workers(world: World) -> Iterator[Problem]:
    """A worker gives no sign of life."""
    for worker in world.workers:
        if worker["status"] == "stale":
            running = worker["running"]
            hand = f" with {counted(running, 'job')} in hand" if running else ""
            seen = words.ago(worker["last_heartbeat"], world.now)
            yield Problem(
                level="bad" if running else "warn",
                rule="worker_lost",
                head="No heartbeat from worker",
                name=f"{worker['hostname']}:{worker['pid']}",
                tail=f"last seen {seen}{hand}.",
                link=("workers",),
                label="Workers",
                command=worker_command(),
            )


def missed_schedules(world: World) -> Iterator[Problem]:
    """A schedule did not fire when it was to."""
    for schedule in world.schedules:
        due = schedule["next_run"]
        if is_missed(schedule, world.now):
            yield Problem(
                level="bad",
                rule="schedule_missed",
                head="Missed schedule",
                name=schedule["name"],
                tail=f"was to run {words.ago(due, world.now)}.",
                link=("schedules",),
                label="Schedules",
                press=("schedules", schedule["name"], "trigger"),
                deed="Run now",
            )


def is_missed(schedule: Mapping[str, Any], now: int) -> bool:
    """Return whether a schedule should have fired over a minute ago."""
    due = schedule["next_run"]
    return bool(schedule["enabled"]) and due is not None and now - due > MISSED_MS


def overdue_jobs(world: World) -> Iterator[Problem]:
    """Jobs run on although their timeout is over."""
    over = [
        (world.now - job["started_at"] - job["timeout_ms"], job)
        for job in world.running
        if job["timeout_ms"]
        and job["started_at"] is not None
        and world.now - job["started_at"] > job["timeout_ms"] + OVERDUE_MS
    ]
    if not over:
        return
    longest, job = max(over, key=lambda found: found[0])
    is_one = len(over) == 1
    yield Problem(
        level="warn",
        rule="over_timeout",
        head=f"{counted(len(over), 'job')} past the timeout",
        tail=f"still counted as running, {words.duration(longest)} over.",
        link=("jobs", job["id"]) if is_one else ("jobs",),
        query={} if is_one else {"status": "running"},
        label="Job" if is_one else "Jobs",
        press=("jobs", job["id"], "cancel"),
        deed="Cancel" if is_one else "Cancel the longest",
    )
