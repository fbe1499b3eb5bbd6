"""Schedules: when they fire, and what they did last."""

from typing import Any

from werkzeug.wrappers import Response

from taskito._watching import fires
from taskito_dashboard import words
from taskito_dashboard.api import schedules as api
from taskito_dashboard.pages.frame import back, page, sure
from taskito_dashboard.routing import Call, acts, moved, shows
from taskito_dashboard.rules.failing import is_missed


def schedules(call: Call) -> Response:
    """All schedules."""
    now, told = call.source.now, fires(call.source.database)
    rows = [
        {
            **schedule,
            "words": words.schedule(schedule["cron_expr"], schedule["every"], schedule["timezone"]),
            "is_missed": is_missed(schedule, now),
            "fires": [_fire(job, now) for job in told.get(schedule["name"], ())],
        }
        for schedule in call.queue.list_periodic()
    ]
    return page(call, "schedules.html", "schedules", "Schedules", rows=rows)


def _fire(job: dict[str, Any], now: int) -> dict[str, Any]:
    """Return what became of a job of a schedule, how late it began and how long it ran."""
    status = "retrying" if job["status"] == "pending" and job["retries"] else job["status"]
    started, ended = job["started_at"], job["finished_at"]
    end = now if status == "running" else ended
    return {
        **job,
        "status": status,
        # Of a job that was repeated the first attempt was on time, not the last.
        "drift_ms": None if started is None or job["retries"] else started - job["fire_time"],
        "run_ms": None if started is None or end is None else end - started,
    }


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
