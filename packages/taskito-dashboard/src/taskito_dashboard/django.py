"""The dashboard inside a Django project, as one view."""

import io
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from werkzeug.test import run_wsgi_app

from taskito_dashboard.entry import Dashboard
from taskito_dashboard.security import Access

if TYPE_CHECKING:
    from collections.abc import Callable
    from wsgiref.types import WSGIApplication, WSGIEnvironment

    from django.http import HttpRequest, HttpResponse

    from taskito import Queue

_ACCESS = "taskito_dashboard.access"
Authorize: TypeAlias = "Callable[[HttpRequest], Access]"


def staff(request: "HttpRequest") -> Access:
    """Let superusers act and staff see."""
    user: Any = getattr(request, "user", None)
    if user is None or not user.is_active:
        return None
    if user.is_superuser:
        return "admin"
    return "viewer" if user.is_staff else None


def dashboard_view(
    queue: "Queue", *, authorize: Authorize = staff
) -> "Callable[..., HttpResponse]":
    """The dashboard of one queue as a Django view.

    Its pattern ends with a group named ``path`` that takes the rest of the address. The page
    checks itself that no other site sends its forms, so the view needs no CSRF token.

    Args:
        queue: what to show. Arguments and results are decoded with its serializer.
        authorize: called with every request; returns ``"admin"``, ``"viewer"`` or ``None``.
            Without it superusers act, staff see, and everybody else gets 403. Who is logged in
            is on record as who did something.

    Example:
        ```python
        from django.urls import re_path

        from myapp.jobs import queue
        from taskito_dashboard.django import dashboard_view

        urlpatterns = [re_path(r"^admin/jobs(?P<path>/.*)?$", dashboard_view(queue))]
        ```
    """
    from django.core.exceptions import PermissionDenied  # noqa: PLC0415 - only in a project
    from django.http import HttpResponse, HttpResponseRedirect  # noqa: PLC0415

    app = Dashboard(queue, authorize=lambda asked: asked.environ[_ACCESS])

    def view(request: "HttpRequest", path: str | None = None) -> "HttpResponse":
        access = authorize(request)
        if access is None:
            raise PermissionDenied("the dashboard is for staff")
        if not path:
            return HttpResponseRedirect(f"{request.path}/")
        body, status, headers = _answer(app, _environ(request, path) | {_ACCESS: access})
        response = HttpResponse(body, status=status)
        del response["Content-Type"]
        for name, value in headers:
            if name.lower() == "set-cookie":
                response.cookies.load(value)
            else:
                response[name] = value
        return response

    # What django.views.decorators.csrf.csrf_exempt does, without loading the settings.
    cast("Any", view).csrf_exempt = True
    return view


def _answer(
    app: "WSGIApplication", environ: "WSGIEnvironment"
) -> tuple[bytes, int, list[tuple[str, str]]]:
    body, status, headers = run_wsgi_app(app, environ, buffered=True)
    return b"".join(body), int(status.split(" ", 1)[0]), list(headers)


def _environ(request: "HttpRequest", path: str) -> "WSGIEnvironment":
    """Return the request as an application sees it that is mounted before ``path``."""
    root = request.path[: -len(path)]
    environ: dict[str, Any] = {
        name: value for name, value in request.META.items() if isinstance(value, str)
    }
    body = request.body if request.method not in {"GET", "HEAD"} else b""
    environ |= {
        "SCRIPT_NAME": root.encode().decode("latin-1"),
        "PATH_INFO": path.encode().decode("latin-1"),
        "REQUEST_METHOD": request.method,
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_HOST": request.get_host(),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.url_scheme": request.scheme or "http",
        "wsgi.version": (1, 0),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    user: Any = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        environ["REMOTE_USER"] = user.get_username()
    return environ
