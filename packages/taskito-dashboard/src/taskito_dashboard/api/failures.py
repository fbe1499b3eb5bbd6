"""Groups of failures as documents, and what can be done with them."""

from typing import Any, cast, get_args

from taskito._groups import State, document
from taskito_dashboard.api.operations import PACE, begun, pace
from taskito_dashboard.errors import Refused
from taskito_dashboard.failures import HOUR_MS, HOURS, frames_of
from taskito_dashboard.pages.groups import dead_of, of
from taskito_dashboard.params import Param
from taskito_dashboard.params import document as body_of
from taskito_dashboard.routing import Call, reads, writes

_SAMPLES = 20
_STATES = get_args(State)
_RETRY: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"most": {"type": ["integer", "null"], "minimum": 1}, **PACE},
}
_STATE = {
    "type": "object",
    "properties": {"state": {"enum": list(_STATES)}},
    "required": ["state"],
}


def list_groups(call: Call) -> list[dict[str, Any]]:
    """Groups of failures, the one that failed last first."""
    given = call.query()
    state = given["state"]
    if state is not None and state not in _STATES:
        raise Refused(400, f"state is {state!r}", f"it is one of {', '.join(_STATES)}")
    return [document(group) for group in call.source.groups.all(state=state, task=given["task"])]


def show_group(call: Call) -> dict[str, Any]:
    """One group of failures."""
    group = of(call)
    fingerprint = group.fingerprint
    attempts = call.source.groups.attempts(fingerprint, 1)
    since = call.source.now - HOURS * HOUR_MS
    return {
        **document(group),
        "hours": call.source.groups.hours(fingerprint, since, HOURS),
        "jobs": [
            {"id": job.id, "status": job.status, "preview": call.source.preview(job)}
            for job in call.source.groups.jobs(fingerprint, _SAMPLES)
        ],
        "message": attempts[0].message if attempts else None,
        "frames": frames_of(attempts[0]) if attempts else [],
    }


def retry_group(call: Call) -> dict[str, list[str]] | tuple[int, dict[str, Any]]:
    """Store the dead jobs of a group again; with a pace as an operation."""
    group = of(call)
    body = body_of(call.request)
    unknown = sorted(body.keys() - _RETRY["properties"].keys())
    if unknown:
        known = ", ".join(_RETRY["properties"])
        raise Refused(400, f"the body has {unknown[0]!r}", f"its keys are {known}")
    most, wanted = body.get("most"), pace(body)
    if wanted:
        if most is not None:
            raise Refused(400, f"most and {next(iter(wanted))} exclude each other", "leave out one")
        return 202, begun(call, "retry", dead_of(group), **wanted).to_dict()
    if most is not None and (not isinstance(most, int) or isinstance(most, bool) or most < 1):
        raise Refused(400, f"most is {most!r}", "it is a number from 1 on; leave it out for all")
    return {"new_job_ids": call.source.groups.retry(group.fingerprint, most)}


def discard_group(call: Call) -> dict[str, int]:
    """Remove the dead letters of a group; the jobs stay dead."""
    return {"deleted": call.source.groups.discard(of(call).fingerprint)}


def judge_group(call: Call) -> dict[str, Any]:
    """Say what people make of a group."""
    group = of(call)
    state = body_of(call.request).get("state")
    if state not in _STATES:
        raise Refused(400, f"state is {state!r}", f"it is one of {', '.join(_STATES)}")
    call.source.groups.judge(group.fingerprint, cast("State", state))
    return document(of(call))


ROUTES = (
    reads("/api/failures", list_groups, Param("state"), Param("task")),
    writes("POST", "/api/failures/<group>/retry", retry_group, body=_RETRY),
    writes("POST", "/api/failures/<group>/discard", discard_group),
    writes("PUT", "/api/failures/<group>/state", judge_group, body=_STATE),
    reads("/api/failures/<group>", show_group, is_timed=True),
)
