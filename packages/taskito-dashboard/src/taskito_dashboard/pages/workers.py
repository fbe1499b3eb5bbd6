"""Workers: what each does, and sending one away."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Response

from taskito_dashboard.api import system as api
from taskito_dashboard.pages.frame import back, page
from taskito_dashboard.routing import Call, acts, shows
from taskito_dashboard.source import MOST_RUNNING

_RUNNING_SHOWN = 50
_CALLS_SHOWN = 2


def workers(call: Call) -> Response:
    """All workers, and what they run now."""
    watched = {member["worker_id"]: member for member in call.source.crew()}
    lost = {worker_id for worker_id, member in watched.items() if member["is_lost"]}
    running = [job for job in call.source.running(MOST_RUNNING) if job["worker_id"] not in lost]
    begun: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for job in running:
        begun[job["worker_id"]].append(job)
    rows = [
        _row(row, watched[row["worker_id"]], begun[row["worker_id"]])
        for row in call.queue.workers()
        if row["worker_id"] in watched
    ]
    return page(
        call,
        "workers.html",
        "workers",
        "Workers",
        rows=rows,
        running=running[:_RUNNING_SHOWN],
        is_cut=len(running) > _RUNNING_SHOWN,
        names={row["worker_id"]: row["place"] for row in rows},
        anybody=any(row["status"] in {"active", "draining"} for row in rows),
    )


def _row(
    worker: Mapping[str, Any], watched: Mapping[str, Any], begun: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return a line of the list."""
    return {
        **worker,
        "status": "lost" if watched["is_lost"] else worker["status"],
        "place": f"{worker['hostname']}:{worker['pid']}",
        "begun": len(begun),
        # The roster may be a moment older than what runs.
        "running": max(worker["running"], len(begun)),
        "calls": begun[:_CALLS_SHOWN],
        "ended": watched["ended"],
        "rss": watched["rss"],
    }


def drain(call: Call) -> Response:
    """Ask the worker to finish what runs and leave."""
    api.drain(call)
    return back(call, "workers", did="drained")


ROUTES = (shows("/workers", workers), acts("/workers/<id>/drain", drain))
