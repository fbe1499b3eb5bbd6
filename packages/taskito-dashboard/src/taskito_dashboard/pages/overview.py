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
from taskito_dashboard.rendering import midnight, zone_of
from taskito_dashboard.routing import Call, shows
from taskito_dashboard.rules.waiting import is_late
from taskito_dashboard.standing import Standing, pace, standing
from taskito_dashboard.tiles import MOST_DEATHS, Toll, tiles
from taskito_dashboard.world import MARK_MS, World, failures

_RUNNING = 50
_RUNNING_SHOWN = 8
_SAMPLE = 100
_FAILURES_SHOWN = 5
_TASKS_SHOWN = 5


def overview(call: Call) -> Response:
    """The state of everything."""
    stands = standing(call.source)
    world = observed(call, stands)
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
    lately = pace(call.source)
    return page(
        call,
        "overview.html",
        "overview",
        "Overview",
        world=world,
        problems=found,
        quiet="" if found else quiet(world, last_failure_at),
        tiles=tiles(world, stands, lately, _toll(call, world.now, stats["dead"])),
        ready=stands.ready,
        done_in=lately.done_in,
        slots_of={queue["name"]: slots(world, queue["name"]) for queue in world.queues},
        running=call.source.running(_RUNNING_SHOWN),
        places={worker["worker_id"]: _place(worker) for worker in world.workers},
        claimed=stats["running"],
        charts=charts(call),
        failures=world.failures[:_FAILURES_SHOWN],
        unknown=call.request.path if call.request.path != "/" else "",
    )


def _known_tasks(call: Call, world: World) -> list[str]:
    """Return the tasks of live workers and, if it was loaded, of the program."""
    own = registered(call.queue) if call.source.decodes else {}
    return known((task for worker in world.live for task in worker["tasks"]), own)


def observed(call: Call, stands: Standing) -> World:
    """Return what the rules look at."""
    queue = call.queue
    disk = call.source.disk()
    lately, day = call.source.trend()
    sample = call.source.newest(_SAMPLE, "pending")
    tasks = {job.task for job in sample}
    now, queues = call.source.now, queue.list_queues()
    mark = call.source.last_mark(now - MARK_MS)
    return World(
        now=now,
        queues=queues,
        workers=queue.workers(),
        waiting={task: queue.count_jobs("pending", task_name=task) for task in tasks},
        breakers=queue.circuit_breakers(),
        schedules=queue.list_periodic(),
        running=[
            {"id": job.id, "started_at": job.started_at, "timeout_ms": job.timeout_ms}
            for job in call.source.newest(_RUNNING, "running")
        ],
        lately=lately,
        day=day,
        failures=failures(call.source.failing(), None if mark is None else mark.at, now=now),
        mark=None if mark is None else mark.subject,
        ready=stands.ready,
        trends=_trends(call, queues, stands, now),
        flow=flow(call.source, now, stands.all_ready),
        keeps_all=call.source.keeps_all,
        log_size=disk.log_size,
        log_readers=disk.readers,
        free=disk.free,
        network=call.source.network(),
        version=taskito.__version__,
    )


def _trends(
    call: Call, queues: Sequence[Mapping[str, Any]], stands: Standing, now: int
) -> dict[str, str]:
    """Return when nothing waits any more in the queues where jobs are late."""
    late = (queue["name"] for queue in queues if is_late(queue, now))
    return {name: flow(call.source, now, stands.ready.get(name, 0), name).drains for name in late}


def slots(world: World, queue: str) -> int:
    """Return how many jobs can run at once in the workers that listen to a queue."""
    listening = (
        worker for worker in world.live if not worker["queues"] or queue in worker["queues"]
    )
    return sum(worker["concurrency"] for worker in listening)


def _toll(call: Call, now: int, dead: int) -> Toll:
    today = midnight(now, zone_of(call.request))
    return Toll(
        dead=dead,
        groups=sum(1 for group in call.source.failing() if group.dead),
        today=call.source.deaths(today, MOST_DEATHS),
    )


def _place(worker: Mapping[str, Any]) -> str:
    return f"{worker['hostname']}:{worker['pid']}"


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
