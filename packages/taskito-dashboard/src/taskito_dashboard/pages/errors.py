"""Pages that say why there is no other."""

from pathlib import Path
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
_CAUSES = {
    "busy": (
        "a tool such as sqlite3 or a backup holds a lock on the file",
        "a process that was writing to it is stopped",
    ),
    "corrupt": (
        "it was copied or restored without its write-ahead log, or while it was written to",
        "it lies on a network file system, or the disk fails",
    ),
    "foreign": ("the path is that of another program's database",),
    "full": ("other files fill the disk, or finished jobs are never deleted",),
    "io": ("the directory is gone or not mounted", "the disk fails"),
    "network": ("the directory is shared between machines",),
    "newer_schema": (
        "a newer taskito has opened this file",
        "this page runs in an environment or an image that was not upgraded",
    ),
    "not_a_database": (
        "the path is that of another file",
        "a copy or a download of it was cut short",
    ),
    "not_writable": (
        "another user owns the file, its directory or the files beside it",
        "it is mounted read-only",
    ),
}
"""What is likely to have happened, by what the engine calls the error."""


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
        facts["database"] = _file(source) if refusal.status == 503 else None  # noqa: PLR2004
        facts["causes"] = _CAUSES.get(refusal.kind, ())
    return pages.render(request, template, code=refusal.status, **facts)


def _file(source: "Source") -> str:
    path = source.queue.db_path
    return path if path == ":memory:" else str(Path(path).absolute())


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
