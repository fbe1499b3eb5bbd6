"""Queues: what waits where, pausing and limits."""

from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Response

from taskito.filters import Filter
from taskito_dashboard.api.queues import change_limits, queue_named
from taskito_dashboard.api.rollups import T
from taskito_dashboard.errors import Refused
from taskito_dashboard.flow import flow
from taskito_dashboard.pages.charts import charts
from taskito_dashboard.pages.frame import back, page
from taskito_dashboard.pages.jobs import listed
from taskito_dashboard.pages.overview import use
from taskito_dashboard.routing import Call, acts, shows
from taskito_dashboard.source import MOST_RECENT, Source
from taskito_dashboard.standing import standing

_RECENT = 10
_NEXT = 10


def queues(call: Call) -> Response:
    """All queues."""
    source, now = call.source, call.source.now
    stands = _standing(source)
    rows = [
        {
            **found,
            **(stand := stands.get(found["name"], _NOTHING)),
            "doing": _doing(found),
            "flow": flow(source, now, stand["ready"], found["name"]),
            "ready_filter": _jobs(found["name"], "ready"),
            "is_alone": _is_alone(found["name"]),
        }
        for found in call.queue.list_queues()
    ]
    return page(call, "queues.html", "queues", "Queues", rows=rows)


def queue(call: Call) -> Response:
    """One queue."""
    name = call.names["name"]
    found = queue_named(call.queue, name)
    stand = _standing(call.source).get(name, _NOTHING)
    return page(
        call,
        "queue.html",
        "queues",
        name,
        queue=found,
        standing=stand,
        doing=_doing(found),
        ready_filter=_jobs(name, "ready"),
        later_filter=_jobs(name, "scheduled", "retrying"),
        is_alone=_is_alone(name),
        use=use(found),
        most_recent=MOST_RECENT,
        charts=charts(call, queue=name),
        flow=flow(call.source, call.source.now, stand["ready"], name),
        coming=[listed(job, call.source) for job in call.source.next_jobs(name, _NEXT)],
        recent=[listed(job, call.source) for job in call.source.recent(_RECENT, queue=name)],
    )


_NOTHING: Mapping[str, int] = {"ready": 0, "scheduled": 0, "blocked": 0}


def _standing(source: Source) -> dict[str, dict[str, int]]:
    """Return how many jobs of each queue are due, are due later, and wait for other jobs."""
    ready = standing(source).ready
    found: dict[str, dict[str, int]] = {}
    for lane in source.lanes():
        row = found.setdefault(lane["queue"], dict(_NOTHING))
        for name in _NOTHING:
            row[name] += lane[name]
    for name, row in found.items():
        # Where no worker looks, jobs that became due count as scheduled.
        due = ready.get(name, 0)
        row["scheduled"] = max(0, row["scheduled"] + row["ready"] - due)
        row["ready"] = due
    return found


def _doing(queue: Mapping[str, Any]) -> tuple[str, str]:
    """Return in words what a queue does, and how a tag of that looks."""
    if queue["paused"]:
        return "paused", ""
    if queue["oldest_due_at"] is not None and not queue["workers"]:
        return "no worker", "stale"
    if queue["max_concurrent"] and queue["running"] >= queue["max_concurrent"]:
        return "full", ""
    if queue["running"]:
        return "working", ""
    return ("idle" if queue["oldest_due_at"] is None else "waiting"), ""


def _jobs(name: str, *states: str) -> str:
    """Return the filter line of the jobs of a queue in some states."""
    return str(Filter().with_term("queue", name).with_term("state", *states))


def _is_alone(name: str) -> bool:
    """Whether a filter line that names a queue finds no other: in one, a star is anything."""
    return "*" not in name


def pause(call: Call) -> Response:
    """Let no job of the queue start any more."""
    call.queue.pause(call.names["name"])
    return back(call, "queues", did="paused", of=call.names["name"])


def resume(call: Call) -> Response:
    """Let jobs of the queue start again."""
    call.queue.resume(call.names["name"])
    return back(call, "queues", did="resumed", of=call.names["name"])


def limits(call: Call) -> Response:
    """Set the limits of the queue; an empty field is no limit."""
    name = call.names["name"]
    change_limits(call.queue, name, _limits(call.request.form))
    return back(call, "queues", name, did="limited")


def _limits(form: Any) -> dict[str, Any]:
    most = form.get("max_concurrent", "").strip()
    if most and not (most.isascii() and most.isdigit() and len(most) < 10):  # noqa: PLR2004
        raise Refused(400, f"at most {most!r} at once", "write a whole number, or nothing")
    rate = form.get("rate_limit", "").strip()
    return {"rate_limit": rate or None, "max_concurrent": int(most) if most else None}


ROUTES = (
    shows("/queues", queues),
    acts("/queues/<name:name>/pause", pause),
    acts("/queues/<name:name>/resume", resume),
    acts("/queues/<name:name>/limits", limits),
    shows("/queues/<name:name>", queue, T),
)
