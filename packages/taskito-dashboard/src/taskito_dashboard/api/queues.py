"""Queues as documents, and what operators set for them."""

from typing import TYPE_CHECKING, Any

from taskito_dashboard.errors import Refused, not_found
from taskito_dashboard.params import document
from taskito_dashboard.routing import Call, reads, writes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from taskito import Queue

_KEYS = ("rate_limit", "max_concurrent")
_LIMITS = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": False,
    "properties": {
        "rate_limit": {"type": ["string", "null"], "examples": ["100/m"]},
        "max_concurrent": {"type": ["integer", "null"], "minimum": 1},
    },
}


def list_queues(call: Call) -> list[dict[str, Any]]:
    """Every queue that has jobs or settings, or that a worker names."""
    return call.queue.list_queues()


def pause(call: Call) -> dict[str, bool]:
    """Let no job of a queue start any more."""
    call.queue.pause(call.names["name"])
    return {"paused": True}


def resume(call: Call) -> dict[str, bool]:
    """Let jobs of a queue start again."""
    call.queue.resume(call.names["name"])
    return {"paused": False}


def set_limits(call: Call) -> dict[str, Any]:
    """Set how fast and how many jobs of a queue start; null clears, an absent key stays."""
    name = call.names["name"]
    change_limits(call.queue, name, document(call.request))
    return queue_named(call.queue, name)


def change_limits(queue: "Queue", name: str, given: "Mapping[str, Any]") -> None:
    """Set the limits that are given, all or none of them.

    Raises:
        Refused: With 400, for another key, or none.
        TypeError, ValueError: For a wrong value.
    """
    unknown = given.keys() - set(_KEYS)
    if unknown or not given:
        found = ", ".join(sorted(unknown)) or "no key"
        raise Refused(400, f"the body has {found}", "its keys are rate_limit, max_concurrent")
    before = _settings(queue, name)
    if "rate_limit" in given:
        queue.set_queue_rate_limit(name, given["rate_limit"])
    try:
        if "max_concurrent" in given:
            queue.set_queue_concurrency(name, given["max_concurrent"])
    except (TypeError, ValueError):
        if "rate_limit" in given:
            queue.set_queue_rate_limit(name, before)
        raise


def queue_named(queue: "Queue", name: str) -> dict[str, Any]:
    """Return one queue as :meth:`taskito.Queue.list_queues` tells it.

    Raises:
        Refused: With 404, if it has no job, no setting and no worker.
    """
    for found in queue.list_queues():
        if found["name"] == name:
            return found
    raise not_found(f"queue not found: {name}", "a queue exists once it has a job or a setting")


def _settings(queue: "Queue", name: str) -> str | None:
    rates = (row["rate_limit"] for row in queue.list_queues() if row["name"] == name)
    return next(rates, None)


ROUTES = (
    reads("/api/queues", list_queues, is_timed=True),
    writes("POST", "/api/queues/<name:name>/pause", pause),
    writes("POST", "/api/queues/<name:name>/resume", resume),
    writes("PUT", "/api/queues/<name:name>/limits", set_limits, body=_LIMITS),
)
