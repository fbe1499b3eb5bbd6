"""Jobs as CSV or JSON, written while they are read."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

__all__ = ["FIELDS", "FORMATS", "as_csv", "as_json"]

Rows: TypeAlias = Iterable[Mapping[str, Any]]

FIELDS = (
    *("id", "queue", "task_name", "status", "priority", "progress", "retry_count", "max_retries"),
    *("created_at", "scheduled_at", "started_at", "completed_at", "error", "timeout_ms"),
    *("unique_key", "metadata"),
)
"""The columns: the keys of :meth:`taskito.JobResult.to_dict`."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(rows: Rows) -> Iterator[str]:
    """Yield a head and a line for each row, as RFC 4180 writes them.

    Text that a spreadsheet would take for a formula begins with an apostrophe.

    Args:
        rows: What :meth:`taskito.JobResult.to_dict` returns of each job.
    """
    import csv  # noqa: PLC0415 - not needed by most programs
    import io  # noqa: PLC0415

    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(FIELDS)
    for row in rows:
        writer.writerow([_cell(row[name]) for name in FIELDS])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()


def as_json(rows: Rows) -> Iterator[str]:
    """Yield a JSON array, a row on each line."""
    before = "["
    for row in rows:
        yield before + json.dumps(row)
        before = ",\n"
    yield "[]\n" if before == "[" else "]\n"


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


FORMATS: dict[str, Callable[[Rows], Iterator[str]]] = {"csv": as_csv, "json": as_json}
"""What writes each format."""
