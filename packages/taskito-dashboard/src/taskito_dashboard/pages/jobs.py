"""The list of jobs, and what can be done with those that are ticked."""

from collections.abc import Mapping
from typing import Any, cast

from werkzeug.wrappers import Response

from taskito import JobResult
from taskito.bulk import VERBS, Count, Found, Verb
from taskito.filters import Filter, FilterError, Term
from taskito_dashboard.api.jobs import STATUSES
from taskito_dashboard.api.operations import FILTER, begun
from taskito_dashboard.errors import Refused
from taskito_dashboard.pages.frame import back, page
from taskito_dashboard.pages.terms import terms
from taskito_dashboard.params import MOST_IDS, Param, content, too_large
from taskito_dashboard.routing import Call, Route, acts, moved, shows
from taskito_dashboard.words import call_line

PER_PAGE = 50
TABS = (
    ("", "All"),
    ("ready", "Ready"),
    ("scheduled", "Scheduled"),
    ("retrying", "Retrying"),
    ("running", "Running"),
    ("complete", "Completed"),
    ("dead", "Dead"),
    ("cancelled", "Cancelled"),
)
_COUNTED = ("", "running", "complete", "dead", "cancelled")
"""Tabs whose number counters know."""
_MOST_COUNTED = 2**31 - 2
_ID_LENGTH = 36
_LATEST = 253_402_300_799_999
"""The end of the year 9999."""
_OLD = (
    Param("status", choices=STATUSES),
    Param("queue"),
    Param("task"),
    Param("error"),
    Param("created_after", "instant"),
    Param("created_before", "instant"),
)
"""What links from elsewhere say; a filter line says it all."""


def jobs(call: Call) -> Response:
    """Jobs, newest first."""
    given = call.query()
    try:
        which = _which(given)
    except FilterError as error:
        return _mistaken(call, given["filter"] or "", error)
    found = call.source.bulk.search(which, limit=PER_PAGE, cursor=given["cursor"])
    line = str(which)
    return page(
        call,
        "jobs.html",
        "jobs",
        "Jobs",
        rows=[called(job) for job in found],
        line=line,
        kept={"filter": line} if line else {},
        terms=terms(call),
        chips=[(str(term), _url(call, _less(which, term))) for term in which.terms],
        tabs=_tabs(call, which),
        mistake=None,
        searched=found.searched,
        next_cursor=found.next_cursor,
        is_first=given["cursor"] is None,
        total=_total(call, which, found) if given["cursor"] is None else None,
    )


def row(job: Mapping[str, Any]) -> dict[str, Any]:
    """Return a line of the list: the job, and how long it waited and ran."""
    started, ended = job["started_at"], job["completed_at"]
    return {
        **job,
        "wait_ms": None if started is None else started - job["scheduled_at"],
        "run_ms": None if started is None or ended is None else ended - started,
    }


def called(job: JobResult[Any]) -> dict[str, Any]:
    """Return a line of the list with the call that the job is."""
    known = job._known()  # noqa: SLF001 - of our own packages
    return {**row(job.to_dict()), "call": call_line(known.task, known.preview)}


def find(call: Call) -> Response:
    """Lead from the search field to a job or a list."""
    text = (call.query()["q"] or "").strip()
    if len(text) == _ID_LENGTH and call.queue.get_job(text.lower()) is not None:
        return moved(call.url("jobs", text.lower()))
    if text and call.queue.count_jobs(task_name=text):
        return moved(_url(call, Filter().with_term("task", text)))
    if text and call.queue.count_jobs(queue=text):
        return moved(_url(call, Filter().with_term("queue", text)))
    return moved(call.url("jobs", filter=text))


def act(call: Call) -> Response:
    """Cancel, retry or delete the jobs that are ticked, or go on to all that match."""
    content(call.request)
    form = call.request.form
    deed = form.get("deed", "")
    verb, _, all_of_them = deed.partition("-")
    if verb not in VERBS or all_of_them not in {"", "all"}:
        raise Refused(400, f"there is no action {deed!r}", "use the buttons of the page")
    if all_of_them:
        return moved(call.url("operations", "new", verb=verb, filter=form.get("filter", "")))
    ids = list(dict.fromkeys(form.getlist("ids")))
    if len(ids) > MOST_IDS:
        raise too_large(f"{len(ids):,} jobs are ticked")
    if not ids:
        raise Refused(400, "no job is ticked", "go back and tick some")
    ticked = Filter((Term(field="id", sign=":", values=tuple(ids)),))
    if verb == "delete":
        return moved(call.url("operations", "new", verb=verb, filter=str(ticked)))
    operation = begun(call, cast("Verb", verb), ticked)
    did = {"retry": "retried", "cancel": "cancelled"}[verb]
    return back(call, "jobs", did=did, n=operation.done, op=operation.id)


def _which(given: Mapping[str, Any]) -> Filter:
    """Return the filter of an address: its line, and what older links say."""
    which = Filter.parse(given["filter"] or "")
    for name, field in (("status", "state"), ("task", "task"), ("queue", "queue")):
        if given[name]:
            which = which.without(field).with_term(field, given[name])
    if given["error"]:
        which = which.with_term("error", given["error"])
    for name, sign in (("created_after", ">"), ("created_before", "<")):
        if given[name] is not None:
            instant = Filter.instant(min(given[name], _LATEST))
            which = Filter((*which.terms, *Filter.parse(f"created{sign}{instant}").terms))
    return which


def _less(which: Filter, term: Term) -> Filter:
    return Filter(tuple(other for other in which.terms if other is not term))


def _url(call: Call, which: Filter, **more: object) -> str:
    return call.url("jobs", filter=str(which), **more)


def _mistaken(call: Call, line: str, error: FilterError) -> Response:
    """Return the page of a line that cannot be read, with the line to mend."""
    response = page(
        call,
        "jobs.html",
        "jobs",
        "Jobs",
        rows=[],
        line=line,
        kept={},
        terms=terms(call),
        chips=[],
        tabs=_tabs(call, Filter()),
        mistake=error,
        searched=None,
        next_cursor=None,
        is_first=True,
        total=None,
    )
    response.status_code = 400
    return response


def _tabs(call: Call, which: Filter) -> list[dict[str, Any]]:
    """Return the states with how many jobs each has, where counters know."""
    others = which.without("state")
    is_counted = all(term.field in {"task", "queue"} for term in others.terms)
    chosen = (which.value_of("state") or "").replace("completed", "complete")
    tabs: list[dict[str, Any]] = []
    for state, label in TABS:
        tab = others.with_term("state", state) if state else others
        number = None
        if is_counted and state in _COUNTED:
            number = call.source.bulk.count(tab, cap=_MOST_COUNTED).number
        is_here = state == chosen and (which == others) == (not state)
        tabs.append({"label": label, "count": number, "url": _url(call, tab), "is_here": is_here})
    return tabs


def _total(call: Call, which: Filter, found: Found) -> Count:
    """Return how many match; a whole list on one page is not counted again."""
    if found.next_cursor is None:
        return Count(number=len(found), is_capped=False, is_whole=True)
    return call.source.bulk.count(which)


ROUTES = (
    shows("/jobs", jobs, FILTER, *_OLD, Param("cursor")),
    Route(
        method="GET",
        path="/find",
        handler=find,
        role="viewer",
        kind="text",
        query=(Param("q"),),
        summary="Where the search field leads",
    ),
    acts("/jobs", act, begins_operations=True),
)
