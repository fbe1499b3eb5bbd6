"""Schedules: when they fire, and what they did last."""

from typing import Any

from werkzeug.wrappers import Response

from taskito_dashboard import words
from taskito_dashboard.api import schedules as api
from taskito_dashboard.pages.frame import back, page, sure
from taskito_dashboard.pages.jobs import row
from taskito_dashboard.routing import Call, acts, moved, shows
from taskito_dashboard.rules.failing import is_missed


def schedules(call: Call) -> Response:
    """All schedules."""
    rows: list[dict[str, Any]] = []
    now = call.source.now
    for schedule in call.queue.list_periodic():
        last_id = schedule["last_job_id"]
        last = call.queue.get_job(last_id) if last_id else None
        rows.append(
            {
                **schedule,
                "words": words.schedule(
                    schedule["cron_expr"], schedule["every"], schedule["timezone"]
                ),
                "is_missed": is_missed(schedule, now),
                **_last(None if last is None else last.to_dict()),
            }
        )
    return page(call, "schedules.html", "schedules", "Schedules", rows=rows)


def _last(job: dict[str, Any] | None) -> dict[str, Any]:
    """Return how the newest job of a schedule stands, and how long it ran."""
    if job is None:
        return {"last_status": None, "last_run_ms": None}
    return {"last_status": job["status"], "last_run_ms": row(job)["run_ms"]}


def pause(call: Call) -> Response:
    """Let the schedule fire no more."""
    api.pause(call)
    return back(call, "schedules", did="paused")


def resume(call: Call) -> Response:
    """Let the schedule fire again."""
    api.resume(call)
    return back(call, "schedules", did="resumed")


def trigger(call: Call) -> Response:
    """Enqueue one job of the schedule and show it."""
    return moved(call.url("jobs", api.trigger(call)["job_id"], did="triggered", n=1))


def delete(call: Call) -> Response:
    """Remove the schedule."""
    sure(call, "remove the schedule")
    api.delete(call)
    return back(call, "schedules", did="deleted")


ROUTES = (
    shows("/schedules", schedules),
    acts("/schedules/<name:name>/pause", pause),
    acts("/schedules/<name:name>/resume", resume),
    acts("/schedules/<name:name>/trigger", trigger),
    acts("/schedules/<name:name>/delete", delete),
)
