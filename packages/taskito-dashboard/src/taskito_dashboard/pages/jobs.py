"""The list of jobs, and what can be done with many of them."""

from collections.abc import Mapping
from itertools import chain
from typing import Any

from werkzeug.wrappers import Response

from taskito import JobPage, JobResult
from taskito_dashboard.api.jobs import FILTERS, cancelled, renamed, replayed
from taskito_dashboard.errors import Refused
from taskito_dashboard.pages.frame import back, page, sure
from taskito_dashboard.params import MOST_IDS, Param, content, too_large
from taskito_dashboard.routing import Call, Route, acts, moved, shows
from taskito_dashboard.words import call_line

PER_PAGE = 50
TABS = (
    ("", "All"),
    ("pending", "Pending"),
    ("running", "Running"),
    ("complete", "Completed"),
    ("dead", "Dead"),
    ("cancelled", "Cancelled"),
)
WITHIN = (("", "any time"), ("3600", "1 h"), ("86400", "24 h"), ("604800", "7 d"))
_WITHIN = Param("within", "seconds")
_ID_LENGTH = 36


def jobs(call: Call) -> Response:
    """Jobs, newest first."""
    given = call.query()
    cursor, within = given.pop("cursor"), given.pop("within")
    if within is not None and given["created_after"] is None:
        given["created_after"] = call.source.now - int(within * 1000)
    which = renamed(given)
    total = _total(call, which)
    found = _found(call, which, cursor, total)
    kept = {name: call.request.args[name] for name in _filters() if call.request.args.get(name)}
    return page(
        call,
        "jobs.html",
        "jobs",
        "Jobs",
        rows=[called(job) for job in found],
        tabs=_tabs(call, kept),
        kept=kept,
        within=WITHIN,
        next_cursor=found.next_cursor,
        is_first=cursor is None,
        total=total,
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
    text = call.query()["q"] or ""
    text = text.strip()
    if len(text) == _ID_LENGTH and call.queue.get_job(text.lower()) is not None:
        return moved(call.url("jobs", text.lower()))
    if text and call.queue.count_jobs(task_name=text):
        return moved(call.url("jobs", task=text))
    if text and call.queue.count_jobs(queue=text):
        return moved(call.url("jobs", queue=text))
    return moved(call.url("jobs", error=text))


def act(call: Call) -> Response:
    """Cancel or repeat the jobs that are ticked, or all that match."""
    content(call.request)
    form = call.request.form
    deed = form.get("deed")
    if deed not in {"cancel", "replay"}:
        raise Refused(400, f"there is no action {deed!r}", "use the buttons of the page")
    if form.get("all") == "yes":
        sure(call, f"{deed} all jobs that match")
        given = {
            param.name: param.read(form[param.name]) if form.get(param.name) else None
            for param in FILTERS
        }
        ids = list(call.source.matching(renamed(given)))
    else:
        ids = form.getlist("ids")
        if len(ids) > MOST_IDS:
            raise too_large(f"{len(ids):,} jobs are ticked")
    if deed == "replay":
        return back(call, "jobs", did="replayed", n=len(replayed(call.source, ids)))
    return back(call, "jobs", did="cancelled", n=sum(cancelled(call.source, ids).values()))


def _found(call: Call, which: Mapping[str, Any], cursor: str | None, total: int | None) -> JobPage:
    status = which["status"]
    if cursor is None and status is not None and total is not None and total <= PER_PAGE:
        few = call.source.newest(total, status, which["queue"], which["task_name"])
        return JobPage(few, None)
    return call.queue.list_jobs(limit=PER_PAGE, cursor=cursor, **which)


def _filters() -> list[str]:
    return [param.name for param in chain(FILTERS, (_WITHIN,))]


def _tabs(call: Call, kept: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the states with how many jobs each has, where that costs no counting."""
    scans = kept.keys() & {"metadata", "error", "created_after", "created_before", "within"}
    tabs: list[dict[str, Any]] = []
    others = {name: value for name, value in kept.items() if name != "status"}
    for status, label in TABS:
        number = None
        if not scans:
            number = call.queue.count_jobs(status or None, kept.get("queue"), kept.get("task"))
        address = call.url("jobs", **others, status=status)
        chosen = kept.get("status", "").replace("completed", "complete")
        is_here = status == chosen
        tabs.append({"label": label, "count": number, "url": address, "is_here": is_here})
    return tabs


def _total(call: Call, which: Mapping[str, Any]) -> int | None:
    """Return how many jobs match, where that costs no counting."""
    if any(
        which[name] is not None for name in ("metadata", "error", "created_after", "created_before")
    ):
        return None
    return call.queue.count_jobs(**which)


ROUTES = (
    shows("/jobs", jobs, *FILTERS, _WITHIN, Param("cursor")),
    Route(
        method="GET",
        path="/find",
        handler=find,
        role="viewer",
        kind="text",
        query=(Param("q"),),
        summary="Where the search field leads",
    ),
    acts("/jobs", act),
)
