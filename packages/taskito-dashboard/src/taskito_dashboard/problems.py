"""What is wrong, as sentences. Long because the rules are read best together.

A closed set of rules, each a pure function of facts.

A rule yields nothing while all is well. The order of the rules is that of the page.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from taskito_dashboard import words

LATE_MS = 60_000
OVERDUE_MS = 5_000
FEWEST_FAILURES = 5
TIMES_AS_MANY = 3
LARGEST_LOG = 64 * 2**20
LEAST_FREE = 2**30
_NAME = "MODULE:QUEUE"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What the rules look at.

    Attributes:
        now: The present, ms since the epoch.
        queues: As :meth:`taskito.Queue.list_queues`.
        workers: As :meth:`taskito.Queue.workers`.
        waiting: How many jobs wait, by task; of tasks that are known to have some.
        breakers: As :meth:`taskito.Queue.circuit_breakers`.
        schedules: As :meth:`taskito.Queue.list_periodic`.
        running: Jobs that run, as :meth:`taskito.JobResult.to_dict`.
        lately: As :meth:`taskito.Queue.metrics` of the last 15 minutes.
        day: The same of the last 24 hours.
        log_size: Bytes of the write-ahead log, if known.
        free: Bytes left on the disk, if known.
        version: Of taskito in this process.
    """

    now: int
    queues: Sequence[Mapping[str, Any]]
    workers: Sequence[Mapping[str, Any]]
    waiting: Mapping[str, int]
    breakers: Sequence[Mapping[str, Any]]
    schedules: Sequence[Mapping[str, Any]]
    running: Sequence[Mapping[str, Any]]
    lately: Mapping[str, Mapping[str, Any]]
    day: Mapping[str, Mapping[str, Any]]
    log_size: int | None
    free: int | None
    version: str

    @property
    def live(self) -> list[Mapping[str, Any]]:
        """Workers that take jobs."""
        return [worker for worker in self.workers if worker["status"] == "active"]

    @property
    def pending(self) -> int:
        """How many jobs wait."""
        return sum(queue["pending"] for queue in self.queues)

    @property
    def slots(self) -> int:
        """How many jobs can run at once."""
        return sum(worker["concurrency"] for worker in self.live)

    @property
    def oldest_due_at(self) -> int | None:
        """Since when the oldest due job waits."""
        due = [queue["oldest_due_at"] for queue in self.queues]
        return min((at for at in due if at is not None), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One sentence, one link, at most one command.

    Attributes:
        level: ``bad`` for what stands still, ``warn`` for what may.
        rule: Which rule speaks.
        head: What is wrong, up to the name.
        name: What it is about; text of the application.
        tail: The rest of the sentence.
        link: The parts of an address of the dashboard.
        label: What the link says.
        command: What to type, if that helps.
    """

    level: Literal["bad", "warn"]
    rule: str
    head: str
    name: str = ""
    tail: str = ""
    link: tuple[str, ...] = ()
    label: str = ""
    command: str | None = None


def problems(world: World) -> list[Problem]:
    """Return everything that is wrong, the worst first."""
    rules = (
        _nobody_works,
        _no_worker_for_queue,
        _no_worker_for_task,
        _lost_workers,
        _missed_schedules,
        _late_queues,
        _open_breakers,
        _failing_tasks,
        _overdue_jobs,
        _paused_queues,
        _old_workers,
        _database,
    )
    found = [problem for rule in rules for problem in rule(world)]
    return sorted(found, key=lambda problem: problem.level != "bad")


def quiet(world: World, last_failure_at: int | None) -> str:
    """Return what is said when nothing is wrong."""
    failure = (
        "no dead letters"
        if last_failure_at is None
        else f"last failure {words.ago(last_failure_at, world.now)}"
    )
    if not world.live:
        return f"Nothing waits, and no worker runs; {failure}."
    slots = f"{words.count(world.slots)} slot{'s' if world.slots != 1 else ''}"
    return f"All quiet. {slots}, {words.count(world.pending)} waiting, {failure}."


def _nobody_works(world: World) -> Iterator[Problem]:
    if world.pending and not world.live:
        oldest = world.oldest_due_at
        since = "" if oldest is None else f", oldest {words.duration(world.now - oldest)}"
        yield Problem(
            level="bad",
            rule="nobody_works",
            head="No worker runs",
            tail=f"{_jobs(world.pending)}{since}.",
            link=("workers",),
            label="Workers",
            command=f"taskito worker --app {_NAME}",
        )


def _no_worker_for_queue(world: World) -> Iterator[Problem]:
    for queue in world.queues:
        due = queue["oldest_due_at"]
        if due is None or queue["workers"] or queue["paused"] or not world.live:
            continue
        yield Problem(
            level="bad",
            rule="no_worker_for_queue",
            head="No worker listens to queue",
            name=queue["name"],
            tail=f"{_jobs(queue['pending'])}, oldest {words.duration(world.now - due)}.",
            link=("queues", queue["name"]),
            label="Queue",
            command=f"taskito worker --app {_NAME} --queues {_quoted(queue['name'])}",
        )


def _no_worker_for_task(world: World) -> Iterator[Problem]:
    known = {task for worker in world.live for task in worker["tasks"]}
    if not world.live:
        return
    for task, jobs in sorted(world.waiting.items()):
        if jobs and task not in known:
            yield Problem(
                level="bad",
                rule="no_worker_for_task",
                head="No worker knows task",
                name=task,
                tail=f"{_jobs(jobs)}. Import the module that defines it in the worker's program.",
                link=("tasks", task),
                label="Task",
            )


def _late_queues(world: World) -> Iterator[Problem]:
    for queue in world.queues:
        due = queue["oldest_due_at"]
        if due is None or queue["paused"] or not queue["workers"] or world.now - due <= LATE_MS:
            continue
        yield Problem(
            level="warn",
            rule="late_queue",
            head="Jobs are late in queue",
            name=queue["name"],
            tail=f"{_jobs(queue['pending'])}, oldest {words.duration(world.now - due)}.",
            link=("queues", queue["name"]),
            label="Queue",
        )


def _paused_queues(world: World) -> Iterator[Problem]:
    for queue in world.queues:
        if queue["paused"] and queue["pending"]:
            yield Problem(
                level="warn",
                rule="paused_queue",
                head="Paused queue",
                name=queue["name"],
                tail=f"{_jobs(queue['pending'])}.",
                link=("queues", queue["name"]),
                label="Queue",
            )


def _open_breakers(world: World) -> Iterator[Problem]:
    for breaker in world.breakers:
        if breaker["state"] == "open":
            opened = words.ago(breaker["opened_at"], world.now)
            yield Problem(
                level="bad",
                rule="breaker_open",
                head="Circuit breaker open for task",
                name=breaker["task_name"],
                tail=f"opened {opened}; its jobs wait.",
                link=("tasks", breaker["task_name"]),
                label="Task",
            )


def _failing_tasks(world: World) -> Iterator[Problem]:
    for task, lately in sorted(world.lately.items()):
        day = world.day.get(task, lately)
        # What was before the last minutes, as those are part of the day.
        runs = day["count"] - lately["count"]
        failures = day["failure_count"] - lately["failure_count"]
        share = lately["failure_count"] / lately["count"]
        usual = failures / runs if runs > 0 else 0
        if lately["failure_count"] < FEWEST_FAILURES or share < TIMES_AS_MANY * usual:
            continue
        before = f"{words.percent(failures, runs)} in the day before"
        yield Problem(
            level="warn",
            rule="failing_task",
            head="Failures of task",
            name=task,
            tail=f"{words.percent(lately['failure_count'], lately['count'])} of the attempts of "
            f"the last 15 min ({before if runs > 0 else 'it did not run in the day before'}).",
            link=("tasks", task),
            label="Task",
        )


def _lost_workers(world: World) -> Iterator[Problem]:
    for worker in world.workers:
        if worker["status"] == "stale":
            running = worker["running"]
            hand = f" with {_number(running, 'job')} in hand" if running else ""
            seen = words.ago(worker["last_heartbeat"], world.now)
            yield Problem(
                level="bad" if running else "warn",
                rule="worker_lost",
                head="No heartbeat from worker",
                name=f"{worker['hostname']}:{worker['pid']}",
                tail=f"last seen {seen}{hand}.",
                link=("workers",),
                label="Workers",
            )


def _missed_schedules(world: World) -> Iterator[Problem]:
    for schedule in world.schedules:
        due = schedule["next_run"]
        if schedule["enabled"] and due is not None and world.now - due > LATE_MS:
            yield Problem(
                level="bad",
                rule="schedule_missed",
                head="Missed schedule",
                name=schedule["name"],
                tail=f"was to run {words.ago(due, world.now)}.",
                link=("schedules",),
                label="Schedules",
            )


def _overdue_jobs(world: World) -> Iterator[Problem]:
    over = [
        job
        for job in world.running
        if job["timeout_ms"]
        and job["started_at"] is not None
        and world.now - job["started_at"] > job["timeout_ms"] + OVERDUE_MS
    ]
    if over:
        yield Problem(
            level="warn",
            rule="over_timeout",
            head=f"{_number(len(over), 'job')} past the timeout",
            tail="still counted as running.",
            link=("jobs", over[0]["id"]) if len(over) == 1 else ("jobs",),
            label="Job" if len(over) == 1 else "Jobs",
        )


def _old_workers(world: World) -> Iterator[Problem]:
    other = [worker for worker in world.live if worker["version"] != world.version]
    for worker in other:
        yield Problem(
            level="warn",
            rule="worker_version",
            head="Another version in worker",
            name=f"{worker['hostname']}:{worker['pid']}",
            tail=f"it runs {worker['version']}, this page {world.version}.",
            link=("workers",),
            label="Workers",
        )


def _database(world: World) -> Iterator[Problem]:
    if world.log_size is not None and world.log_size > LARGEST_LOG:
        yield Problem(
            level="warn",
            rule="large_log",
            head="The write-ahead log is large",
            tail=f"{words.size(world.log_size)}; a reader that never ends keeps it from shrinking.",
            link=("system",),
            label="System",
        )
    if world.free is not None and world.free < LEAST_FREE:
        yield Problem(
            level="bad",
            rule="disk_full",
            head="The disk is nearly full",
            tail=f"{words.size(world.free)} left beside the database.",
            link=("system",),
            label="System",
            command="taskito purge --older-than 7d",
        )


def _jobs(number: int) -> str:
    return f"{_number(number, 'job')} {'wait' if number != 1 else 'waits'}"


def _number(number: int, thing: str) -> str:
    return f"{words.count(number)} {thing}{'' if number == 1 else 's'}"


def _quoted(name: str) -> str:
    from shlex import quote  # noqa: PLC0415 - slow to load, rarely needed

    return quote(name)
