"""One group of failures: what its failures share, where they differ, and what to do about them."""

from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

from taskito.filters import Filter
from taskito_dashboard.api.operations import begun
from taskito_dashboard.errors import Refused, not_found
from taskito_dashboard.failures import (
    HOUR_MS,
    HOURS,
    Where,
    affected,
    bars,
    places,
    stretches,
    varying,
)
from taskito_dashboard.pages.frame import back, page, sure
from taskito_dashboard.pages.job import retried
from taskito_dashboard.pages.jobs import listed
from taskito_dashboard.pages.operations import pace
from taskito_dashboard.routing import Call, acts, moved, shows

if TYPE_CHECKING:
    from taskito_core import AttemptRow, GroupRow

SAMPLES = 20
PACE = {"canary": 1, "rate": 20, "stop_after": 5}
"""How all are replayed, unless somebody writes something else."""
_ATTEMPTS = 200
_JOBS = 100
_MARKS = 50
_STATES = {"silence": "silenced", "resolve": "resolved", "open": "open"}
_DEEDS = {"silenced": "silenced", "resolved": "resolved", "open": "reopened"}


def group(call: Call) -> Response:
    """One group of failures."""
    found = of(call)
    fingerprint = found.fingerprint
    attempts = call.source.groups.attempts(fingerprint, _ATTEMPTS)
    jobs = call.source.groups.jobs(fingerprint, _JOBS)
    return page(
        call,
        "group.html",
        "failures",
        found.error_type,
        group=found,
        pace=PACE,
        line=line(call, found),
        samples=[listed(job, call.source) for job in jobs[:SAMPLES]],
        arguments=affected(call.source.preview(job) for job in jobs),
        called=len(jobs),
        parts=varying(found.template, [attempt.message or "" for attempt in attempts]),
        places=_places(call, attempts),
        looked_at=len(attempts),
        newest=attempts[0] if attempts else None,
        stretches=stretches(attempts[0].frames) if attempts else [],
    )


def _places(call: Call, attempts: "list[AttemptRow]") -> list[Where]:
    marks = call.source.bulk.marks(0, attempts[0].failed_at + 1, _MARKS) if attempts else []
    versions = {
        f"{worker['hostname']}:{worker['pid']}": worker["version"]
        for worker in call.queue.workers()
    }
    return places(attempts, marks, versions)


def act(call: Call) -> Response:
    """Replay jobs of a group, remove its letters, or say what is thought of it."""
    found = of(call)
    deed = call.request.form.get("deed", "")
    here = ("failures", found.fingerprint)
    if deed == "one":
        return _one(call, found)
    if deed == "replay":
        operation = begun(call, "retry", dead_of(found), **pace(call))
        return moved(call.url("operations", operation.id))
    if deed == "discard":
        sure(call, "remove all dead letters of the group")
        return back(call, *here, did="deleted", n=call.source.groups.discard(found.fingerprint))
    state = _STATES.get(deed)
    if state is None:
        raise Refused(400, f"there is no action {deed!r}", "use the buttons of the page")
    call.source.groups.judge(found.fingerprint, state)  # type: ignore[arg-type] # of the table
    return back(call, *here, did=_DEEDS[state])


def dead_of(found: "GroupRow") -> Filter:
    """Return which jobs are the dead ones of a group."""
    return Filter().with_term("state", "dead").with_term("fp", found.fingerprint)


def _one(call: Call, found: "GroupRow") -> Response:
    """Replay the job that is dead longest, and show the new one."""
    job = call.source.groups.oldest(found.fingerprint)
    operation = job and begun(call, "retry", Filter().with_term("id", job))
    if not operation or not operation.done:
        raise Refused(409, "the group has no dead job", "those that are tried again go on alone")
    return retried(call, operation)


def of(call: Call) -> "GroupRow":
    """Return the group that an address names.

    Raises:
        Refused: With 404.
    """
    name = call.names["group"]
    found = call.source.groups.get(name)
    if found is None:
        hint = "it went with the last of its failures; see /failures"
        raise not_found(f"no group of failures {name!r}", hint)
    return found


def line(call: Call, found: "GroupRow") -> dict[str, Any]:
    """Return the sparkline of a group: bars, and how many failures they stand for."""
    since = call.source.now - (HOURS - 1) * HOUR_MS
    since -= since % HOUR_MS
    counts = call.source.groups.hours(found.fingerprint, since, HOURS)
    return {"bars": bars(counts), "total": sum(counts), "most": max(counts)}


ROUTES = (
    shows("/failures/<group>", group),
    acts("/failures/<group>", act),
)
"""After those of the letters: their paths have no name."""
