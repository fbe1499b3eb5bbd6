"""Tasks: how often they run, how long, how they fail, and what limits them."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

from taskito_dashboard.api.rollups import T
from taskito_dashboard.errors import not_found
from taskito_dashboard.pages.charts import charts
from taskito_dashboard.pages.frame import page
from taskito_dashboard.pages.jobs import row
from taskito_dashboard.routing import Call, shows

if TYPE_CHECKING:
    from taskito import Queue

_HOUR = 3600
_SPANS = ((_HOUR, "1 h"), (86_400, "24 h"), (604_800, "7 d"))
_SAMPLE = 100
_RECENT = 10


def tasks(call: Call) -> Response:
    """All tasks that are known."""
    queue = call.queue
    hour, breakers = queue.metrics(since=_HOUR), _breakers(queue)
    workers = queue.workers()
    names = known(
        (task for worker in workers for task in worker["tasks"]),
        hour,
        call.source.trend()[1],
        breakers,
        registered(queue),
        (job.task_name for job in call.source.newest(_SAMPLE, "pending")),
    )
    rows = [
        {
            "name": name,
            "hour": hour.get(name),
            "pending": queue.count_jobs("pending", task_name=name),
            "running": queue.count_jobs("running", task_name=name),
            "dead": queue.count_jobs("dead", task_name=name),
            "workers": _serving(workers, name),
            "breaker": breakers.get(name),
        }
        for name in names
    ]
    return page(call, "tasks.html", "tasks", "Tasks", rows=rows)


def task(call: Call) -> Response:
    """One task."""
    queue, name = call.queue, call.names["name"]
    spans = [(label, queue.metrics(name, since).get(name)) for since, label in _SPANS]
    recent = queue.list_jobs(task_name=name, limit=_RECENT)
    settings = registered(queue).get(name)
    workers = queue.workers()
    breaker = _breakers(queue).get(name)
    if not (recent or settings or breaker or _serving(workers, name) or spans[-1][1]):
        raise not_found(f"task not found: {name}", "no worker knows it and no job is stored")
    return page(
        call,
        "task.html",
        "tasks",
        name,
        name=name,
        spans=spans,
        charts=charts(call, task=name),
        recent=[row(job.to_dict()) for job in recent],
        counts={
            status: queue.count_jobs(status, task_name=name)
            for status in ("pending", "running", "complete", "dead", "cancelled")
        },
        breaker=breaker,
        settings=settings,
        workers=_serving(workers, name),
    )


def known(*sources: Iterable[str]) -> list[str]:
    """Return the names of tasks that are mentioned anywhere, sorted."""
    return sorted({name for source in sources for name in source})


def registered(queue: "Queue") -> dict[str, dict[str, Any]]:
    """Return the settings of the tasks of this program, by name."""
    tasks = queue._tasks.values()  # noqa: SLF001 - of our own packages
    return {entry.name: _settings(entry.definition.options) for entry in tasks}


def _settings(options: Any) -> dict[str, Any]:
    return {
        "queue": options.queue,
        "priority": options.priority,
        "max_retries": options.max_retries,
        "timeout_ms": options.timeout_ms or None,
        "rate_limit": options.rate_limit,
        "max_concurrent": options.max_concurrent,
    }


def _serving(workers: Iterable[Mapping[str, Any]], task: str) -> int:
    return sum(task in worker["tasks"] and worker["status"] == "active" for worker in workers)


def _breakers(queue: "Queue") -> dict[str, dict[str, Any]]:
    return {breaker["task_name"]: breaker for breaker in queue.circuit_breakers()}


ROUTES = (shows("/tasks", tasks), shows("/tasks/<name:name>", task, T))
