"""Logging in and out, how pages look in a browser, and the files that they load."""

from werkzeug.wrappers import Response

from taskito_dashboard.errors import Refused, not_found
from taskito_dashboard.pages import errors
from taskito_dashboard.pages.frame import is_ours
from taskito_dashboard.params import Param, content
from taskito_dashboard.rendering import (
    COLUMNS,
    COLUMNS_COOKIE,
    THEME_COOKIE,
    THEMES,
    TIMES,
    TIMES_COOKIE,
    ZONE_COOKIE,
    media_of,
    zone_named,
)
from taskito_dashboard.routing import Call, Handler, Route, moved
from taskito_dashboard.security import COOKIE, session_of

_YEAR = 365 * 86_400


def log_in(call: Call) -> Response:
    """Set the cookie that stands for the token."""
    content(call.request)  # no more than is taken at once
    token = call.request.form.get("token", "").strip()
    response = moved(_target(call, call.request.form.get("target", "")))
    if not call.guard.has_tokens:
        return response
    if call.guard.access_of(call.request, token) is None:
        refusal = Refused(401, "that is not the token", None)
        return errors.page(call.pages, call.request, call.source, refusal)
    _set(call, response, COOKIE, session_of(token), None)
    return response


def log_out(call: Call) -> Response:
    """Forget the cookie."""
    response = moved(call.url())
    response.delete_cookie(COOKIE, path=f"{call.root}/", httponly=True, samesite="Strict")
    return response


def theme(call: Call) -> Response:
    """Set how pages look in this browser."""
    given = call.query()
    response = moved(_target(call, given["back"] or ""))
    _set(call, response, THEME_COOKIE, given["set"] or "system", _YEAR)
    return response


def zone(call: Call) -> Response:
    """Set in which time zone instants are shown in this browser."""
    given = call.query()
    name = given["set"] or "UTC"
    if zone_named(name) is None:
        raise Refused(400, f"set is {name!r}", "set must be a time zone like Europe/Berlin")
    response = moved(_target(call, given["back"] or ""))
    _set(call, response, ZONE_COOKIE, name, _YEAR)
    return response


def times(call: Call) -> Response:
    """Set whether instants are told by their age or by the clock in this browser."""
    given = call.query()
    response = moved(_target(call, given["back"] or ""))
    _set(call, response, TIMES_COOKIE, given["set"] or "relative", _YEAR)
    return response


def columns(call: Call) -> Response:
    """Set which columns lists of jobs hide in this browser; names with dots between."""
    given = call.query()
    names = (given["hide"] or "").split(".") if given["hide"] else []
    if unknown := [name for name in names if name not in COLUMNS]:
        raise Refused(400, f"hide has {unknown[0]!r}", f"its names are {', '.join(COLUMNS)}")
    response = moved(_target(call, given["back"] or ""))
    _set(call, response, COLUMNS_COOKIE, ".".join(names), _YEAR)
    return response


def static(call: Call) -> Response:
    """A file of the pages."""
    name = call.names["file"]
    content_of = call.pages.files.get(name)
    if content_of is None:
        raise not_found(f"there is no file {name!r}")
    response = Response(content_of, mimetype=media_of(name))
    # The address has the version in it.
    response.headers["Cache-Control"] = f"public, max-age={_YEAR}, immutable"
    return response


def _target(call: Call, path: str) -> str:
    """Return where to go on; never another site."""
    return path if is_ours(call.root, path) else call.url()


def _set(call: Call, response: Response, name: str, value: str, age: int | None) -> None:
    response.set_cookie(
        name,
        value,
        max_age=age,
        path=f"{call.root}/",
        secure=call.request.is_secure,
        httponly=True,
        samesite="Strict",
    )


def _chooses(path: str, handler: Handler, summary: str, choice: Param) -> Route:
    """Return a link that sets how pages look in this browser, and leads back."""
    return Route(
        method="GET",
        path=path,
        handler=handler,
        role="open",
        kind="action",
        query=(choice, Param("back")),
        summary=summary,
    )


ROUTES = (
    Route(
        method="POST",
        path="/login",
        handler=log_in,
        role="open",
        kind="action",
        summary="Log in",
    ),
    Route(
        method="POST",
        path="/logout",
        handler=log_out,
        role="open",
        kind="action",
        summary="Log out",
    ),
    _chooses("/theme", theme, "Choose a theme", Param("set", choices=THEMES)),
    _chooses("/zone", zone, "Choose a time zone", Param("set")),
    _chooses("/times", times, "Choose how times are told", Param("set", choices=TIMES)),
    _chooses("/columns", columns, "Choose the columns of lists of jobs", Param("hide")),
    Route(
        method="GET",
        path="/static/<file>",
        handler=static,
        role="open",
        kind="text",
        summary="A file of the pages",
    ),
)
