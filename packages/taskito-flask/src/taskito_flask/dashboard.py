"""The page of ``taskito-dashboard`` as a part of a Flask application."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from flask import Blueprint, Flask, abort, current_app, request
from werkzeug.wrappers import Request, Response

from taskito_flask.state import state_of

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication, WSGIEnvironment

    from taskito import Queue

Authorize: TypeAlias = Callable[[], bool | Literal["admin", "viewer"] | Response | None]
"""Decides about a request: what it may do (true is all), a response instead, or it is refused."""

_ACCESS = "taskito_flask.access"
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
        authorize: Called without arguments in the context of every request. ``True`` and
            ``"admin"`` let it do everything, ``"viewer"`` lets it look; a response, such as a
            redirect to a login, is the answer; ``False`` or ``None`` is answered with 403. What
            it writes to ``request.environ["REMOTE_USER"]`` is on record as who did something.
            Without it requests are admitted in debug mode alone.

    Raises:
        ImportError: If ``taskito-dashboard`` is not installed.
        RuntimeError: If the application has no queue, or the page already.
        ValueError: For a prefix that cannot be one.
    """
    page = _page(state_of(app).queue, has_users=authorize is not None)
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

    def view(path: str = "") -> Response:  # noqa: ARG001 - the page reads it from the environment
        verdict = _verdict(authorize)
        if isinstance(verdict, Response):
            return verdict
        return Response.from_app(page, _environ_below(url_prefix) | {_ACCESS: verdict})

    for rule in ("/", "/<path:path>"):
        blueprint.add_url_rule(
            rule, "page", view, methods=_METHODS, provide_automatic_options=False
        )
    app.register_blueprint(blueprint, url_prefix=url_prefix)


def _page(queue: "Queue", *, has_users: bool) -> "WSGIApplication":
    try:
        from taskito_dashboard import Dashboard  # noqa: PLC0415 - only for those who mount it
    except ModuleNotFoundError as error:
        if error.name != "taskito_dashboard":
            raise
        message = "the web page is a package of its own, taskito-dashboard, and is not installed"
        raise ImportError(f"{message}\nhint: pip install 'taskito[dashboard]'") from None
    return Dashboard(queue, authorize=_access if has_users else None)


def _access(request: Request) -> Any:
    return request.environ[_ACCESS]


def _verdict(authorize: Authorize | None) -> str | Response:
    """Return what a request may do, or what answers it instead of the page.

    Only ``True`` itself admits: what a login decorator returns may be true as well.
    """
    if authorize is None:
        if not current_app.debug:
            abort(403, description="without authorize= the page is there in debug mode only")
        return "admin"
    verdict: object = authorize()
    if verdict is True or verdict == "admin":
        return "admin"
    if verdict == "viewer":
        return "viewer"
    if isinstance(verdict, Response):
        return verdict
    if verdict:
        raise TypeError(
            "authorize must return True, False, 'admin', 'viewer' or a response, "
            f"got {type(verdict).__name__}\n"
            "hint: write bool(...) around what it returns"
        )
    return abort(403)


def _environ_below(prefix: str) -> "WSGIEnvironment":
    """Return the request as an application sees it that is mounted under ``prefix``."""
    environ = dict(request.environ)
    environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + prefix
    environ["PATH_INFO"] = environ["PATH_INFO"][len(prefix) :]
    return environ
