"""Calls of tasks that the program of the page knows."""

from typing import Any

from taskito import TaskWrapper
from taskito_dashboard.errors import Refused, not_found
from taskito_dashboard.params import document
from taskito_dashboard.routing import Call, writes

_OPTIONS = ("queue", "priority", "delay")
_KEYS = ("args", "kwargs", *_OPTIONS)
_BODY: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "args": {"type": "array", "description": "positional arguments"},
        "kwargs": {"type": "object", "description": "the other arguments"},
        "queue": {"type": ["string", "null"], "description": "where it waits"},
        "priority": {"type": ["integer", "null"], "description": "higher runs first"},
        "delay": {"type": ["number", "null"], "description": "seconds until it is due"},
    },
}


def enqueue(call: Call) -> dict[str, str]:
    """Store a job for a task of the program of the page."""
    task, body = task_of(call), document(call.request)
    unknown = sorted(body.keys() - set(_KEYS))
    if unknown:
        raise Refused(400, f"the body has {unknown[0]!r}", f"its keys are {', '.join(_KEYS)}")
    args, kwargs = body.get("args", []), body.get("kwargs", {})
    for name, value, kind in (("args", args, list), ("kwargs", kwargs, dict)):
        if not isinstance(value, kind):
            raise Refused(400, f"{name} is {value!r}"[:200], 'send {"args": […], "kwargs": {…}}')
    options = {name: body.get(name) for name in _OPTIONS}
    return {"job_id": task.apply_async(args, kwargs, **options).id}


def task_of(call: Call) -> TaskWrapper[..., Any]:
    """Return the task that an address names.

    Raises:
        Refused: With 409 if the page has no program, and with 404 if that has no such task.
    """
    if not call.source.decodes:
        hint = "start the dashboard with --app: only a program knows how its tasks are called"
        raise Refused(409, "this dashboard has a database and no program", hint)
    found = call.queue._tasks.get(call.names["name"])  # noqa: SLF001 - of our own packages
    if found is None:
        hint = "it can only enqueue tasks of the program that it was started with"
        raise not_found(f"task not registered: {call.names['name']}", hint)
    return found


ROUTES = (writes("POST", "/api/tasks/<name:name>/enqueue", enqueue, body=_BODY),)
