"""One job: what it is, what became of it, and what to do about it."""

import json
from typing import TYPE_CHECKING, Any, cast

from werkzeug.wrappers import Response

from taskito.bulk import Operation, Verb
from taskito.filters import Filter
from taskito_dashboard.api.operations import begun
from taskito_dashboard.copying import copies
from taskito_dashboard.errors import Refused
from taskito_dashboard.failures import stretches
from taskito_dashboard.pages.frame import back, page
from taskito_dashboard.routing import Call, acts, moved, shows
from taskito_dashboard.source import MOST_BEFORE, Values
from taskito_dashboard.timeline import PARTS, timeline
from taskito_dashboard.words import call_line

if TYPE_CHECKING:
    from taskito_core import JobRow

_MOST_LINKS = 50


def job(call: Call) -> Response:
    """One job."""
    row = call.source.job(call.names["id"])
    handle = call.queue.get_job(row.id)
    attempts, failed = call.source.attempts(row.id), call.source.failed_attempts(row.id)
    now = call.source.now
    values = Values() if row.preview is not None else call.source.values(row)
    return page(
        call,
        "job.html",
        "jobs",
        row.task,
        job=row,
        line=call_line(row.task, row.preview),
        result=call.source.groups.result_preview(row.id),
        values=values,
        copies=copies(
            row, values, call.queue.db_path, f"{call.request.host_url.rstrip('/')}{call.root}"
        ),
        decodes=call.source.decodes,
        why=call.queue.why(row.id) if row.status in {"pending", "running"} else None,
        before=call.source.before(row),
        most_before=MOST_BEFORE,
        timeline=timeline(row, attempts, now, begun_at=call.source.begun_at(row)),
        parts=PARTS,
        errors=list(reversed(failed)),
        frames={attempt.id: stretches(attempt.frames) for attempt in failed},
        group=call.source.groups.get(row.failure or ""),
        logs=[{**line, "at": line["logged_at"]} for line in call.queue.task_logs(row.id)],
        dependencies=handle.dependencies[:_MOST_LINKS] if handle else [],
        dependents=handle.dependents[:_MOST_LINKS] if handle else [],
        replays=call.queue.replay_history(row.id)[:_MOST_LINKS],
        origin=replayed_from(row.metadata),
        worker_id=call.source.worker_id(row),
        headers=json.loads(row.headers) if row.headers else {},
    )


def replayed_from(metadata: str | None) -> str | None:
    """Return the job that this one repeats, as its metadata says."""
    try:
        found = json.loads(metadata or "")
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    origin = cast("dict[str, Any]", found).get("replayed_from")
    return origin if isinstance(origin, str) else None


def cancel(call: Call) -> Response:
    """Cancel the job if it waits; if it runs, ask for that."""
    row = call.source.job(call.names["id"])
    operation = _operated(call, "cancel", row)
    if not operation.done:
        hint = "only jobs that wait or run can be cancelled"
        raise Refused(409, f"the job is {call.source.job(row.id).status}", hint)
    return back(call, "jobs", row.id, did="cancelled", op=operation.id)


def replay(call: Call) -> Response:
    """Store the job once more and show the new one."""
    new = call.queue.replay(call.names["id"])
    return moved(call.url("jobs", new.id, did="replayed", n=1))


def retry(call: Call) -> Response:
    """Retry the dead letter of the job and show the new job."""
    row = call.source.job(call.names["id"])
    if row.status == "dead" and call.source.letter_of(row) is None:
        hint = "it was retried or removed; Replay runs the job again all the same"
        raise Refused(409, "the job has no dead letter any more", hint)
    operation = _operated(call, "retry", row)
    if not operation.done:
        hint = "only finished jobs can be retried"
        raise Refused(409, f"the job is {call.source.job(row.id).status}", hint)
    return retried(call, operation)


def retried(call: Call, operation: Operation) -> Response:
    """Show the job that an operation on one made of it."""
    [(_, copy)] = call.source.bulk.touched(operation.id, 1)
    at, op = call.source.now, operation.id
    return moved(call.url("jobs", str(copy), did="retried", n=1, op=op, at=at))


def _operated(call: Call, verb: Verb, row: "JobRow") -> Operation:
    """Do something to the job as an operation, which is on record and can be taken back."""
    return begun(call, verb, Filter().with_term("id", row.id))


ROUTES = (
    shows("/jobs/<id>", job),
    acts("/jobs/<id>/cancel", cancel, begins_operations=True),
    acts("/jobs/<id>/replay", replay),
    acts("/jobs/<id>/retry", retry, begins_operations=True),
)
