"""Schedules as documents, and what can be done with them."""

from typing import Any

from taskito_dashboard.errors import not_found
from taskito_dashboard.routing import Call, reads, writes


def list_schedules(call: Call) -> list[dict[str, Any]]:
    """The schedules of this database, by name."""
    return call.queue.list_periodic()


def pause(call: Call) -> dict[str, bool]:
    """Let a schedule fire no more until it is resumed."""
    name = call.names["name"]
    if not call.queue.pause_periodic(name):
        raise _unknown(name)
    return {"enabled": False}


def resume(call: Call) -> dict[str, bool]:
    """Let a paused schedule fire again."""
    name = call.names["name"]
    if not call.queue.resume_periodic(name):
        raise _unknown(name)
    return {"enabled": True}


def trigger(call: Call) -> dict[str, str]:
    """Enqueue one job of a schedule now."""
    return {"job_id": call.queue.trigger_periodic(call.names["name"]).id}


def delete(call: Call) -> dict[str, bool]:
    """Remove a schedule; a worker that declares it stores it anew when it starts."""
    name = call.names["name"]
    if not call.queue.delete_periodic(name):
        raise _unknown(name)
    return {"deleted": True}


def _unknown(name: str) -> Exception:
    return not_found(f"schedule not found: {name}", "see /api/periodic")


ROUTES = (
    reads("/api/periodic", list_schedules, is_timed=True),
    writes("POST", "/api/periodic/<name:name>/pause", pause),
    writes("POST", "/api/periodic/<name:name>/resume", resume),
    writes("POST", "/api/periodic/<name:name>/trigger", trigger),
    writes("DELETE", "/api/periodic/<name:name>", delete),
)
