"""The attempts of a job as stretches of time. Pure: what time it is, is told."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from taskito_dashboard.words import last_line

if TYPE_CHECKING:
    from taskito_core import JobRow

Attempt: TypeAlias = Mapping[str, Any]

PARTS = (
    ("held", "Held back"),
    ("wait", "Wait"),
    ("start", "Start"),
    ("run", "Run"),
)
"""What an attempt consists of, in order: key and heading."""
_LEAST_WIDTH = 0.4


def timeline(
    row: "JobRow", attempts: Sequence[Attempt], now: int, *, begun_at: int | None = None
) -> list[dict[str, Any]]:
    """Return the attempts of a job with their parts, oldest first.

    ``held`` is the delay of the first attempt or the backoff of a later one, ``wait`` is from
    due until claimed, ``start`` from claimed until the function began, ``run`` until its end.
    When the job was due is stored for the newest attempt only: a first attempt that was
    repeated has its delay in ``wait``, a later one has its wait in ``held``.

    Args:
        row: The job.
        attempts: As :func:`taskito._watching.attempts` tells them.
        now: The present.
        begun_at: When the function of the attempt that runs began, if it did.

    Returns:
        Dicts with ``label``, ``outcome`` (a status; ``pending`` for the next attempt),
        ``at``, when it was claimed, ``error``, the class of what it failed of, ``bars``, triples
        of a key of ``PARTS`` with a place and a width in percent of the whole time, and
        ``lengths``, the ms of each key, ``None`` where it was not there or is not known.
    """
    spans = [_instants(row, attempt, now, begun_at) for attempt in attempts]
    if row.status == "pending" and attempts:
        spans.append({"outcome": "pending", "due": min(row.scheduled_at, now), "claimed": None})
    begin = row.created_at
    end = max([begin, *(_end(span, now) for span in spans)])
    found: list[dict[str, Any]] = []
    free = begin
    for number, span in enumerate(spans, start=1):
        parts = _parts(free, span, now, is_first=number == 1)
        found.append(
            {
                "label": f"Attempt {number}",
                "outcome": span["outcome"],
                "at": span["claimed"],
                "error": span.get("error", ""),
                "bars": [_bar(key, *ends, begin, end) for key, ends in parts.items()],
                "lengths": {
                    key: max(0, parts[key][1] - parts[key][0]) if key in parts else None
                    for key, _ in PARTS
                },
            }
        )
        free = _end(span, now)
    return found


def _instants(row: "JobRow", attempt: Attempt, now: int, begun_at: int | None) -> dict[str, Any]:
    """Return when an attempt was due, was claimed, began and ended, as far as that is known."""
    runs = attempt["outcome"] == "running"
    is_newest = attempt["claimed_at"] == row.started_at and row.status != "pending"
    return {
        "outcome": "complete" if attempt["outcome"] == "completed" else attempt["outcome"],
        "due": row.scheduled_at if is_newest else None,
        "claimed": attempt["claimed_at"],
        "error": _class_of(attempt.get("error")),
        "began": begun_at if runs else attempt["started_at"],
        "ended": now if runs else attempt["finished_at"],
        "runs": runs,
    }


def _class_of(error: str | None) -> str:
    """Return the class that the last line of a traceback names, if it is one."""
    name = last_line(error).partition(":")[0]
    return name if name.isidentifier() or name.replace(".", "").isidentifier() else ""


def _end(span: Mapping[str, Any], now: int) -> int:
    ended: int | None = span.get("ended")
    return now if ended is None else ended


def _parts(
    free: int, span: Mapping[str, Any], now: int, *, is_first: bool
) -> dict[str, tuple[int, int]]:
    """Return where each part of an attempt begins and ends; ``free`` is where the last ended."""
    claimed = span["claimed"] if span["claimed"] is not None else now
    due = span["due"] if span["due"] is not None else (free if is_first else claimed)
    due = min(max(due, free), claimed)
    parts: dict[str, tuple[int, int]] = {}
    if due > free or not is_first:
        parts["held"] = (free, due)
    if span["due"] is not None or is_first:
        parts["wait"] = (due, claimed)
    if span["claimed"] is None:
        return parts
    ended = _end(span, now)
    if span["began"] is not None:
        began = min(max(span["began"], claimed), ended)
        return {**parts, "start": (claimed, began), "run": (began, ended)}
    # Of what runs it is known whether it began; of what is over it may not be.
    return {**parts, "start" if span["runs"] else "run": (claimed, ended)}


def _bar(key: str, begin: int, end: int, first: int, last: int) -> tuple[str, float, float]:
    """Return a place and a width in percent, wide enough to be seen."""
    whole = max(1, last - first)
    width = max(_LEAST_WIDTH, 100 * max(0, end - begin) / whole)
    place = min(100 * max(0, begin - first) / whole, 100 - _LEAST_WIDTH)
    return key, round(place, 2), round(min(width, 100 - place), 2)
