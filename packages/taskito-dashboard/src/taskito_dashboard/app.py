"""From a request to its route, past the guard, to an answer."""

import json
import logging
from collections.abc import Iterable
from typing import Any, cast
from wsgiref.types import StartResponse, WSGIEnvironment

import orjson
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import RequestRedirect
from werkzeug.wrappers import Request, Response

from taskito_core import limit_reads
from taskito_dashboard import auditing
from taskito_dashboard.errors import Refused, not_found, translated
from taskito_dashboard.keeping import Shared
from taskito_dashboard.packing import is_packed, packed
from taskito_dashboard.pages import errors
from taskito_dashboard.params import MOST_BYTES, READ_MS
from taskito_dashboard.rendering import Pages, digest, hidden_of, theme_of, times_of, zone_of
from taskito_dashboard.routes import OVERVIEW, TABLE
from taskito_dashboard.routing import Call
from taskito_dashboard.security import HEADERS, Guard
from taskito_dashboard.source import Source

logger = logging.getLogger(__name__)

BUCKET_MS = 10_000
"""Answers that change as time goes by get another ETag this often."""
_MACHINE = ("/api/", "/static/")
_PROBES = ("/healthz/", "/metrics/")


class _Request(Request):
    max_content_length = MOST_BYTES


class Application:
    """Answers requests for one queue, by the rules of a guard."""

    def __init__(self, source: Source, guard: Guard) -> None:
        self._source = source
        self._guard = guard
        self._pages = Pages()
        self._shared: Shared[tuple[str, Response]] = Shared()

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """The WSGI entry point."""
        request = _Request(environ)
        limit_reads(READ_MS)
        try:
            response = packed(request, self._answer(request))
        finally:
            limit_reads(None)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Cache-Control", "private, no-cache")
        return response(environ, start)

    def _answer(self, request: Request) -> Response:
        try:
            self._guard.check_host(request.environ)
            call = self._call(request)
            call.access = self._guard.check(request, call.route.role)
            return self._handled(call)
        except Refused as refusal:
            return self._refused(request, refusal)
        except HTTPException as error:
            return self._refused(request, Refused(error.code or 400, str(error.description)))
        except Exception as error:
            refused = translated(error)
            if refused is None or refused.status >= 500:  # noqa: PLR2004 - ours to look at
                logger.exception("the dashboard cannot answer %s %s", request.method, request.path)
            hint = "the log of the dashboard has the traceback"
            defect = Refused(500, f"{type(error).__name__} in the dashboard", hint)
            return self._refused(request, refused or defect)

    def _call(self, request: Request) -> Call:
        """Return the route of a request; pages that are unknown are the overview."""
        names: Any = {}
        try:
            route, names = TABLE.bind(request).match()
        except RequestRedirect:
            route = OVERVIEW
        except MethodNotAllowed as error:
            allowed = {*(error.valid_methods or ()), "HEAD"} - {"OPTIONS"}
            if "GET" not in allowed:
                allowed.discard("HEAD")
            # Whoever is not let in learns nothing about what there is.
            self._guard.check(request, "viewer")
            methods = ", ".join(sorted(allowed))
            raise Refused(
                405, f"{request.method} is not allowed here", f"use {methods}", Allow=methods
            ) from None
        except HTTPException:
            self._guard.check(request, "viewer")
            if _is_below(request, _MACHINE):
                hint = "see /api/v1/openapi.json"
                raise not_found(f"there is no page {request.path!r}", hint) from None
            if request.method not in {"GET", "HEAD"}:
                raise Refused(
                    405, f"{request.method} is not allowed here", "use GET", Allow="GET, HEAD"
                ) from None
            route = OVERVIEW
        return Call(request, self._source, self._guard, self._pages, names, route)

    def _handled(self, call: Call) -> Response:
        if call.route.kind not in {"json", "page"} or call.route.method != "GET":
            return self._done(call)
        etag = self._etag(call)
        known = call.request.if_none_match
        response = None
        if call.route.kind == "page" and not known.contains_weak(etag):
            etag, response = self._page(call, etag)
        if known.contains_weak(etag):
            response = Response(status=304)
        elif response is None:
            response = _response(call.route.handler(call))
        response.set_etag(etag, weak=True)
        response.vary.add("Cookie")
        return response

    def _page(self, call: Call, etag: str) -> tuple[str, Response]:
        """Return a page with its tag: for those that ask for themselves, one made lately.

        Who comes by a link, or has just done something, sees how it is.
        """

        def make() -> tuple[str, Response]:
            return etag, packed(call.request, _response(call.route.handler(call)))

        # The end of a tag is what tells answers to different people apart.
        key = (call.request.full_path, etag.rpartition("-")[2], is_packed(call.request))
        asks_for_itself = "HX-Request" in call.request.headers
        etag, made = self._shared.get(key, make, anew=not asks_for_itself)
        return etag, Response(made.get_data(), made.status, made.headers.copy())

    def _done(self, call: Call) -> Response:
        """Answer what is no question, and write down what was done."""
        answer = call.route.handler(call)
        response = _response(answer)
        if call.route.method != "GET":
            self._shared.forget()
            self._source.kept.forget()
        if auditing.is_noted(call) and response.status_code < 400:  # noqa: PLR2004
            deed, subject = auditing.deed_of(call), auditing.subject_of(call)
            self._source.bulk.audit(call.who, deed, subject, auditing.number_of(answer))
        return response

    def _etag(self, call: Call) -> str:
        """Return what changes whenever the answer may be another one, without making it."""
        moment = str(self._source.now // BUCKET_MS) if call.route.is_timed else ""
        # One address can have several answers: by wishes, role and place.
        chosen = (theme_of, zone_of, times_of, hidden_of)
        wishes = " ".join(wish(call.request) for wish in chosen)
        kind = f"{wishes} {call.may_act} {call.root} {self._pages.version}"
        return f"{self._source.change()}-{moment}-{digest(kind.encode())}"

    def _refused(self, request: Request, refusal: Refused) -> Response:
        if _is_for_machines(request):
            document = {"error": refusal.error, "hint": refusal.hint}
            response = _json(refusal.status, document)
        else:
            response = errors.page(self._pages, request, self._source, refusal)
        response.headers.update(refusal.headers)
        response.headers["Cache-Control"] = "no-store"
        return response


def _is_for_machines(request: Request) -> bool:
    if _is_below(request, _MACHINE + _PROBES):
        return True
    best = request.accept_mimetypes.best_match(["application/json", "text/html"], "text/html")
    return best == "application/json" and "application/json" in request.accept_mimetypes.values()


def _is_below(request: Request, places: tuple[str, ...]) -> bool:
    return f"{request.path}/".startswith(places)


def _response(answer: Any) -> Response:
    if isinstance(answer, Response):
        return answer
    if isinstance(answer, tuple):
        return _json(*cast("tuple[int, object]", answer))
    return _json(200, answer)


def _json(status: int, document: object) -> Response:
    try:
        body = orjson.dumps(document)
    except TypeError:
        # orjson refuses integers beyond 64 bits, and text that UTF-8 has no form for.
        body = json.dumps(document).encode()
    return Response(body, status=status, mimetype="application/json")
