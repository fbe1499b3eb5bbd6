"""Dead letters: jobs that will not be tried again until a person says so."""

from typing import Any

from werkzeug.wrappers import Response

from taskito.filters import Filter
from taskito_dashboard.api.dead import FILTERS, deleted, retried
from taskito_dashboard.errors import Refused
from taskito_dashboard.pages.frame import back, capped, page, sure
from taskito_dashboard.pages.groups import RATE, line
from taskito_dashboard.params import MOST_IDS, Param, content, too_large
from taskito_dashboard.routing import Call, acts, shows

PER_PAGE = 50
AGES = (("86400", "1 d"), ("604800", "7 d"), ("2592000", "30 d"), ("0", "any age"))


def failures(call: Call) -> Response:
    """Dead letters, newest first."""
    given = call.query()
    kept = {name: given[name] for name in ("task", "queue") if given[name]}
    found = call.queue.dead_letters(
        PER_PAGE, task_name=given["task"], queue=given["queue"], cursor=given["cursor"]
    )
    return page(
        call,
        "failures.html",
        "failures",
        "Failures",
        rows=list(found),
        groups=groups_of(call, given["task"]),
        kept=kept,
        line=str(letters_of(given["task"], given["queue"])),
        rate=RATE,
        ages=AGES,
        total=capped(call.source.letters()),
        next_cursor=found.next_cursor,
        is_first=given["cursor"] is None,
    )


def letters_of(task: str | None, queue: str | None) -> Filter:
    """Return which jobs have dead letters that are listed: each failed, so each has a group."""
    which = Filter().with_term("state", "dead").with_term("fp", "*")
    for field, value in (("task", task), ("queue", queue)):
        which = which.with_term(field, value) if value else which
    return which


def groups_of(call: Call, task: str | None) -> list[dict[str, Any]]:
    """Return the groups that jobs are in now, those with most jobs first, the silenced last."""
    found = [row for row in call.source.groups.all(task=task) if row.dead + row.retrying]
    found.sort(key=lambda row: (row.state != "open", -row.dead - row.retrying))
    return [{"row": row, "line": line(call, row)} for row in found[:PER_PAGE]]


def act(call: Call) -> Response:
    """Retry or remove the letters that are ticked, or remove all that match."""
    content(call.request)
    form = call.request.form
    task, queue = form.get("task") or None, form.get("queue") or None
    ids = form.getlist("ids")
    if len(ids) > MOST_IDS:
        raise too_large(f"{len(ids):,} letters are ticked")
    deed = form.get("deed")
    if deed == "retry":
        return back(call, "failures", did="retried", n=len(retried(call.source, ids)))
    if deed == "delete":
        return back(call, "failures", did="deleted", n=deleted(call.source, ids))
    if deed == "purge":
        sure(call, "remove all that match")
        age = Param("older_than", "seconds", 0).read(form.get("older_than") or "0")
        removed = call.queue.purge_dead(float(str(age)), task_name=task, queue=queue)
        return back(call, "failures", did="deleted", n=removed)
    raise Refused(400, f"there is no action {deed!r}", "use the buttons of the page")


ROUTES = (
    shows("/failures", failures, *FILTERS, Param("cursor")),
    acts("/failures", act),
)
