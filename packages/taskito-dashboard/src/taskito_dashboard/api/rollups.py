"""The numbers of charts."""

from typing import Any

from taskito_dashboard.params import Param
from taskito_dashboard.rollups import DEFAULT, document, span_of
from taskito_dashboard.routing import Call, reads


def rollups(call: Call) -> dict[str, Any]:
    """How many attempts ended, and how long jobs waited and ran, over time."""
    given = call.query()
    now = call.source.now
    span = span_of(given["t"], now)
    return {
        **document(call.source.buckets(span, given["queue"], given["task"]), span, now),
        "marks": [
            {"at": mark.at, "text": mark.subject, "who": mark.who}
            for mark in call.source.marks(span)
        ],
    }


T = Param("t", default=DEFAULT)
ROUTES = (reads("/api/rollups", rollups, T, Param("queue"), Param("task"), is_timed=True),)
