"""Groups of failures, and dead letters: jobs that are not tried again until a person says so."""

from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Response

from taskito.filters import Filter
from taskito_dashboard.api.dead import FILTERS, deleted, retried
from taskito_dashboard.errors import Refused
from taskito_dashboard.failures import ORDERS, Place, listed
from taskito_dashboard.pages.frame import back, page, sure
from taskito_dashboard.pages.groups import PACE, line
from taskito_dashboard.params import MOST_IDS, Param, content, too_large
from taskito_dashboard.routing import Call, acts, shows

PER_PAGE = 50
GROUPS_PER_PAGE = 25
MOST_GROUPS = 10_000
"""So many groups are sorted; more would be a fault of how messages are compared."""
_MARKS = 10
_MARK_DAYS_MS = 90 * 86_400_000
STATES = ("open", "all")
BY = {"count": "Count", "last": "Last seen", "first": "First seen"}
AGES = (("86400", "1 d"), ("604800", "7 d"), ("2592000", "30 d"), ("0", "any age"))


def failures(call: Call) -> Response:
    """Groups of failures, and dead letters, newest first."""
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
        **groups_of(call, given),
        kept=kept,
        line=str(letters_of(given["task"], given["queue"])),
        pace=PACE,
        ages=AGES,
        next_cursor=found.next_cursor,
        is_first=given["cursor"] is None,
    )


def groups_of(call: Call, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the groups that jobs are in now, as an address wants to see them."""
    state, by, since = given["state"], given["by"], given["since"]
    wanted = [
        row
        for row in call.source.groups.failing(MOST_GROUPS)
        if (given["task"] is None or row.task == given["task"])
        and (since is None or row.first_seen >= since)
    ]
    shown = [row for row in wanted if state in {"all", row.state}]
    rows, after = listed(shown, by, _place(given["after"]), GROUPS_PER_PAGE)
    return {
        "groups": [{"row": row, "line": line(call, row)} for row in rows],
        "view": {name: given[name] for name in ("task", "queue", "state", "by", "since")},
        "after": None if after is None else f"{after[0]}-{after[1]}",
        "is_top": given["after"] is None,
        "numbers": {"open": sum(row.state == "open" for row in wanted), "all": len(wanted)},
        "orders": BY,
        "marks": call.source.bulk.marks(
            call.source.now - _MARK_DAYS_MS, call.source.now + 1, _MARKS
        ),
    }


def _place(text: str | None) -> Place | None:
    """Return where a page of groups goes on.

    Raises:
        Refused: With 400, for a text that is no place.
    """
    if text is None:
        return None
    number, _, fingerprint = text.partition("-")
    if not (number.isascii() and number.isdigit() and len(number) < 17):  # noqa: PLR2004
        raise Refused(400, f"after is {text[:100]!r}", "follow the links of the page")
    return int(number), fingerprint


def letters_of(task: str | None, queue: str | None) -> Filter:
    """Return which jobs have dead letters that are listed: each failed, so each has a group."""
    which = Filter().with_term("state", "dead").with_term("fp", "*")
    for field, value in (("task", task), ("queue", queue)):
        which = which.with_term(field, value) if value else which
    return which


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
    shows(
        "/failures",
        failures,
        *FILTERS,
        Param("cursor"),
        Param("state", default="open", choices=STATES),
        Param("by", default="count", choices=ORDERS),
        Param("since", "instant"),
        Param("after"),
    ),
    acts("/failures", act),
)
