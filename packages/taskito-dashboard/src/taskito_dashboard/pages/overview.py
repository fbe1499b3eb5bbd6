"""The overview: is anything wrong, where, since when, and what to press."""

from collections.abc import Mapping, Sequence
from typing import Any

from werkzeug.wrappers import Response

import taskito
from taskito_dashboard.api.rollups import T
from taskito_dashboard.flow import flow
from taskito_dashboard.pages.charts import charts
from taskito_dashboard.pages.frame import page
from taskito_dashboard.pages.tasks import known, registered
from taskito_dashboard.problems import problems, quiet
from taskito_dashboard.routing import Call, shows
from taskito_dashboard.world import World, failures

_RUNNING = 50
_RUNNING_SHOWN = 8
_SAMPLE = 100
_LETTERS = 200
_FAILURES_SHOWN = 5
_TASKS_SHOWN = 5


def overview(call: Call) -> Response:
    """The state of everything."""
    world = observed(call)
    if _is_empty(world):
        return page(
            call,
            "first.html",
            "overview",
            "First steps",
            world=world,
            tasks=_known_tasks(call, world)[:_TASKS_SHOWN],
            path=call.queue.db_path,
            literal=repr(call.queue.db_path),
        )
    last_failure_at = max((found.last_at for found in world.failures), default=None)
    found, stats = problems(world), call.queue.stats()
    return page(
        call,
        "overview.html",
        "overview",
        "Overview",
        world=world,
        problems=found,
        quiet="" if found else quiet(world, last_failure_at),
        tiles=tiles(world, stats, call.source.minute()),
        running=call.source.running(_RUNNING_SHOWN),
        claimed=stats["running"],
        charts=charts(call),
        failures=world.failures[:_FAILURES_SHOWN],
        sample=_LETTERS if sum(found.count for found in world.failures) == _LETTERS else None,
        unknown=call.request.path if call.request.path != "/" else "",
    )


def _known_tasks(call: Call, world: World) -> list[str]:
    """Return the tasks of live workers and, if it was loaded, of the program."""
    own = registered(call.queue) if call.source.decodes else {}
    return known((task for worker in world.live for task in worker["tasks"]), own)


def observed(call: Call) -> World:
    """Return what the rules look at."""
    queue = call.queue
    disk = call.source.disk()
    lately, day = call.source.trend()
    sample = call.source.newest(_SAMPLE, "pending")
    tasks = {job.task_name for job in sample}
    letters = queue.dead_letters(_LETTERS)
    now, queues = call.source.now, queue.list_queues()
    return World(
        now=now,
        queues=queues,
        workers=queue.workers(),
        waiting={task: queue.count_jobs("pending", task_name=task) for task in tasks},
        breakers=queue.circuit_breakers(),
        schedules=queue.list_periodic(),
        running=[job.to_dict() for job in call.source.newest(_RUNNING, "running")],
        lately=lately,
        day=day,
        failures=failures(letters, are_all=letters.next_cursor is None, now=now),
        flow=flow(call.source, now, sum(row["pending"] for row in queues)),
        keeps_all=call.source.keeps_all,
        log_size=disk.log_size,
        log_readers=disk.readers,
        free=disk.free,
        version=taskito.__version__,
    )


def tiles(
    world: World, stats: Mapping[str, int], minute: Mapping[str, int]
) -> list[dict[str, Any]]:
    """Return the numbers on top: each with a label, a unit or comparison, and a link."""
    failed = minute["failure_count"]
    oldest = world.oldest_due_at
    return [
        {
            "label": "Waiting",
            "value": stats["pending"],
            "kind": "oldest" if oldest is not None else "due",
            "since": None if oldest is None else world.now - oldest,
            "drains": world.flow.drains if world.flow is not None and oldest is not None else "",
            "link": {"status": "pending"},
        },
        {
            "label": "Running",
            "value": stats["running"],
            "kind": "slots",
            "slots": world.slots,
            "link": {"status": "running"},
        },
        {
            "label": "Done / min",
            "value": minute["count"] - failed,
            "kind": "none",
            "link": {"status": "complete"},
        },
        {
            "label": "Failed / min",
            "value": failed,
            "kind": "share",
            "part": failed,
            "whole": minute["count"],
            "link": {},
        },
        {
            "label": "Completed",
            "value": stats["completed"],
            "kind": "stored",
            "link": {"status": "complete"},
        },
        {"label": "Dead", "value": stats["dead"], "kind": "stored", "link": {"status": "dead"}},
    ]


def use(queue: Mapping[str, Any]) -> int | None:
    """Return how much of its limit a queue uses, in percent; ``None`` without a limit."""
    limit = queue["max_concurrent"]
    return None if not limit else min(100, round(100 * queue["running"] / limit))


def _is_empty(world: World) -> bool:
    counted: Sequence[str] = ("pending", "running", "completed", "dead", "cancelled")
    return not world.schedules and not any(
        queue[status] for queue in world.queues for status in counted
    )


OVERVIEW = shows("/", overview, T)
ROUTES = (OVERVIEW,)
