"""How facts look to a person: tables, ages, and errors in one line."""

import time
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

_SPANS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))
_GAP = "  "


def columns(head: Sequence[str], rows: Iterable[Sequence[str]], *, width: int | None) -> str:
    """Return an aligned table.

    Args:
        head: The names of the columns.
        rows: As many cells each; the last may be cut.
        width: Of the terminal, ``None`` if there is none and nothing is to be cut.
    """
    lines = [[one_line(cell) for cell in row] for row in (head, *rows)]
    widths = [max(map(columns_of, cells)) for cells in zip(*lines, strict=True)]
    shown: list[str] = []
    for line in lines:
        padded = [
            cell + " " * (wide - columns_of(cell))
            for cell, wide in zip(line[:-1], widths[:-1], strict=True)
        ]
        shown.append(cut(_GAP.join([*padded, line[-1]]).rstrip(), width))
    return "\n".join(shown)


def pairs(facts: Iterable[tuple[str, str | None]]) -> str:
    """Return names with their values below each other, without those that have none."""
    known = [(name, one_line(value)) for name, value in facts if value is not None]
    wide = max(len(name) for name, _ in known)
    return "\n".join(f"{name:<{wide}}{_GAP}{value}" for name, value in known)


def one_line(text: str) -> str:
    """Return text with a space for all that would move the cursor or end the line."""
    return "".join(char if char.isprintable() else " " for char in text)


def printable(text: str) -> str:
    """Return lines as they are, without what could control a terminal."""
    return "\n".join(one_line(line.expandtabs(4)) for line in text.splitlines())


def last_line(error: str | None) -> str:
    """Return the end of a traceback, which names the exception; empty without an error."""
    lines = [line for line in (error or "").splitlines() if line.strip()]
    named = [line for line in lines if not line[0].isspace()]
    return (named or lines or [""])[-1].strip()


def cut(text: str, width: int | None) -> str:
    """Return text that fits into ``width`` columns."""
    if width is None or columns_of(text) <= width:
        return text
    while columns_of(text) > width - 1:
        text = text[:-1]
    return text + "…"


def columns_of(text: str) -> int:
    """Return how many columns of a terminal the text takes."""
    if text.isascii():
        return len(text)
    return sum(_columns(char) for char in text)


def ago(at: int | None, now: int | None = None) -> str:
    """Return how long ago something was or when it will be: ``9 min ago``, ``in 3 h``.

    Args:
        at: Milliseconds since the epoch; ``None`` gives ``-``.
        now: The same of the present; ``None`` asks the clock.
    """
    if at is None:
        return "-"
    seconds = ((milliseconds() if now is None else now) - at) / 1000
    for span, unit in _SPANS:
        count = int(abs(seconds) // span)
        if count:
            return f"{count} {unit} ago" if seconds > 0 else f"in {count} {unit}"
    return "now"


def span(seconds: float) -> str:
    """Return a duration in its largest whole unit: ``1 d``, ``90 min``."""
    size, unit = next(
        (size, unit) for size, unit in (*_SPANS, (1, "s")) if not seconds % size or size == 1
    )
    return f"{seconds / size:g} {unit}"


def when(at: int | None) -> str | None:
    """Return an instant in UTC with its age; ``None`` without one."""
    return None if at is None else f"{instant(at)}  ({ago(at)})"


def instant(at: int) -> str:
    """Return milliseconds since the epoch as a date and a time in UTC."""
    try:
        moment = datetime.fromtimestamp(at / 1000, UTC)
    except (ValueError, OverflowError):  # delays may be longer than calendars
        return f"{at} ms since 1970"
    return moment.isoformat(sep=" ", timespec="milliseconds").replace("+00:00", "Z")


def milliseconds() -> int:
    """Return the present as milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def _columns(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
