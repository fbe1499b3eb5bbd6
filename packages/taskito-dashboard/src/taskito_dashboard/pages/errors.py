"""Pages that say why there is no other."""

from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from taskito.filters import Filter
from taskito_dashboard.errors import TooBroad
from taskito_dashboard.params import READ_MS
from taskito_dashboard.routing import place

if TYPE_CHECKING:
    from taskito_dashboard.errors import Refused
    from taskito_dashboard.rendering import Pages
    from taskito_dashboard.source import Source

_TITLES = {
    400: "This cannot be done",
    401: "Log in",
    403: "Not allowed",
    404: "Not found",
    405: "Not allowed",
    409: "Not possible now",
    413: "Too much at once",
    429: "Too many tries",
    503: "The database cannot be used",
}


def page(pages: "Pages", request: Request, source: "Source", refusal: "Refused") -> Response:
    """Return the page of a refusal; it asks the database nothing."""
    facts: dict[str, Any] = {
        "title": _TITLES.get(refusal.status, "Something is wrong"),
        "status": refusal.status,
        "error": refusal.error,
        "hint": refusal.hint,
    }
    if refusal.status in {401, 429}:
        template = "login.html"
        facts["target"] = place(request) if request.method == "GET" else ""
    elif isinstance(refusal, TooBroad):
        template = "broad.html"
        facts |= {"title": "Too broad", "line": _line(request), "seconds": READ_MS // 1000}
    else:
        template = "error.html"
        facts["database"] = source.queue.db_path if refusal.status == 503 else None  # noqa: PLR2004
    return pages.render(request, template, code=refusal.status, **facts)


def _line(request: "Request") -> str:
    """Return the filter that a request came with, as a line to narrow."""
    given = request.args
    line = given.get("filter") or given.get("q")
    if line:
        return line
    which = Filter()
    for name, field in (("status", "state"), ("task", "task"), ("queue", "queue")):
        if given.get(name):
            which = which.with_term(field, given[name])
    if given.get("error"):
        which = which.with_term("error", given["error"])
    return str(which)
