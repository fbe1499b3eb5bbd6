"""The dashboard as applications mount it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from taskito_dashboard.app import Application
from taskito_dashboard.asgi import adapted
from taskito_dashboard.security import (
    VIEWER_TOKEN_VARIABLE,
    Authorize,
    Guard,
    Rules,
    token_of,
)
from taskito_dashboard.source import Source

if TYPE_CHECKING:
    from taskito import Queue


class Dashboard:
    """The dashboard of one queue as a WSGI application, for those who have users.

    Serves the pages and the JSON API, under whatever prefix it is mounted (``SCRIPT_NAME``).
    Without any of ``token``, ``viewer_token`` and ``authorize`` there is no login, so requests
    whose ``Host`` is not a loopback name are refused with 403.

    Args:
        queue: what to show. Arguments and results are decoded with its serializer.
        token: every request must carry it as ``Authorization: Bearer``, or the cookie that
            the login page sets for it. Without it ``TASKITO_DASHBOARD_TOKEN`` counts.
        viewer_token: the same for those who may only look. Without it
            ``TASKITO_DASHBOARD_VIEWER_TOKEN`` counts.
        read_only: answer whatever would change something with 403, whoever sends it.
        authorize: called with every request, a :class:`werkzeug.Request`; it returns what the
            request may do, ``"admin"`` or ``"viewer"``, or ``None`` for 403. What it writes to
            ``request.environ["REMOTE_USER"]`` is on record as who did something. Tokens of the
            environment count for nothing then.
        hide_args: show nobody what jobs were called with and what they returned, and find no jobs
            by it. What exceptions say is shown all the same.

    Raises:
        ConfigurationError: A token is empty, cannot be sent in a header, or stands for both; or
            there are tokens and ``authorize``.

    Example:
        ```python
        from typing import Literal

        from werkzeug import Request

        from taskito import Queue
        from taskito_dashboard import Dashboard


        def access(request: Request) -> Literal["admin", "viewer"]:
            return "admin" if request.remote_user == "ann" else "viewer"


        dashboard = Dashboard(Queue("jobs.db"), authorize=access)
        ```
    """

    def __init__(  # noqa: PLR0913 - all but the queue are keyword-only
        self,
        queue: "Queue",
        *,
        token: str | None = None,
        viewer_token: str | None = None,
        read_only: bool = False,
        authorize: Authorize | None = None,
        hide_args: bool = False,
    ) -> None:
        if authorize is None:
            token, viewer_token = token_of(token), token_of(viewer_token, VIEWER_TOKEN_VARIABLE)
        has_login = any(given is not None for given in (token, viewer_token, authorize))
        rules = Rules(
            token=token,
            viewer_token=viewer_token,
            authorize=authorize,
            read_only=read_only,
            hosts=None if has_login else (),
        )
        self._application = Application(Source(queue, decodes=True, hides=hide_args), Guard(rules))

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """The WSGI entry point."""
        return self._application(environ, start)

    @property
    def asgi(self) -> Any:
        """The same as an ASGI application, see :func:`taskito_dashboard.asgi.create_asgi_app`.

        Raises:
            ImportError: If ``a2wsgi`` is not installed.
        """
        return adapted(self)


def create_app(
    queue: "Queue", *, token: str | None = None, read_only: bool = False
) -> WSGIApplication:
    """The dashboard of one queue as a WSGI application.

    Args:
        queue: as for :class:`Dashboard`.
        token: likewise.
        read_only: likewise.

    Raises:
        ConfigurationError: The token is empty or cannot be sent in a header.

    Example:
        ```python
        from wsgiref.simple_server import make_server

        from taskito import Queue
        from taskito_dashboard import create_app

        make_server("127.0.0.1", 8080, create_app(Queue("jobs.db"))).serve_forever()
        ```
    """
    return Dashboard(queue, token=token, read_only=read_only)
