"""Queues: what waits where, pausing and limits."""

from typing import Any

from werkzeug.wrappers import Response

from taskito_dashboard.api.queues import change_limits, queue_named
from taskito_dashboard.api.rollups import T
from taskito_dashboard.errors import Refused
from taskito_dashboard.flow import flow
from taskito_dashboard.pages.charts import charts
from taskito_dashboard.pages.frame import back, page
from taskito_dashboard.pages.jobs import called, row
from taskito_dashboard.pages.overview import use
from taskito_dashboard.routing import Call, acts, shows

_RECENT = 10
_NEXT = 10


def queues(call: Call) -> Response:
    """All queues."""
    rows = [{**queue, "use": use(queue)} for queue in call.queue.list_queues()]
    return page(call, "queues.html", "queues", "Queues", rows=rows)


def queue(call: Call) -> Response:
    """One queue."""
    name = call.names["name"]
    found = queue_named(call.queue, name)
    recent = call.queue.list_jobs(queue=name, limit=_RECENT)
    return page(
        call,
        "queue.html",
        "queues",
        name,
        queue=found,
        use=use(found),
        charts=charts(call, queue=name),
        flow=flow(call.source, call.source.now, found["pending"], name),
        coming=[called(job, call.source.now) for job in call.source.next_jobs(name, _NEXT)],
        recent=[row(job.to_dict()) for job in recent],
    )


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
