"""What a route is, and how an address finds its route."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote, urlencode

from werkzeug.routing import BaseConverter, Map, MapAdapter, Rule
from werkzeug.wrappers import Request, Response

from taskito_dashboard.params import Param, query
from taskito_dashboard.security import Access, Guard, Role

if TYPE_CHECKING:
    from taskito import Queue
    from taskito_dashboard.rendering import Pages
    from taskito_dashboard.source import Source

Kind = Literal["json", "page", "action", "text"]
API = "/api"
V1 = "/api/v1"


@dataclass(slots=True)
class Call:
    """One request to a handler.

    Attributes:
        request: What the client sent.
        source: The queue to ask.
        guard: Who may do what.
        pages: What renders pages.
        names: The parts of the path.
        route: Where it led.
        operations: Those that it began, which are on record by themselves.
        access: What it may do, once the guard has said so.
    """

    request: Request
    source: "Source"
    guard: Guard
    pages: "Pages"
    names: Mapping[str, str]
    route: "Route"
    operations: list[str] = field(default_factory=list[str])
    access: Access = None

    @property
    def may_act(self) -> bool:
        """Whether who asks may change something."""
        return self.access == "admin"

    @property
    def queue(self) -> "Queue":
        """The queue."""
        return self.source.queue

    @property
    def root(self) -> str:
        """Where the dashboard is mounted; empty at the top."""
        return self.request.root_path.rstrip("/")

    @property
    def who(self) -> str:
        """Who asks, for the record: as the server or a proxy in front of it says."""
        return (self.guard.who(self.request) or "dashboard")[:100]

    def query(self) -> dict[str, Any]:
        """Return the parameters of the route, checked."""
        return query(self.request, self.route.query)

    def url(self, *parts: str, **given: object) -> str:
        """Return an address of the dashboard; parts may hold any character."""
        return address(self.root, *parts, **given)


Handler = Callable[[Call], Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Route:
    """One thing that can be asked for.

    Attributes:
        method: ``GET`` (``HEAD`` goes with it), ``POST``, ``PUT`` or ``DELETE``.
        path: With names in angle brackets. A name may hold any character, slashes too.
        handler: What answers.
        role: Who may ask: ``open`` to everybody, ``viewer`` sees, ``admin`` acts.
        kind: ``json`` for a document, ``page`` and ``action`` for people, ``text`` for others.
        query: The parameters it takes.
        body: The JSON Schema of the object it takes.
        is_timed: Whether the answer changes as time goes by, without any commit.
        begins_operations: Whether what it does is an operation, which is on record by itself.
        summary: What it does.
    """

    method: str
    path: str
    handler: Handler
    role: Role
    kind: Kind
    query: tuple[Param, ...] = ()
    body: Mapping[str, Any] | None = None
    is_timed: bool = False
    begins_operations: bool = False
    summary: str = ""


def reads(path: str, handler: Handler, *query: Param, is_timed: bool = False) -> Route:
    """Return a route that answers with a document."""
    return Route(
        method="GET",
        path=path,
        handler=handler,
        role="viewer",
        kind="json",
        query=query,
        is_timed=is_timed,
        summary=_summary(handler),
    )


def writes(
    method: str,
    path: str,
    handler: Handler,
    *query: Param,
    body: Mapping[str, Any] | None = None,
    begins_operations: bool = False,
) -> Route:
    """Return a route that changes something and answers with a document."""
    return Route(
        method=method,
        path=path,
        handler=handler,
        role="admin",
        kind="json",
        query=query,
        body=body,
        begins_operations=begins_operations,
        summary=_summary(handler),
    )


def shows(path: str, handler: Handler, *query: Param) -> Route:
    """Return a route that answers with a page."""
    return Route(
        method="GET",
        path=path,
        handler=handler,
        role="viewer",
        kind="page",
        query=query,
        is_timed=True,
        summary=_summary(handler),
    )


def acts(path: str, handler: Handler, *, begins_operations: bool = False) -> Route:
    """Return a route that a form of a page is sent to."""
    return Route(
        method="POST",
        path=path,
        handler=handler,
        role="admin",
        kind="action",
        begins_operations=begins_operations,
        summary=_summary(handler),
    )


def _summary(handler: Handler) -> str:
    return (handler.__doc__ or "").partition("\n")[0].rstrip(".")


class _Name(BaseConverter):
    """A name of the application, whatever characters it has."""

    regex = ".+?"
    part_isolating = False


class Table:
    """All routes, found by path and method."""

    def __init__(self, routes: Sequence[Route]) -> None:
        """Take the routes; documents are found under ``/api/v1`` as well."""
        self.routes = tuple(routes)
        rules: list[Rule] = []
        for route in routes:
            rules.append(self._rule(route.path, route))
            if route.path.startswith(f"{API}/") and not route.path.startswith(V1):
                rules.append(self._rule(V1 + route.path.removeprefix(API), route))
        self._map = Map(rules, converters={"name": _Name}, merge_slashes=False, strict_slashes=True)

    def bind(self, request: Request) -> MapAdapter:
        """Return what matches the path of a request."""
        return self._map.bind_to_environ(request.environ)

    @staticmethod
    def _rule(path: str, route: Route) -> Rule:
        return Rule(path, endpoint=route, methods=[route.method])


def address(root: str, *parts: str, **given: object) -> str:
    """Return ``root/part/part?given``, with all that is no plain letter escaped."""
    path = "/".join([root, *(quote(part, safe="") for part in parts)]) if parts else f"{root}/"
    present = {name: value for name, value in given.items() if value not in {None, ""}}
    return f"{path}?{urlencode(present)}" if present else path


def place(request: Request) -> str:
    """Return the address of a request within its host."""
    path = f"{request.root_path.rstrip('/')}{request.path}"
    query = request.query_string.decode("ascii", "replace")
    return f"{quote(path)}?{query}" if query else quote(path)


def moved(location: str) -> Response:
    """Return the answer to a form: go on there."""
    return Response(status=303, headers={"Location": location})
