"""Jobs as documents, and what can be done with them."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import orjson
from werkzeug.wrappers import Response

from taskito.exceptions import JobNotFoundError
from taskito_dashboard.api.operations import FILTER, read_filter
from taskito_dashboard.errors import Refused, not_found
from taskito_dashboard.params import MOST_ROWS, Param, document, selection
from taskito_dashboard.routing import Call, reads, writes

if TYPE_CHECKING:
    from taskito_dashboard.source import Source

STATUSES = ("pending", "running", "complete", "completed", "failed", "dead", "cancelled")
FILTERS = (
    Param("status", choices=STATUSES),
    Param("queue"),
    Param("task"),
    Param("created_after", "instant"),
    Param("created_before", "instant"),
    Param("metadata"),
    Param("error"),
)
PAGING = (
    Param("limit", "count", 50, MOST_ROWS),
    Param("offset", "count", 0),
    Param("cursor"),
)
SELECTION: dict[str, Any] = {
    "oneOf": [
        {
            "type": "object",
            "required": ["ids"],
            "properties": {"ids": {"type": "array", "maxItems": 1000, "items": {"type": "string"}}},
        },
        {"type": "object", "required": ["filter"], "properties": {"filter": {"type": "object"}}},
    ]
}


def list_jobs(call: Call) -> Response:
    """Jobs, newest first; the header X-Next-Cursor leads to the next page."""
    given = call.query()
    paging = {name: given.pop(name) for name in ("limit", "offset", "cursor")}
    line = given.pop("filter")
    if line is not None:
        return _searched(call, line, given, paging)
    page = call.queue.list_jobs(**renamed(given), **paging)
    return listed([job.to_dict() for job in page], page.next_cursor)


def _searched(
    call: Call, line: str, given: Mapping[str, Any], paging: Mapping[str, Any]
) -> Response:
    """Return what a filter line finds; it stands alone."""
    others = [name for name, value in given.items() if value is not None]
    if others or paging["offset"]:
        name = others[0] if others else "offset"
        raise Refused(400, f"filter and {name} exclude each other", "say all in the filter line")
    page = call.source.bulk.search(
        read_filter(call, line), limit=paging["limit"], cursor=paging["cursor"]
    )
    response = listed([job.to_dict() for job in page], page.next_cursor)
    if page.searched is not None:
        response.headers["X-Searched"] = str(page.searched)
    return response


def show_job(call: Call) -> dict[str, Any]:
    """One job with everything that is stored of it."""
    job = call.queue.get_job(call.names["id"])
    if job is None:
        raise not_found("Job not found", "see /api/jobs")
    try:
        row = call.source.job(job.id)
        facts = job.to_dict()
    except JobNotFoundError:
        raise not_found("Job not found", "see /api/jobs") from None
    values = call.source.values(row)
    return {
        **facts,
        "errors": job.errors,
        "dependencies": job.dependencies,
        "dependents": job.dependents,
        "result": values.result,
        "args": values.args,
        "kwargs": values.kwargs,
        "headers": json.loads(row.headers) if row.headers else {},
        "limit_key": row.limit_key,
        "idempotency_key": row.idempotency_key,
        "workflow_id": row.workflow_id,
        "worker_id": call.source.worker_id(row),
    }


def errors(call: Call) -> list[dict[str, Any]]:
    """The failed and lost attempts of a job, oldest first."""
    return call.queue.job_errors(call.names["id"])


def attempts(call: Call) -> list[dict[str, Any]]:
    """All attempts of a job, oldest first; the last one may run, or have succeeded."""
    return call.source.attempts(call.names["id"])


def logs(call: Call) -> list[dict[str, Any]]:
    """What a job logged, oldest first."""
    return call.queue.task_logs(call.names["id"])


def replay_history(call: Call) -> list[dict[str, Any]]:
    """The jobs that repeat a job, newest first."""
    return call.queue.replay_history(call.names["id"])


def why(call: Call) -> dict[str, Any]:
    """Why a job does not run."""
    return asdict(call.queue.why(call.names["id"]))


def cancel(call: Call) -> tuple[int, dict[str, Any]]:
    """Cancel a job that waits, or ask a running one to end."""
    job_id = call.names["id"]
    for _ in range(2):  # a failed attempt may put it back between the two questions
        if call.queue.cancel_job(job_id):
            return 200, {"cancelled": True}
        if call.queue.cancel_running_job(job_id):
            return 202, {"cancelled": False, "cancel_requested": True}
    job = call.queue.get_job(job_id)
    if job is None:
        raise not_found(f"job not found: {job_id}", "see /api/jobs")
    hint = "only jobs that wait or run can be cancelled"
    return 409, {"cancelled": False, "error": f"job {job_id} is {job.status}", "hint": hint}


def run_now(call: Call) -> tuple[int, dict[str, Any]]:
    """Make a job due that waits for its time or for another attempt."""
    job_id = call.names["id"]
    if call.queue.run_now(job_id):
        return 200, {"due": True}
    job = call.queue.get_job(job_id)
    if job is None:
        raise not_found(f"job not found: {job_id}", "see /api/jobs")
    hint = "only jobs that wait for their time or for another attempt can be run now"
    return 409, {"due": False, "error": f"job {job_id} is {job.status}", "hint": hint}


def replay(call: Call) -> dict[str, str]:
    """Store a job once more, whatever became of it."""
    return {"replay_job_id": call.queue.replay(call.names["id"]).id}


def cancel_many(call: Call) -> dict[str, int]:
    """Cancel many jobs; those that run are asked to end."""
    return cancelled(call.source, chosen(call))


def replay_many(call: Call) -> dict[str, list[str]]:
    """Store many jobs once more."""
    return {"replay_job_ids": replayed(call.source, chosen(call))}


def chosen(call: Call) -> list[str]:
    """Return the ids that the body of a bulk request means, as of now.

    Raises:
        Refused: With 400 or 413.
    """
    meant = selection(document(call.request), FILTERS)
    if meant.ids is not None:
        return meant.ids
    return list(call.source.matching(renamed(meant.filter)))


def cancelled(source: "Source", ids: Iterable[str]) -> dict[str, int]:
    """Cancel jobs and say how many were; running ones are counted apart, if there are any."""
    done = asked = 0
    for job_id in ids:
        if source.queue.cancel_job(job_id):
            done += 1
        elif source.queue.cancel_running_job(job_id):
            asked += 1
    return {"cancelled": done, **({"cancel_requested": asked} if asked else {})}


def replayed(source: "Source", ids: Iterable[str]) -> list[str]:
    """Store jobs once more and return the new ids; those that are gone are passed over."""
    new: list[str] = []
    for job_id in ids:
        try:
            new.append(source.queue.replay(job_id).id)
        except JobNotFoundError:
            continue
    return new


def renamed(given: dict[str, Any]) -> dict[str, Any]:
    """Return filters under the names that :meth:`taskito.Queue.list_jobs` has for them."""
    filters = dict(given)
    filters["task_name"] = filters.pop("task", None)
    return filters


def listed(rows: list[dict[str, Any]], next_cursor: str | None) -> Response:
    """Return a JSON array that says where the next one begins."""
    response = Response(orjson.dumps(rows), mimetype="application/json")
    if next_cursor is not None:
        response.headers["X-Next-Cursor"] = next_cursor
    return response


ROUTES = (
    reads("/api/jobs", list_jobs, FILTER, *FILTERS, *PAGING),
    writes("POST", "/api/jobs/cancel", cancel_many, body=SELECTION),
    writes("POST", "/api/jobs/replay", replay_many, body=SELECTION),
    reads("/api/jobs/<id>", show_job),
    reads("/api/jobs/<id>/errors", errors),
    reads("/api/jobs/<id>/attempts", attempts),
    reads("/api/jobs/<id>/logs", logs),
    reads("/api/jobs/<id>/replay-history", replay_history),
    reads("/api/jobs/<id>/why", why, is_timed=True),
    writes("POST", "/api/jobs/<id>/cancel", cancel),
    writes("POST", "/api/jobs/<id>/run-now", run_now),
    writes("POST", "/api/jobs/<id>/replay", replay),
)
