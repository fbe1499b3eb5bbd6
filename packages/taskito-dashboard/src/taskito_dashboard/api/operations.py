"""Operations on all jobs that match a filter line, and the record of what people did."""

from typing import Any, TypedDict, Unpack, cast

from taskito.bulk import MOST_CANARY, VERBS, Operation, Verb
from taskito.filters import Filter, FilterError
from taskito_dashboard.errors import Refused, not_found
from taskito_dashboard.params import MOST_ROWS, Param, document
from taskito_dashboard.routing import Call, reads, writes

_MOST = 100_000
MOST_OF = {"rate": _MOST, "stop_after": _MOST, "canary": MOST_CANARY}
"""The largest values that say how fast an operation goes, and when it ends early."""
_MEANING = {
    "rate": "at most so many jobs in a second",
    "stop_after": "stop when so many of the new jobs have failed",
    "canary": "retry so many first, and the others only if these complete at their first attempt",
}
PACE: dict[str, Any] = {
    name: {
        "type": ["integer", "null"],
        "minimum": 1,
        "maximum": most,
        "description": _MEANING[name],
    }
    for name, most in MOST_OF.items()
}
"""The same in a body."""
_KEYS = ("verb", "filter", *PACE)
_BEGIN: dict[str, Any] = {
    "type": "object",
    "required": ["verb", "filter"],
    "additionalProperties": False,
    "properties": {
        "verb": {"enum": list(VERBS)},
        "filter": {"type": "string", "examples": ["state:dead task:send_*"]},
        **PACE,
    },
}

_LIMIT = Param("limit", "count", 50, MOST_ROWS)
FILTER = Param("filter")


class Pace(TypedDict, total=False):
    """How fast an operation goes, and when it ends early; see :meth:`taskito.bulk.Bulk.begin`."""

    rate: int | None
    stop_after: int | None
    canary: int | None


def count(call: Call) -> dict[str, Any]:
    """How many jobs match a filter line, counted up to 10,000."""
    which = read_filter(call, call.query()["filter"])
    found = call.source.bulk.count(which)
    return {"count": found.number, "is_capped": found.is_capped, "is_whole": found.is_whole}


def list_operations(call: Call) -> list[dict[str, Any]]:
    """Operations of the last 90 days, newest first."""
    return [operation.to_dict() for operation in call.source.bulk.operations(call.query()["limit"])]


def show(call: Call) -> dict[str, Any]:
    """One operation, and how far it is."""
    return known(call).to_dict()


def begin(call: Call) -> tuple[int, dict[str, Any]]:
    """Begin an operation on all jobs that match now."""
    body = document(call.request)
    unknown = sorted(body.keys() - set(_KEYS))
    if unknown:
        raise Refused(400, f"the body has {unknown[0]!r}", f"its keys are {', '.join(_KEYS)}")
    verb, line = body.get("verb"), body.get("filter")
    if verb not in VERBS or not isinstance(line, str):
        hint = f'send {{"verb": "{"|".join(VERBS)}", "filter": "state:dead"}}'
        raise Refused(400, "verb or filter is missing, or is none", hint)
    operation = begun(call, cast("Verb", verb), read_filter(call, line), **pace(body))
    return 202, operation.to_dict()


def stop(call: Call) -> dict[str, Any]:
    """End an operation before its last job."""
    stopped = call.source.bulk.stop(known(call).id, who=call.who)
    return {"stopped": stopped}


def undo(call: Call) -> dict[str, Any]:
    """Take back an operation that is over, as far as that can be done."""
    undone = call.source.bulk.undo(known(call).id, who=call.who)
    if undone is None:
        hint = "an operation that is over can be taken back, but no deletion"
        raise Refused(409, "there is nothing to take back", hint)
    return {"undone": undone}


def audit(call: Call) -> list[dict[str, Any]]:
    """What people did in the last 90 days, newest first."""
    return [deed.to_dict() for deed in call.source.bulk.deeds(call.query()["limit"])]


def begun(call: Call, verb: Verb, which: Filter, **pace: Unpack[Pace]) -> Operation:
    """Begin an operation; a small one is over when this returns, unless it waits for a canary.

    Raises:
        Refused: With 400, for a canary of anything but a retry.
    """
    if pace.get("canary") and verb != "retry":
        raise Refused(
            400, f"canary is of no use: {verb}", "only a retry has a canary; leave it out"
        )
    operation = call.source.bulk.begin(verb, which, who=call.who, **pace)
    call.operations.append(operation.id)
    return call.source.driver.settle(operation)


def known(call: Call) -> Operation:
    """Return the operation that the path names.

    Raises:
        Refused: With 404.
    """
    found = call.source.bulk.get(call.names["id"])
    if found is None:
        raise not_found(f"operation not found: {call.names['id']}", "see /api/operations")
    if call.may_act and not found.is_over:
        call.source.driver.wake()
    return found


def read_filter(call: Call, line: str | None) -> Filter:
    """Return the filter of a line.

    Raises:
        Refused: With 400, and the place; with 403 where it asks for what is hidden.
    """
    try:
        which = Filter.parse(line or "")
    except FilterError as error:
        raise Refused(400, str(error.args[0]), error.hint) from None
    check_hidden(call, which)
    return which


def check_hidden(call: Call, which: Filter) -> None:
    """Refuse a filter that tells what arguments are, where they are hidden.

    Raises:
        Refused: With 403.
    """
    of_arguments = (not term.field or term.field.startswith("args.") for term in which.terms)
    if call.source.hides and any(of_arguments):
        hint = "look for something else, such as error: or task:"
        raise Refused(403, "arguments are hidden here, and so is what would find them", hint)


def pace(body: dict[str, Any]) -> Pace:
    """Return what a body says of the pace.

    Raises:
        Refused: With 400, for what is no such number.
    """
    given: dict[str, int] = {}
    for name, most in MOST_OF.items():
        value = body.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            hint = f"{name} is a whole number from 1 to {most}"
            raise Refused(400, f"{name} is {value!r}", hint)
        given[name] = value
    return cast("Pace", given)


ROUTES = (
    reads("/api/count", count, FILTER, is_timed=True),
    reads("/api/operations", list_operations, _LIMIT),
    writes("POST", "/api/operations", begin, body=_BEGIN, begins_operations=True),
    reads("/api/operations/<id>", show),
    writes("POST", "/api/operations/<id>/stop", stop, begins_operations=True),
    writes("POST", "/api/operations/<id>/undo", undo, begins_operations=True),
    reads("/api/audit", audit, _LIMIT),
)
