"""The WSGI application: one page, one JSON document."""

import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import jinja2
import orjson
from werkzeug.wrappers import Request, Response

from taskito.exceptions import TaskitoError
from taskito_dashboard.security import headers_for, host_of, is_loopback

if TYPE_CHECKING:
    from taskito import Queue

logger = logging.getLogger(__name__)


def create_app(queue: "Queue") -> WSGIApplication:
    """The dashboard of one queue as a WSGI application.

    It answers ``GET`` and ``HEAD`` of ``/`` and ``/api/stats``. There is no login yet,
    so every request whose ``Host`` is not a loopback name is refused with 403.

    Args:
        queue: whose counts to show. It is read at each request and never changed.

    Example:
        ```python
        from wsgiref.simple_server import make_server

        from taskito import Queue
        from taskito_dashboard import create_app

        make_server("127.0.0.1", 8080, create_app(Queue("jobs.db"))).serve_forever()
        ```
    """
    return Dashboard(queue)


class Dashboard:
    """Answers requests for one queue."""

    def __init__(self, queue: "Queue") -> None:
        self._queue = queue
        templates = jinja2.Environment(
            loader=jinja2.PackageLoader("taskito_dashboard"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
        )
        self._page = templates.get_template("index.html")
        self._style = templates.get_template("style.css").render()
        self._headers = headers_for(self._style)

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """The WSGI entry point."""
        response = self._answer(Request(environ))
        response.headers.update(self._headers)
        return response(environ, start)

    def _answer(self, request: Request) -> Response:
        host = host_of(request.environ.get("HTTP_HOST", ""))
        if not is_loopback(host):
            hint = "open the page as http://127.0.0.1 on the machine it runs on"
            return _failure(403, f"host {host!r} is not a loopback name", hint)
        if request.path not in {"/", "/api/stats"}:
            return _failure(404, f"there is no page {request.path!r}", "try / or /api/stats")
        if request.method not in {"GET", "HEAD"}:
            response = _failure(405, f"{request.method} is not allowed here", "use GET")
            response.headers["Allow"] = "GET, HEAD"
            return response
        try:
            stats = self._queue.stats()
        except TaskitoError as error:
            logger.exception("the dashboard cannot read the queue")
            return _failure(503, str(error.args[0]), error.hint)
        if request.path == "/api/stats":
            return _json(200, stats)
        html = self._page.render(stats=stats, style=self._style, db_path=self._queue.db_path)
        return Response(html, mimetype="text/html")


def _failure(status: int, error: str, hint: str | None) -> Response:
    return _json(status, {"error": error, "hint": hint})


def _json(status: int, document: Mapping[str, str | int | None]) -> Response:
    return Response(orjson.dumps(document), status=status, mimetype="application/json")
