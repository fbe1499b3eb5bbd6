"""What may be written next in a filter line, from counters and the roster."""

from taskito.filters import STATES, Filter
from taskito_dashboard.routing import Call

_MOST = 200


def terms(call: Call) -> list[str]:
    """Return terms of a filter line: states, queues, tasks, workers, then what needs a value."""
    lanes = call.source.lanes()
    workers = {f"{member['hostname']}:{member['pid']}" for member in call.source.crew()}
    known = (
        ("state", [state for state in STATES if state not in {"completed", "failed"}]),
        ("queue", sorted({lane["queue"] for lane in lanes})[:_MOST]),
        ("task", sorted({lane["task"] for lane in lanes})[:_MOST]),
        ("worker", sorted(workers)[:_MOST]),
    )
    written = [str(Filter().with_term(field, value)) for field, values in known for value in values]
    return [*written, "error:", "tag:", "id:", "fp:", "args.", "age>1h", "run>5s", "created>"]
