"""Facts of jobs as the templates show them: instants as dates, bytes as text. Runs no pickle."""

import json
from typing import TYPE_CHECKING, Any

from taskito._checks import parsed_headers
from taskito.contrib.django._json import is_json
from taskito.contrib.django._results import instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from taskito._core import JobRow
    from taskito.queue import Queue

_LONGEST = 20_000
_MOST_LINES = 500
_INSTANTS = ("created_at", "scheduled_at", "started_at", "completed_at")


def listed(rows: "Iterable[Mapping[str, Any]]", *instants: str) -> list[dict[str, Any]]:
    """Return rows with these milliseconds as datetimes."""
    return [_dated(row, instants) for row in rows]


def shown_letter(letter: "Mapping[str, Any]") -> dict[str, Any]:
    """Return a dead letter with the last line of its error."""
    last = str(letter["error"]).strip().rpartition("\n")[2]
    return {**_dated(letter, ("failed_at",)), "summary": last[:200]}


def described(queue: "Queue", row: "JobRow") -> dict[str, Any]:
    """Return everything about one job."""
    with queue._database as store:  # noqa: SLF001 - of our own package
        payload, result = store.payload(row.id), store.result(row.id)
    job = queue.get_job(row.id)
    facts = {} if job is None else _dated(job.to_dict(), _INSTANTS)
    is_open = row.status in {"pending", "running"}
    return {
        "job": facts,
        "result_id": row.idempotency_key,
        "arguments": _arguments(payload),
        "result": None if result is None else _text(result),
        "errors": listed(queue.job_errors(row.id), "failed_at"),
        "logs": listed(queue.task_logs(row.id)[-_MOST_LINES:], "logged_at"),
        "reasons": queue.why(row.id).reasons if row.status == "pending" else (),
        "headers": parsed_headers(row.headers),
        "can_cancel": is_open,
        "can_retry": not is_open,
    }


def _dated(row: "Mapping[str, Any]", instants: "Iterable[str]") -> dict[str, Any]:
    dates = {name: instant(row[name]) for name in instants if row.get(name) is not None}
    return {**row, **dates}


def _arguments(payload: bytes | None) -> str:
    if payload is None:
        return ""
    if not is_json(payload):
        return _text(payload)
    args, kwargs = json.loads(payload)
    shown = [_json(value) for value in args] + [f"{name}={_json(v)}" for name, v in kwargs.items()]
    return _cut(",\n".join(shown))


def _text(data: bytes) -> str:
    """Return stored bytes as text. A pickle is not opened: that would run what is in it."""
    if not is_json(data):
        return f"a pickle of {len(data):,} bytes, not opened here"
    return _cut(_json(json.loads(data)))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}\n… {len(text):,} characters"
