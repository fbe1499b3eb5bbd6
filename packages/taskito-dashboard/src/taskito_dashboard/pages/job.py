"""One job: what it is, what became of it, and what to do about it."""

import json
import re
from typing import TYPE_CHECKING, Any, cast

from werkzeug.wrappers import Response

from taskito.bulk import Operation, Verb
from taskito.filters import Filter
from taskito_dashboard.api.operations import begun
from taskito_dashboard.copying import copies
from taskito_dashboard.errors import Refused
from taskito_dashboard.failures import stretches
from taskito_dashboard.flow import flow
from taskito_dashboard.pages.frame import back, page
from taskito_dashboard.prospects import ahead, compared, turn
from taskito_dashboard.routing import Call, acts, moved, shows
from taskito_dashboard.source import MOST_BEFORE, Values
from taskito_dashboard.timeline import PARTS, timeline
from taskito_dashboard.tree import Node, of_call, of_json, of_literal
from taskito_dashboard.words import call_line, stands

if TYPE_CHECKING:
    from taskito_core import JobRow

_MOST_LINKS = 50
_PLACES = {
    "queue_paused": "queues",
    "rate_limited": "queues",
    "concurrency_full": "queues",
    "circuit_open": "tasks",
    "no_worker": "workers",
    "no_worker_for_queue": "workers",
    "no_worker_for_task": "workers",
    "workers_busy": "workers",
}
"""Where something can be done about what holds a job back."""


def job(call: Call) -> Response:
    """One job."""
    row = call.source.job(call.names["id"])
    handle = call.queue.get_job(row.id)
    attempts, failed = call.source.attempts(row.id), call.source.failed_attempts(row.id)
    now = call.source.now
    preview = call.source.preview(row)
    values = Values() if preview is not None else call.source.values(row)
    begun_at, before = call.source.begun_at(row), call.source.before(row)
    result = call.source.result_preview(row.id)
    headers = cast("dict[str, Any]", json.loads(row.headers) if row.headers else {})
    return page(
        call,
        "job.html",
        "jobs",
        row.task,
        job=row,
        line=call_line(row.task, preview),
        preview=preview,
        stands=stands(row, now),
        arguments=_arguments(preview, values),
        result=values.result if result is None else result,
        result_parts=of_json(values.result) if result is None else of_literal(result),
        notes=of_json(row.metadata),
        run=compared(_run_ms(row), call.source.run_percentiles(row.task)),
        ahead=ahead(row.progress, begun_at, now),
        begun_at=begun_at,
        values=values,
        copies=copies(
            row,
            preview,
            values,
            call.queue.db_path,
            f"{call.request.host_url.rstrip('/')}{call.root}",
        ),
        why=call.queue.why(row.id) if row.status in {"pending", "running"} else None,
        places={code: _place(code, row) for code in _PLACES},
        before=before,
        most_before=MOST_BEFORE,
        turn=_turn(call, row, before, now),
        timeline=timeline(row, attempts, now, begun_at=begun_at),
        can_run_now=row.is_scheduled and not row.waiting_on and row.scheduled_at > now,
        parts=PARTS,
        errors=list(reversed(failed)),
        frames={attempt.id: stretches(attempt.frames) for attempt in failed},
        group=call.source.groups.get(row.failure or ""),
        logs=[{**line, "at": line["logged_at"]} for line in call.queue.task_logs(row.id)],
        dependencies=handle.dependencies[:_MOST_LINKS] if handle else [],
        dependents=handle.dependents[:_MOST_LINKS] if handle else [],
        replays=call.queue.replay_history(row.id)[:_MOST_LINKS],
        origin=replayed_from(row.metadata),
        worker=call.source.worker(row) or (failed[-1].worker if failed else None),
        trace=_trace(headers.get("traceparent")),
        headers=headers,
    )


def _arguments(preview: str | None, values: Values) -> tuple[Node, ...] | None:
    """Return the arguments as a tree; ``None`` if there are none, or they cannot be told apart."""
    if preview is not None:
        return of_call(preview) or None
    return (*(of_json(values.args) or ()), *(of_json(values.kwargs) or ())) or None


def _run_ms(row: "JobRow") -> int | None:
    """Return how long the function of a completed job ran, or its claim if only that is known."""
    begun_at = row.began_at if row.began_at is not None else row.started_at
    if row.status != "complete" or row.completed_at is None or begun_at is None:
        return None
    return max(0, row.completed_at - begun_at)


def _turn(call: Call, row: "JobRow", before: int | None, now: int) -> str:
    """Return when it is the turn of a job that is due, in words."""
    if not before:
        return ""
    return turn(before, flow(call.source, now, before, row.queue).done_per_minute)


def _place(code: str, row: "JobRow") -> tuple[str, tuple[str, ...]]:
    """Return where something can be done about a reason: what the link says, and its address."""
    subject = _PLACES[code]
    name = {"queues": row.queue, "tasks": row.task}.get(subject)
    if name is None:
        return subject.capitalize(), (subject,)
    return subject[:-1].capitalize(), (subject, name)


def _trace(parent: object) -> str | None:
    """Return the trace that a job belongs to, as the header of the W3C names it."""
    found = re.fullmatch("[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}", str(parent))
    return found and found[1]


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


def run_now(call: Call) -> Response:
    """Make the job due that waits for its time."""
    row = call.source.job(call.names["id"])
    if not call.queue.run_now(row.id):
        hint = "only jobs that wait for their time or for another attempt can be run now"
        raise Refused(409, f"the job is {call.source.job(row.id).status}", hint)
    return back(call, "jobs", row.id, did="hurried")


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
    acts("/jobs/<id>/run-now", run_now),
    acts("/jobs/<id>/replay", replay),
    acts("/jobs/<id>/retry", retry, begins_operations=True),
)
