"""The list of jobs, and what can be done with those that are ticked."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from werkzeug.wrappers import Response

from taskito.bulk import VERBS, Count, Found, Verb
from taskito.filters import Filter, FilterError, Term
from taskito_dashboard.api.jobs import STATUSES
from taskito_dashboard.api.operations import FILTER, begun, check_hidden
from taskito_dashboard.errors import Refused
from taskito_dashboard.pages.frame import back, page
from taskito_dashboard.pages.terms import terms
from taskito_dashboard.params import MOST_IDS, Param, content, too_large
from taskito_dashboard.rendering import COLUMNS, hidden_of
from taskito_dashboard.routing import Call, Route, acts, moved, place, shows
from taskito_dashboard.source import Source, row_of
from taskito_dashboard.standing import Standing, standing
from taskito_dashboard.words import call_line, count, stands

if TYPE_CHECKING:
    from taskito_core import JobRow

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
_MOST_NEWER = 1000
_MOST_COUNTED = 2**31 - 2
_ID_LENGTH = 36
_SHORT_ID = re.compile("[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{2}")
"""An id as lists show it."""
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
    """Jobs, newest first.

    Whoever looks at the first page asks for it again from ``top`` on, the newest job that it had,
    so that new jobs do not push what is read.
    """
    given = call.query()
    try:
        which = _which(given)
        check_hidden(call, which)
    except FilterError as error:
        return _mistaken(call, given["filter"] or "", error)
    is_first = given["cursor"] is None
    top = given["top"] if is_first else None
    newer = None if top is None else _newer(call, which, top)
    found = call.source.bulk.search(
        which, limit=PER_PAGE, cursor=given["cursor"], newest=None if newer is None else top
    )
    line = str(which)
    if is_first and newer is None and found:
        top = found[0].id
    return page(
        call,
        "jobs.html",
        "jobs",
        "Jobs",
        rows=[listed(row_of(job), call.source) for job in found],
        line=line,
        kept={"filter": line} if line else {},
        newer=newer,
        poll=_url(call, which, top=top) if top is not None else None,
        terms=terms(call),
        chips=[(str(term), _url(call, _less(which, term))) for term in which.terms],
        tabs=_tabs(call, which),
        columns=_columns(call),
        hidden=hidden_of(call.request).split("."),
        mistake=None,
        searched=found.searched,
        next_cursor=found.next_cursor,
        is_first=is_first,
        total=_total(call, which, found, newer) if is_first else None,
    )


def listed(job: "JobRow", source: Source) -> dict[str, Any]:
    """Return a line of the list: the call that a job is, where it stands, how long it took.

    One that runs, ran until now.
    """
    now, started = source.now, job.started_at
    ended = now if job.status == "running" else job.completed_at
    return {
        "id": job.id,
        "task_name": job.task,
        "call": call_line(job.task, source.preview(job)),
        "status": job.status,
        "stands": stands(job, now),
        "queue": job.queue,
        "progress": job.progress,
        "retry_count": job.retry_count,
        "max_retries": job.max_retries,
        "created_at": job.created_at,
        "started_at": started,
        "error": job.error,
        "wait_ms": None if started is None else started - job.scheduled_at,
        "run_ms": None if started is None or ended is None else max(0, ended - started),
    }


def _columns(call: Call) -> list[tuple[str, str]]:
    """Return what hides or shows each column: what the link says, and its address."""
    hidden = set(hidden_of(call.request).split(".")) & set(COLUMNS)
    found: list[tuple[str, str]] = []
    for name in COLUMNS:
        wanted = hidden ^ {name}
        hide = ".".join(column for column in COLUMNS if column in wanted)
        deed = "Show" if name in hidden else "Hide"
        url = call.url("columns", hide=hide, back=place(call.request))
        found.append((f"{deed} {name}", url))
    return found


def find(call: Call) -> Response:
    """Lead from the search field to a job or a list."""
    text = (call.query()["q"] or "").strip()
    if len(text) == _ID_LENGTH and call.queue.get_job(text.lower()) is not None:
        return moved(call.url("jobs", text.lower()))
    if _SHORT_ID.fullmatch(text):
        return moved(_url(call, Filter().with_term("id", text)))
    if text and call.queue.count_jobs(task_name=text):
        return moved(_url(call, Filter().with_term("task", text)))
    if text and call.queue.count_jobs(queue=text):
        return moved(_url(call, Filter().with_term("queue", text)))
    if call.source.hides and text:
        return moved(_url(call, Filter().with_term("error", text)))
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
        newer=None,
        poll=None,
        terms=terms(call),
        chips=[],
        tabs=_tabs(call, Filter()),
        columns=[],
        hidden=[],
        mistake=error,
        searched=None,
        next_cursor=None,
        is_first=True,
        total=None,
    )
    response.status_code = 400
    return response


def _tabs(call: Call, which: Filter) -> list[dict[str, Any]]:
    """Return the states with how many jobs each has, where that is known without looking."""
    others = which.without("state")
    is_counted = all(term.field in {"task", "queue"} for term in others.terms)
    waiting = {} if others.terms else _waiting(standing(call.source))
    chosen = (which.value_of("state") or "").replace("completed", "complete")
    tabs: list[dict[str, Any]] = []
    for state, label in TABS:
        tab = others.with_term("state", state) if state else others
        number = waiting.get(state)
        if is_counted and state in _COUNTED:
            number = str(call.source.bulk.count(tab, cap=_MOST_COUNTED))
        is_here = state == chosen and (which == others) == (not state)
        tabs.append({"label": label, "count": number, "url": _url(call, tab), "is_here": is_here})
    return tabs


def _waiting(stands: Standing) -> dict[str, str]:
    """Return how many jobs are ready, scheduled and retrying, of all queues and tasks."""
    scheduled = {} if stands.scheduled is None else {"scheduled": count(stands.scheduled)}
    return {"ready": count(stands.all_ready), "retrying": stands.retrying_text, **scheduled}


def _newer(call: Call, which: Filter, top: str) -> Count | None:
    """Return how many jobs came after the one that a page began with; ``None`` if none did.

    Where very many came, those that match may be none of the newest of them, which are counted.
    """
    found = call.source.bulk.count(which, after=top, cap=_MOST_NEWER)
    return found if found.number or not found.is_whole else None


def _total(call: Call, which: Filter, found: Found, newer: Count | None) -> Count:
    """Return how many match; a whole list on one page is not counted again."""
    if found.next_cursor is None and newer is None:
        return Count(number=len(found), is_capped=False, is_whole=True)
    return call.source.bulk.count(which)


ROUTES = (
    shows("/jobs", jobs, FILTER, *_OLD, Param("cursor"), Param("top")),
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
