"""All jobs that match a filter line, as a file that is written while it is read."""

from werkzeug.wrappers import Response

from taskito.export import FORMATS
from taskito_dashboard.api.operations import FILTER, read_filter
from taskito_dashboard.routing import Call, Handler, Route


def as_csv(call: Call) -> Response:
    """All jobs that match, as CSV."""
    return _file(call, "csv", "text/csv; charset=utf-8")


def as_json(call: Call) -> Response:
    """All jobs that match, as a JSON array."""
    return _file(call, "json", "application/json")


def _file(call: Call, suffix: str, mimetype: str) -> Response:
    which = read_filter(call, call.query()["filter"])
    rows = (job.to_dict() for job in call.source.bulk.every(which))
    return Response(
        (part.encode("utf-8", "replace") for part in FORMATS[suffix](rows)),
        content_type=mimetype,
        headers={"Content-Disposition": f'attachment; filename="jobs.{suffix}"'},
    )


def _route(path: str, handler: Handler, summary: str) -> Route:
    return Route(
        method="GET",
        path=path,
        handler=handler,
        role="viewer",
        kind="text",
        query=(FILTER,),
        summary=summary,
    )


ROUTES = (
    _route("/export/jobs.csv", as_csv, "All jobs that match, as CSV"),
    _route("/export/jobs.json", as_json, "All jobs that match, as a JSON array"),
)
