"""Rules about jobs that wait: nobody works, too few do, or somebody holds them back."""

from collections.abc import Iterator, Mapping
from typing import Any

from taskito_dashboard import words
from taskito_dashboard.problem import Problem, jobs_wait, worker_command
from taskito_dashboard.world import World

LATE_MS = 60_000
PAUSED_MS = 600_000
FEWEST_IN_BACKLOG = 100


def nobody_works(world: World) -> Iterator[Problem]:
    """Jobs wait, and no worker takes any."""
    if world.pending and not world.live:
        oldest = world.oldest_due_at
        since = "" if oldest is None else f", oldest {words.duration(world.now - oldest)}"
        yield Problem(
            level="bad",
            rule="nobody_works",
            head="No worker runs",
            tail=f"{jobs_wait(world.pending)}{since}.",
            link=("workers",),
            label="Workers",
            command=worker_command(),
        )


def no_worker_for_queue(world: World) -> Iterator[Problem]:
    """A job is due in a queue that no worker listens to."""
    for queue in world.queues:
        due = queue["oldest_due_at"]
        if due is None or queue["workers"] or queue["paused"] or not world.live:
            continue
        yield Problem(
            level="bad",
            rule="no_worker_for_queue",
            head="No worker listens to queue",
            name=queue["name"],
            tail=f"{jobs_wait(world.waiting_in(queue))}, oldest {words.duration(world.now - due)}.",
            link=("queues", queue["name"]),
            label="Queue",
            command=worker_command(queue["name"]),
        )


def no_worker_for_task(world: World) -> Iterator[Problem]:
    """A job waits whose task no worker has registered."""
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
                tail=f"{jobs_wait(jobs)}. "
                "Import the module that defines it in the worker's program.",
                link=("tasks", task),
                label="Task",
                command=worker_command(),
            )


def late_queues(world: World) -> Iterator[Problem]:
    """A job is due for over a minute although workers listen."""
    for queue in world.queues:
        if not is_late(queue, world.now):
            continue
        waits = words.duration(world.now - queue["oldest_due_at"])
        trend = world.trends.get(queue["name"], "")
        yield Problem(
            level="warn",
            rule="late_queue",
            head="Jobs are late in queue",
            name=queue["name"],
            tail=f"{jobs_wait(world.waiting_in(queue))}, oldest {waits}{trend and f'; {trend}'}.",
            link=("queues", queue["name"]),
            label="Queue",
            command=worker_command(queue["name"]),
        )


def is_late(queue: Mapping[str, Any], now: int) -> bool:
    """Return whether a job is due for over a minute in a queue that workers listen to."""
    due = queue["oldest_due_at"]
    is_served = queue["workers"] and not queue["paused"]
    return bool(is_served) and due is not None and now - due > LATE_MS


def growing_backlog(world: World) -> Iterator[Problem]:
    """More jobs come than are done, and the oldest is late already."""
    flow, oldest = world.flow, world.oldest_due_at
    if flow is None or flow.growth is None or oldest is None or not world.live:
        return
    if flow.waiting < FEWEST_IN_BACKLOG or flow.growth <= 0 or world.now - oldest <= LATE_MS:
        return
    yield Problem(
        level="warn",
        rule="growing_backlog",
        head="The backlog grows",
        tail=f"{jobs_wait(flow.waiting)}, "
        f"{words.count(max(1, round(flow.growth)))} more each minute, "
        f"{words.count(round(flow.done_per_minute))} done each minute: {flow.drains}.",
        link=("queues",),
        label="Queues",
        command=worker_command(),
    )


def paused_queues(world: World) -> Iterator[Problem]:
    """A job is due for over ten minutes in a queue that is paused."""
    for queue in world.queues:
        due = queue["oldest_due_at"]
        if queue["paused"] and due is not None and world.now - due > PAUSED_MS:
            yield Problem(
                level="warn",
                rule="paused_queue",
                head="Paused queue",
                name=queue["name"],
                tail=f"{jobs_wait(world.waiting_in(queue))}, "
                f"oldest {words.duration(world.now - due)}.",
                link=("queues", queue["name"]),
                label="Queue",
                press=("queues", queue["name"], "resume"),
                deed="Resume",
            )
