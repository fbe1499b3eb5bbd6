"""Workflows: how far each is, and how its jobs hang together."""

from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

from taskito_dashboard import graph, workflows
from taskito_dashboard.api import workflows as api
from taskito_dashboard.pages.frame import back, page
from taskito_dashboard.params import Param
from taskito_dashboard.routing import Call, acts, moved, shows

if TYPE_CHECKING:
    from taskito_core import Store

_PER_PAGE = 25
_ROWS = 50


def listing(call: Call) -> Response:
    """Workflows, newest first."""
    given = call.query()
    with call.source.database as store:
        found = workflows.page_of(store, _PER_PAGE, given["cursor"])
        failed = {row.id: _failed_task(store, row) for row in found.rows}
    return page(
        call,
        "workflows.html",
        "workflows",
        "Workflows",
        rows=found.rows,
        failed=failed,
        spans=graph.spans,
        counted=workflows.MOST_COUNTED,
        next_cursor=found.next_cursor,
        is_first=given["cursor"] is None,
    )


def _failed_task(store: "Store", found: workflows.Workflow) -> str | None:
    """Return the task of the first job that failed."""
    job = store.job(found.failed_job_id) if found.failed_job_id else None
    return None if job is None else job.task


def workflow(call: Call) -> Response:
    """One workflow: its graph, and the same as a table."""
    given = call.query()
    with call.source.database as store:
        found = workflows.one(store, call.names["id"])
        members = workflows.members(store, found.id)
        failed = _failed_task(store, found)
    now = call.source.now
    chosen = members
    for name in ("task", "status"):
        if given[name]:
            chosen = [member for member in chosen if getattr(member, name) == given[name]]
    begin = given["from"]
    drawing = graph.drawn(members, now)
    return page(
        call,
        "workflow.html",
        "workflows",
        found.name,
        workflow=found,
        failed=failed,
        spans=graph.spans,
        drawing=drawing,
        box=(graph.WIDTH, graph.HEIGHT),
        critical=drawing.critical,
        rows=chosen[begin : begin + _ROWS],
        chosen=len(chosen),
        shown=len(members),
        before=max(0, begin - _ROWS) if begin else None,
        after=begin + _ROWS if len(chosen) > begin + _ROWS else None,
        kept={name: given[name] for name in ("task", "status") if given[name]},
        can_retry=any(member.has_letter for member in members),
    )


def retry(call: Call) -> Response:
    """Go on where the workflow failed and show the new one."""
    new = api.retry(call)
    return moved(call.url("workflows", new["workflow_id"], did="continued", n=new["jobs"]))


def cancel(call: Call) -> Response:
    """Call off all jobs of the workflow."""
    reached = api.cancel(call)
    return back(call, "workflows", call.names["id"], did="cancelled", n=reached["cancelled"])


ROUTES = (
    shows("/workflows", listing, Param("cursor")),
    shows(
        "/workflows/<id>",
        workflow,
        Param("task"),
        Param("status", choices=workflows.STATUSES),
        Param("from", "count", 0),
    ),
    acts("/workflows/<id>/retry", retry),
    acts("/workflows/<id>/cancel", cancel),
)
