"""The router: which path leads where, and how it is described."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeAlias

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from taskito.contrib.fastapi import _models as models
from taskito.contrib.fastapi._endpoints import Endpoints
from taskito.exceptions import ConfigurationError
from taskito.queue import Queue

Responses: TypeAlias = dict[int | str, dict[str, Any]]

_NO_JOB: Responses = {404: {"model": models.Problem, "description": "There is no such job"}}
_NO_LETTER: Responses = {
    404: {"model": models.Problem, "description": "There is no such dead letter"}
}
_NOT_PENDING: Responses = {
    **_NO_JOB,
    409: {"model": models.Problem, "description": "It is not pending"},
}
_DOWN: Responses = {
    503: {"model": models.HealthResponse, "description": "The database cannot be read"}
}
_CURSOR: Responses = {
    200: {
        "headers": {
            "X-Next-Cursor": {
                "description": "The cursor of the next page; absent after the last one",
                "schema": {"type": "string"},
            }
        }
    }
}
_EVENTS: Responses = {
    **_NO_JOB,
    200: {
        "description": 'Events `data: {"status": ..., "progress": ...}`',
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Route:
    """One route.

    Attributes:
        method: The HTTP method.
        path: Below the prefix.
        model: What it answers; ``None`` for a stream.
        responses: Other answers, for the OpenAPI document.
    """

    method: str
    path: str
    model: Any
    responses: Responses = field(default_factory=dict[int | str, dict[str, Any]])


_ROUTES = {
    "stats": _Route(method="GET", path="/stats", model=models.StatsResponse),
    "list_jobs": _Route(
        method="GET", path="/jobs", model=list[models.JobResponse], responses=_CURSOR
    ),
    "get_job": _Route(
        method="GET", path="/jobs/{job_id}", model=models.JobResponse, responses=_NO_JOB
    ),
    "job_errors": _Route(
        method="GET", path="/jobs/{job_id}/errors", model=list[models.JobErrorResponse]
    ),
    "job_logs": _Route(method="GET", path="/jobs/{job_id}/logs", model=list[models.JobLogResponse]),
    "job_why": _Route(
        method="GET", path="/jobs/{job_id}/why", model=models.WhyResponse, responses=_NO_JOB
    ),
    "job_result": _Route(
        method="GET",
        path="/jobs/{job_id}/result",
        model=models.JobResultResponse,
        responses=_NO_JOB,
    ),
    "job_progress": _Route(
        method="GET", path="/jobs/{job_id}/progress", model=None, responses=_EVENTS
    ),
    "cancel_job": _Route(method="POST", path="/jobs/{job_id}/cancel", model=models.CancelResponse),
    "dead_letters": _Route(
        method="GET", path="/dead-letters", model=list[models.DeadLetterResponse]
    ),
    "retry_dead_letter": _Route(
        method="POST",
        path="/dead-letters/{dead_id}/retry",
        model=models.RetryResponse,
        responses=_NO_LETTER,
    ),
    "delete_dead_letter": _Route(
        method="DELETE",
        path="/dead-letters/{dead_id}",
        model=models.DeletedResponse,
        responses=_NO_LETTER,
    ),
    "queues": _Route(method="GET", path="/queues", model=list[models.QueueResponse]),
    "healthz": _Route(method="GET", path="/healthz", model=models.HealthResponse, responses=_DOWN),
}


class TaskitoRouter(APIRouter):
    """Routes that show and act on the jobs of one Queue.

    No route asks who calls: give ``dependencies`` that do, to this or to ``include_router``.
    Route names and operation ids are ``taskito_`` and the name of the route, such as
    ``taskito_get_job``.

    Attributes:
        route_names: The names of all routes, for ``include_routes`` and ``exclude_routes``.

    Example:
        >>> from fastapi import FastAPI
        >>> from taskito import Queue
        >>> from taskito.contrib.fastapi import TaskitoRouter
        >>> app = FastAPI()
        >>> queue = Queue(":memory:")
        >>> app.include_router(TaskitoRouter(queue, exclude_routes=["cancel_job"]), prefix="/tasks")
        >>> app.url_path_for("taskito_get_job", job_id="1")
        '/tasks/jobs/1'
    """

    route_names: ClassVar[tuple[str, ...]] = tuple(_ROUTES)

    def __init__(
        self,
        queue: Queue,
        *,
        include_routes: Iterable[str] | None = None,
        exclude_routes: Iterable[str] = (),
        strict: bool = False,
        operation_prefix: str = "taskito_",
        **kwargs: Any,
    ) -> None:
        """Make the routes. Opens no database.

        Args:
            queue: Whose jobs.
            include_routes: Names of the routes to make; ``None`` makes all.
            exclude_routes: Names of routes that are not made.
            strict: Answer 404 or 409 when a job cannot be cancelled, instead of 200 with
                ``{"cancelled": false}``.
            operation_prefix: What route names and operation ids begin with. Two routers in
                one application need different ones.
            **kwargs: Passed on to ``APIRouter``; ``tags`` are ``["taskito"]`` unless given.

        Raises:
            TypeError: If ``queue`` is no Queue.
            ConfigurationError: For a name that no route has.
        """
        if not isinstance(queue, Queue):  # pyright: ignore[reportUnnecessaryIsInstance]
            message = f"queue must be a Queue, got {queue!r}"
            raise TypeError(message)
        included = _names("include_routes", _ROUTES if include_routes is None else include_routes)
        excluded = _names("exclude_routes", exclude_routes)
        kwargs.setdefault("tags", ["taskito"])
        super().__init__(**kwargs)
        endpoints = Endpoints(queue, strict=strict)
        for name, route in _ROUTES.items():
            if name not in included or name in excluded:
                continue
            responses = route.responses
            if strict and name == "cancel_job":
                responses = _NOT_PENDING
            self.add_api_route(
                route.path,
                getattr(endpoints, name),
                methods=[route.method],
                name=operation_prefix + name,
                operation_id=operation_prefix + name,
                responses=responses,
                **_answer(route),
            )


def _answer(route: _Route) -> dict[str, Any]:
    if route.model is None:
        return {"response_class": StreamingResponse, "response_model": None}
    return {"response_model": route.model}


def _names(parameter: str, given: Iterable[str]) -> frozenset[str]:
    if isinstance(given, str):
        message = f"{parameter} must be a sequence of names, got {given!r}"
        raise TypeError(f"{message}\nhint: write {parameter}=[{given!r}]")
    names = frozenset(given)
    if unknown := sorted(names - _ROUTES.keys()):
        message = f"{parameter} names no route: {', '.join(map(repr, unknown))}"
        raise ConfigurationError(message, hint=f"routes: {', '.join(_ROUTES)}")
    return names
