"""The page of ``taskito-dashboard`` as a part of a Flask application."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from flask import Blueprint, Flask, abort, current_app, request
from werkzeug.wrappers import Response

from taskito_flask.state import state_of

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication, WSGIEnvironment

    from taskito import Queue

Authorize: TypeAlias = Callable[[], bool | Response | None]
"""Decides about a request: true admits it, a response answers it instead, else it is refused."""

_NAME = "taskito_dashboard"
_METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]


def mount_dashboard(
    app: Flask, url_prefix: str = "/taskito", *, authorize: Authorize | None = None
) -> None:
    """Serve the page of ``taskito-dashboard`` under a prefix of an application.

    Its requests pass through Flask like those of any view: sessions, logins and
    ``before_request`` functions work. What the page shows and changes is the queue of ``app``.

    Args:
        app: The application; ``init_app`` comes first.
        url_prefix: Where the page is, such as ``/admin/jobs``.
        authorize: Called without arguments in the context of every request. ``True`` admits
            it; a response, such as a redirect to a login, is the answer; ``False`` or
            ``None`` is answered with 403. Without it requests are admitted in debug mode
            alone.

    Raises:
        ImportError: If ``taskito-dashboard`` is not installed.
        RuntimeError: If the application has no queue, or the page already.
        ValueError: For a prefix that cannot be one.
    """
    page = _page(state_of(app).queue)
    if _NAME in app.blueprints:
        raise RuntimeError(
            f"application {app.name!r} already has the taskito dashboard\n"
            "hint: mount it once; the setting TASKITO_DASHBOARD mounts it too"
        )
    if not url_prefix.startswith("/") or url_prefix.endswith("/"):
        raise ValueError(
            f"url_prefix must begin with '/' and not end with it, got {url_prefix!r}\n"
            "hint: write '/taskito'"
        )
    blueprint = Blueprint(_NAME, __name__)
    is_trusted = authorize is not None

    def view(path: str = "") -> Response:  # noqa: ARG001 - the page reads it from the environment
        return Response.from_app(page, _environ_below(url_prefix, is_trusted=is_trusted))

    blueprint.before_request(lambda: _refusal(authorize))
    for rule in ("/", "/<path:path>"):
        blueprint.add_url_rule(
            rule, "page", view, methods=_METHODS, provide_automatic_options=False
        )
    app.register_blueprint(blueprint, url_prefix=url_prefix)


def _page(queue: "Queue") -> "WSGIApplication":
    try:
        from taskito_dashboard import create_app  # noqa: PLC0415 - only for those who mount it
    except ModuleNotFoundError as error:
        if error.name != "taskito_dashboard":
            raise
        message = "the web page is a package of its own, taskito-dashboard, and is not installed"
        raise ImportError(f"{message}\nhint: pip install 'taskito[dashboard]'") from None
    return create_app(queue)


def _refusal(authorize: Authorize | None) -> Response | None:
    """Return what answers a request instead of the page, or ``None`` if it is admitted.

    Only ``True`` itself admits: what a login decorator returns may be true as well.
    """
    if authorize is None:
        if not current_app.debug:
            abort(403, description="without authorize= the page is there in debug mode only")
        return None
    verdict: object = authorize()
    if verdict is True:
        return None
    if isinstance(verdict, Response):
        return verdict
    if verdict:
        raise TypeError(
            f"authorize must return True, False or a response, got {type(verdict).__name__}\n"
            "hint: write bool(...) around what it returns"
        )
    return abort(403)


def _environ_below(prefix: str, *, is_trusted: bool) -> "WSGIEnvironment":
    """Return the request as an application sees it that is mounted under ``prefix``.

    The page serves names of this machine only, because by itself it knows no users. If the
    application has decided about the request, the page is told such a name.
    """
    environ = dict(request.environ)
    environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + prefix
    environ["PATH_INFO"] = environ["PATH_INFO"][len(prefix) :]
    if is_trusted:
        origin = urlsplit(environ.get("HTTP_ORIGIN", ""))
        if (origin.scheme, origin.netloc) == (request.scheme, request.host):
            environ["HTTP_ORIGIN"] = f"{request.scheme}://localhost"
        environ["HTTP_HOST"] = "localhost"
    return environ
