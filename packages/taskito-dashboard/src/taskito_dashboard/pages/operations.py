"""Operations on all jobs that match: asking first, watching, stopping, taking back."""

from typing import Any, cast

from werkzeug.wrappers import Response

from taskito.bulk import CAP, VERBS, Operation
from taskito.filters import Filter
from taskito_dashboard.api.operations import FILTER, MOST_OF, Pace, begun, known, read_filter
from taskito_dashboard.errors import Refused
from taskito_dashboard.pages.frame import back, page
from taskito_dashboard.pages.jobs import listed
from taskito_dashboard.params import Param, content
from taskito_dashboard.routing import Call, acts, moved, shows
from taskito_dashboard.source import row_of
from taskito_dashboard.words import duration

SAMPLES = 5
UNDO_MS = 60_000
"""A page offers Undo for ten seconds; whoever is slow has a minute."""
_VERB = Param("verb", choices=VERBS)
_MOST_KNOWN = CAP
_CANARIES_SHOWN = 10


def operations(call: Call) -> Response:
    """Operations, newest first."""
    rows = [shown(operation) for operation in call.source.bulk.operations()]
    return page(call, "operations.html", "system", "Operations", rows=rows)


def ask(call: Call) -> Response:
    """What an operation would do, before it does."""
    given = call.query()
    which, verb = read_filter(call, given["filter"]), given["verb"] or "retry"
    found = call.source.bulk.search(which, limit=SAMPLES)
    return page(
        call,
        "operation_new.html",
        "jobs",
        f"{verb.capitalize()} all that match",
        verb=verb,
        rate=given["rate"],
        canary=given["canary"],
        line=str(which),
        in_words=which.in_words(),
        number=call.source.bulk.count(which).jobs(),
        samples=[listed(row_of(job), call.source) for job in found],
    )


def begin(call: Call) -> Response:
    """Begin an operation and show it."""
    content(call.request)
    form = call.request.form
    verb = form.get("verb", "")
    if verb not in VERBS:
        raise Refused(400, f"there is no action {verb!r}", "use the buttons of the page")
    if verb == "delete" and form.get("typed", "").strip().lower() != "delete":
        raise Refused(400, "not confirmed: delete", "go back and type the word delete")
    operation = begun(call, verb, read_filter(call, form.get("filter")), **pace(call))
    return moved(call.url("operations", operation.id))


def operation(call: Call) -> Response:
    """One operation."""
    found = known(call)
    age = None if found.ended_at is None else call.source.now - found.ended_at
    can_undo = age is not None and age <= UNDO_MS and is_undoable(found)
    return page(
        call,
        "operation.html",
        "system",
        f"{found.verb.capitalize()} {found.filter or 'all jobs'}",
        operation=shown(found),
        in_words=Filter.parse(found.filter).in_words(),
        can_undo=can_undo,
        canaries=_canaries(call, found),
        next=what_is_next(found, call.source.now),
        touched=call.source.bulk.touched(found.id),
    )


def stop(call: Call) -> Response:
    """End an operation before its last job."""
    found = known(call)
    call.source.bulk.stop(found.id, who=call.who)
    return moved(call.url("operations", found.id))


def undo(call: Call) -> Response:
    """Take back an operation that was over a moment ago."""
    found = known(call)
    is_late = found.ended_at is None or call.source.now - found.ended_at > UNDO_MS
    undone = None if is_late else call.source.bulk.undo(found.id, who=call.who)
    if undone is None:
        hint = "only what is over for less than a minute can be taken back, and no deletion"
        raise Refused(409, "this cannot be taken back any more", hint)
    if found.done == 1:
        # The page of a job that was made, or that was cancelled, is gone.
        job, copy = call.source.bulk.touched(found.id, 1)[0]
        return moved(call.url(*("jobs", job) if copy else ("jobs",), did="undone", n=undone))
    return back(call, "operations", found.id, did="undone", n=undone)


def _canaries(call: Call, operation: Operation) -> list[dict[str, Any]]:
    """Return the jobs that were made first, as long as they are stored."""
    most = min(operation.canary or 0, _CANARIES_SHOWN)
    copies = [copy for _, copy in call.source.bulk.touched(operation.id, most) if copy]
    return [
        listed(row_of(job), call.source) for copy in copies if (job := call.queue.get_job(copy))
    ]


def what_is_next(operation: Operation, now: int) -> str:
    """Return what becomes of an operation with a canary, in words."""
    made, wanted = operation.done, operation.canary or 0
    if operation.state == "done":
        return "There were no others." if made <= wanted else "It completed, the others followed."
    if operation.state == "stopped":
        return "The others were left alone." if made <= wanted else "It completed, others followed."
    if operation.waits_until is not None:
        left = duration(operation.waits_until - now)
        return f"The others follow when it has completed. It is waited for {left} more."
    return "It is made first." if made < wanted else "It completed, the others follow."


def shown(operation: Operation) -> dict[str, Any]:
    """Return an operation with how far it is in percent, where that is known."""
    through = operation.done + operation.skipped
    is_known = operation.total <= _MOST_KNOWN
    percent = min(100, 100 * through // max(1, operation.total)) if is_known else None
    return {
        **operation.to_dict(),
        "through": through,
        "percent": 100 if operation.state == "done" else percent,
        "total_text": f"{operation.total:,}" if is_known else f"{_MOST_KNOWN:,}+",
    }


def is_undoable(operation: Operation) -> bool:
    """Whether there may be something to take back that was not taken back before."""
    is_undone = (operation.report or "").startswith("undone")
    return operation.is_over and operation.verb != "delete" and operation.done > 0 and not is_undone


def pace(call: Call) -> Pace:
    """Return how fast a form wants an operation to go, and when it ends early.

    Raises:
        Refused: With 400, for what is no number.
    """
    given: dict[str, int] = {}
    for name, most in MOST_OF.items():
        text = call.request.form.get(name, "").strip()
        if not text:
            continue
        if not (text.isascii() and text.isdigit() and len(text) < 7 and 1 <= int(text) <= most):  # noqa: PLR2004
            what = f"{name.replace('_', ' ')} is {text[:100]!r}"
            raise Refused(400, what, f"write a whole number from 1 to {most}")
        given[name] = int(text)
    return cast("Pace", given)


ROUTES = (
    shows("/operations", operations),
    shows("/operations/new", ask, _VERB, FILTER, Param("rate"), Param("canary")),
    acts("/operations", begin, begins_operations=True),
    shows("/operations/<id>", operation),
    acts("/operations/<id>/stop", stop, begins_operations=True),
    acts("/operations/<id>/undo", undo, begins_operations=True),
)
