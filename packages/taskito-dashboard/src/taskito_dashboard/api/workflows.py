"""Workflows as documents, and what can be done with all of one."""

from typing import Any

from werkzeug.wrappers import Response

from taskito_dashboard import workflows
from taskito_dashboard.api.jobs import listed
from taskito_dashboard.errors import Refused
from taskito_dashboard.params import MOST_ROWS, Param
from taskito_dashboard.routing import Call, reads, writes

_LIMIT = Param("limit", "count", 50, MOST_ROWS)
_CURSOR = Param("cursor")


def list_workflows(call: Call) -> Response:
    """Workflows, newest first; the header X-Next-Cursor leads to the next page."""
    given = call.query()
    now = call.source.now
    with call.source.database as store:
        found = workflows.page_of(store, given["limit"], given["cursor"])
    return listed([workflows.document(row, now) for row in found.rows], found.next_cursor)


def show_workflow(call: Call) -> dict[str, Any]:
    """One workflow with its first 5,000 jobs, each after those that it waits for."""
    now = call.source.now
    with call.source.database as store:
        found = workflows.one(store, call.names["id"])
        members = workflows.members(store, found.id)
    nodes = [
        {
            "id": member.id,
            "task": member.task,
            "queue": member.queue,
            "status": member.status,
            "started_at": member.started_at,
            "completed_at": member.completed_at,
            "dependencies": list(member.parents),
        }
        for member in members
    ]
    return {**workflows.document(found, now), "nodes": nodes}


def retry(call: Call) -> dict[str, Any]:
    """Store what failed, and what that took along, once more as a new workflow."""
    with call.source.database as store:
        found = workflows.one(store, call.names["id"])
        resumed = store.resume_workflow(found.id)
    if resumed is None:
        hint = "its failed jobs were retried or removed; apply the canvas again"
        raise Refused(409, "no job of the workflow is a dead letter", hint)
    return {"workflow_id": resumed[0], "jobs": resumed[1]}


def cancel(call: Call) -> dict[str, int]:
    """Cancel all jobs of a workflow that wait, and ask those that run to end."""
    with call.source.database as store:
        found = workflows.one(store, call.names["id"])
        cancelled, asked = store.cancel_workflow(found.id)
    return {"cancelled": cancelled, "cancel_requested": asked}


ROUTES = (
    reads("/api/workflows", list_workflows, _LIMIT, _CURSOR, is_timed=True),
    reads("/api/workflows/<id>", show_workflow, is_timed=True),
    writes("POST", "/api/workflows/<id>/retry", retry),
    writes("POST", "/api/workflows/<id>/cancel", cancel),
)
