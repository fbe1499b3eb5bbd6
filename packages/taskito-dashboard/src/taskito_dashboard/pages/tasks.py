"""Tasks: how often they run, how long, how they fail, and what limits them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

from taskito._watching import curves, task_limits
from taskito_dashboard.api.rollups import T
from taskito_dashboard.errors import not_found
from taskito_dashboard.pages.charts import charts
from taskito_dashboard.pages.frame import page
from taskito_dashboard.pages.groups import line
from taskito_dashboard.pages.jobs import listed
from taskito_dashboard.rollups import span_of
from taskito_dashboard.routing import Call, shows
from taskito_dashboard.sketches import histogram, stacked
from taskito_dashboard.source import MOST_RECENT
from taskito_dashboard.words import duration

if TYPE_CHECKING:
    from taskito import Queue
    from taskito_core import JobRow
    from taskito_dashboard.source import Source

_HOUR = 3600
_STEP = 120
"""Of the small drawings, in seconds."""
_SPANS = ((_HOUR, "1 h"), (86_400, "24 h"), (604_800, "7 d"))
_SAMPLE = 100
_RECENT = 10
_LOOKED_AT = 200
"""Among so many of the newest jobs are the slowest looked for."""
_GROUPS = 5
_KEPT_SECONDS = 10
_LONG_KEPT_SECONDS = 60
_STATUSES = ("pending", "running", "complete", "dead", "cancelled")
_PENDING = ("blocked", "scheduled", "ready")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """What became of attempts in the last hour, by task.

    Attributes:
        metrics: As :meth:`taskito.Queue.metrics`.
        waits: Dicts with ``p50 p95`` in milliseconds.
        bars: Attempts in each two minutes, as :func:`taskito_dashboard.sketches.stacked`.
    """

    metrics: Mapping[str, Mapping[str, Any]]
    waits: Mapping[str, Mapping[str, Any]]
    bars: Mapping[str, Sequence[Any]]


def tasks(call: Call) -> Response:
    """All tasks that are known."""
    queue, source = call.queue, call.source
    hour, breakers, limits = _hour(source), _breakers(queue), task_limits(source.database)
    own = registered(queue)
    workers, lanes = queue.workers(), _lanes(source)
    names = known(
        (task for worker in workers for task in worker["tasks"]),
        hour.metrics,
        source.trend()[1],
        breakers,
        own,
        (name for name, found in lanes.items() if found["pending"] + found["running"]),
    )
    rows = [
        {
            "name": name,
            "hour": hour.metrics.get(name),
            "wait": hour.waits.get(name),
            "bars": hour.bars.get(name, ()),
            **lanes.get(name, _NOTHING),
            "workers": _serving(workers, name),
            "breaker": breakers.get(name),
            "own": own.get(name),
            "limit": _limit(*limits.get(name) or _declared(own.get(name))),
        }
        for name in names
    ]
    for row in rows:
        declared = [row["own"]["queue"]] if row["own"] else []
        row["queues"] = list(dict.fromkeys([*declared, *row["queues"]]))
    return page(call, "tasks.html", "tasks", "Tasks", rows=rows)


def task(call: Call) -> Response:
    """One task."""
    queue, source, name = call.queue, call.source, call.names["name"]
    spans = [(label, _metrics(source, name, since)) for since, label in _SPANS]
    jobs = source.recent(_LOOKED_AT, task=name)
    newest = [listed(job, source) for job in jobs]
    own = registered(queue).get(name)
    workers = queue.workers()
    breaker = _breakers(queue).get(name)
    counts = {status: queue.count_jobs(status, task_name=name) for status in _STATUSES}
    is_known = own or breaker or _serving(workers, name) or any(counts.values())
    if not (is_known or spans[-1][1]):
        raise not_found(f"task not found: {name}", "no worker knows it and no job is stored")
    ran = [job for job in newest if job["run_ms"] is not None]
    groups = [row for row in source.groups.all(task=name) if row.dead + row.retrying]
    groups.sort(key=lambda row: (row.state != "open", -row.dead - row.retrying))
    return page(
        call,
        "task.html",
        "tasks",
        name,
        name=name,
        spans=spans,
        charts=charts(call, task=name),
        ran=histogram(source.run_times(span_of(call.query()["t"], source.now), name)),
        recent=newest[:_RECENT],
        slowest=sorted(ran, key=lambda job: -job["run_ms"])[:_RECENT],
        looked_at=len(newest),
        most_recent=MOST_RECENT,
        groups=[{"row": row, "line": line(call, row)} for row in groups[:_GROUPS]],
        more_groups=max(0, len(groups) - _GROUPS),
        counts=counts,
        breaker=breaker,
        settings=_settings_of(own, task_limits(source.database).get(name), jobs, workers, name),
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


def _settings_of(
    own: Mapping[str, Any] | None,
    announced: tuple[str | None, int | None] | None,
    jobs: "Sequence[JobRow]",
    workers: Iterable[Mapping[str, Any]],
    name: str,
) -> list[tuple[str, str, str]]:
    """Return settings with what they are and where that is known from.

    Limits are those that workers go by: what the one said that started last.
    """
    program, job = "this program", "the newest job"
    found: list[tuple[str, str, str]] = []
    if own is not None:
        found = [
            ("Queue", own["queue"], program),
            ("Priority", str(own["priority"]), program),
            ("Retries", str(own["max_retries"]), program),
            ("Timeout", duration(own["timeout_ms"]) if own["timeout_ms"] else "none", program),
        ]
    elif jobs:
        last = jobs[0]
        timeout = duration(last.timeout_ms) if last.timeout_ms else "none"
        found = [
            ("Queue", last.queue, job),
            ("Priority", str(last.priority), job),
            ("Retries", str(last.max_retries), job),
            ("Timeout", timeout, job),
        ]
    is_announced = announced is not None or _serving(workers, name)
    if own is None and not is_announced:
        return found
    rate, most = (announced or (None, None)) if is_announced else _declared(own)
    origin = "the worker that started last" if is_announced else program
    at_once = "any number" if most is None else str(most)
    return [*found, ("Rate limit", rate or "none", origin), ("At once", at_once, origin)]


def _declared(own: Mapping[str, Any] | None) -> tuple[str | None, int | None]:
    return (own["rate_limit"], own["max_concurrent"]) if own else (None, None)


def _limit(rate: str | None, most: int | None) -> str:
    """Return limits as a word or two."""
    parts = [rate or "", f"{most} at once" if most else ""]
    return ", ".join(filter(None, parts))


_NOTHING: Mapping[str, Any] = {"queues": (), "pending": 0, "running": 0, "dead": 0}


def _lanes(source: "Source") -> dict[str, dict[str, Any]]:
    """Return how many jobs of each task there are, and their queues, those with most work first."""
    found: dict[str, dict[str, Any]] = {}
    for lane in sorted(source.lanes(), key=_work_of, reverse=True):
        row = found.setdefault(lane["task"], {**_NOTHING, "queues": []})
        row["queues"].append(lane["queue"])
        row["pending"] += sum(lane[state] for state in _PENDING)
        row["running"] += lane["running"]
        row["dead"] += lane["dead"]
    return found


def _work_of(lane: Mapping[str, Any]) -> tuple[int, int]:
    return sum(lane[state] for state in (*_PENDING, "running")), lane["completed"]


def _hour(source: "Source") -> Hour:
    """Return what became of attempts in the last hour, up to ten seconds old."""

    def find() -> Hour:
        database = source.database
        # One bucket for all of it, whatever it is rounded to.
        whole = curves(database, seconds=_HOUR, step=2 * _HOUR, by="task")
        told = curves(database, seconds=_HOUR, step=_STEP, by="task")
        starts = range(told["since"], told["until"] + 1, told["step_ms"])
        return Hour(
            metrics=source.queue.metrics(since=_HOUR),
            waits={name: buckets[0]["wait_ms"] for name, buckets in whole["series"].items()},
            bars={name: stacked(buckets, starts) for name, buckets in told["series"].items()},
        )

    found: Hour = source.kept.get("hour", find, seconds=_KEPT_SECONDS)
    return found


def _metrics(source: "Source", name: str, since: int) -> Mapping[str, Any] | None:
    """Return the metrics of a task; those of long may be a minute old."""

    def find() -> Mapping[str, Any] | None:
        return source.queue.metrics(name, since).get(name)

    seconds = _KEPT_SECONDS if since <= _HOUR else _LONG_KEPT_SECONDS
    found: Mapping[str, Any] | None = source.kept.get(
        ("metrics", name, since), find, seconds=seconds
    )
    return found


def _serving(workers: Iterable[Mapping[str, Any]], task: str) -> int:
    return sum(task in worker["tasks"] and worker["status"] == "active" for worker in workers)


def _breakers(queue: "Queue") -> dict[str, dict[str, Any]]:
    return {breaker["task_name"]: breaker for breaker in queue.circuit_breakers()}


ROUTES = (shows("/tasks", tasks), shows("/tasks/<name:name>", task, T))
