"""The whole installation: counts, metrics, workers, and what probes ask for."""

import logging
from typing import Any

from werkzeug.wrappers import Response

from taskito.exceptions import TaskitoError
from taskito_dashboard.errors import not_found
from taskito_dashboard.params import MOST_ROWS, Param
from taskito_dashboard.routing import Call, Route, reads, writes

logger = logging.getLogger(__name__)

_SINCE = Param("since", "seconds", 3600)


def stats(call: Call) -> dict[str, int]:
    """How many jobs there are."""
    return call.queue.stats()


def metrics(call: Call) -> dict[str, Any]:
    """How many attempts ran lately, and how long, by task."""
    given = call.query()
    return call.queue.metrics(given["task"], given["since"])


def logs(call: Call) -> list[dict[str, Any]]:
    """What jobs logged lately, newest first."""
    given = call.query()
    return call.queue.query_logs(given["task"], given["level"], given["since"], given["limit"])


def breakers(call: Call) -> list[dict[str, Any]]:
    """The circuit breaker of every task that declares one."""
    return call.queue.circuit_breakers()


def workers(call: Call) -> list[dict[str, Any]]:
    """The workers that use this database now."""
    return call.queue.workers()


def drain(call: Call) -> dict[str, bool]:
    """Ask a worker to take nothing more, finish what runs and leave."""
    worker_id = call.names["id"]
    if not call.queue.drain_worker(worker_id):
        raise not_found(f"worker not found: {worker_id}", "it may have left; see /api/workers")
    return {"draining": True}


def running(call: Call) -> list[dict[str, Any]]:
    """What runs now, the longest first; one that begins or ends now may be missing."""
    return call.source.running(call.query()["limit"])


def healthz(call: Call) -> tuple[int, dict[str, str]]:
    """Whether the database can be read."""
    try:
        call.queue.stats()
    except TaskitoError:
        # Everybody may ask, so nobody is told more than that.
        logger.exception("the dashboard cannot read the queue")
        return 503, {"status": "unavailable"}
    return 200, {"status": "ok"}


def prometheus(call: Call) -> Response:
    """The counts in the format of Prometheus."""
    from taskito_dashboard.api.prometheus import exposition  # noqa: PLC0415 - an extra

    return exposition(call.source)


ROUTES = (
    reads("/api/stats", stats),
    reads("/api/metrics", metrics, Param("task"), _SINCE, is_timed=True),
    reads(
        "/api/logs",
        logs,
        Param("task"),
        Param("level"),
        _SINCE,
        Param("limit", "count", 100, MOST_ROWS),
        is_timed=True,
    ),
    reads("/api/circuit-breakers", breakers, is_timed=True),
    reads("/api/workers", workers, is_timed=True),
    writes("POST", "/api/workers/<id>/drain", drain),
    reads("/api/running", running, Param("limit", "count", 100, MOST_ROWS), is_timed=True),
    Route(
        method="GET",
        path="/healthz",
        handler=healthz,
        role="open",
        kind="text",
        summary="Whether the database can be read",
    ),
    Route(
        method="GET",
        path="/metrics",
        handler=prometheus,
        role="viewer",
        kind="text",
        summary="The counts in the format of Prometheus",
    ),
)
