"""Facts as words for people. Pure: what time it is, is told.

Durations: ``113 ms``, ``5.8 s``, ``4 min 10 s``, ``2 h 3 min``, ``3 d 4 h``, with a thin space
before the unit. Instants are UTC,
if no other zone is wanted.
"""

import re
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from taskito_core import JobRow

THIN = "\u202f"
_DASH = "–"  # noqa: RUF001 - what tables have where nothing is known
_STATES = {
    "pending": ("○", "Pending"),
    "ready": ("○", "Ready"),
    "blocked": ("○", "Blocked"),
    "running": ("▶", "Running"),
    "complete": ("✓", "Completed"),
    "completed": ("✓", "Completed"),
    "failed": ("!", "Failed"),
    "dead": ("×", "Dead"),  # noqa: RUF001 - the glyph of the state
    "cancelled": ("–", "Cancelled"),  # noqa: RUF001 - likewise
    "scheduled": ("◔", "Scheduled"),
    "retrying": ("↻", "Retrying"),
    "lost": ("!", "Lost"),
    "done": ("✓", "Done"),
    "stopped": ("–", "Stopped"),  # noqa: RUF001 - likewise
}
_WEEKDAYS = ("Sundays", "Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays")


def count(number: int | None) -> str:
    """Return ``10,036``."""
    return _DASH if number is None else f"{number:,}"


def state(status: str) -> tuple[str, str]:
    """Return the glyph and the word of a status."""
    return _STATES.get(status, ("?", status))


def stands(row: "JobRow", now: int) -> str:
    """Return where a job stands: its status, and of one that waits what for, as ``state:`` says."""
    if row.status != "pending":
        return row.status
    if row.waiting_on:
        return "blocked"
    if not row.is_scheduled or row.scheduled_at <= now:
        return "ready"
    return "retrying" if row.retry_count else "scheduled"


def duration(ms: float | None) -> str:
    """Return a number of milliseconds in its two largest units."""
    if ms is None:
        return _DASH
    ms = max(0, ms)
    if ms < 999.5:  # noqa: PLR2004
        return f"{ms:.0f}{THIN}ms" if ms >= 10 or ms == int(ms) else f"{ms:.1f}{THIN}ms"  # noqa: PLR2004
    if ms < 59_950:  # noqa: PLR2004
        return f"{ms / 1000:.1f}{THIN}s"
    seconds = round(ms / 1000)
    for size, unit, part_size, part_unit in (
        (86_400, "d", 3600, "h"),
        (3600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if seconds >= size:
            whole, rest = divmod(seconds, size)
            part = rest // part_size
            more = f" {part}{THIN}{part_unit}" if part else ""
            return f"{whole}{THIN}{unit}{more}"
    return f"{seconds}{THIN}s"


def ago(at: int | None, now: int) -> str:
    """Return ``9 min ago`` or ``in 3 h``; the largest unit alone."""
    if at is None:
        return _DASH
    seconds = abs(now - at) / 1000
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        if seconds >= size:
            span = f"{int(seconds // size)}{THIN}{unit}"
            return f"{span} ago" if at < now else f"in {span}"
    return "now"


def clock(at: int | None, now: int, zone: tzinfo = UTC) -> str:
    """Return an instant as ``11:31:52 UTC`` if it is of today, else ``2026-11-22 11:31 UTC``."""
    if at is None:
        return _DASH
    try:
        moment, today = (datetime.fromtimestamp(it // 1000, zone) for it in (at, now))
    except (OverflowError, ValueError, OSError):
        return f"{at} ms"
    is_today = moment.date() == today.date()
    return f"{moment:%H:%M:%S %Z}" if is_today else f"{moment:%Y-%m-%d %H:%M %Z}"


def iso(at: int | None, zone: tzinfo = UTC) -> str:
    """Return an instant as ``2026-11-22 11:31:52.936 UTC``; the zone is always named."""
    if at is None:
        return _DASH
    try:
        moment = datetime.fromtimestamp(at // 1000, zone)
    except (OverflowError, ValueError, OSError):
        return f"{at} ms"
    return f"{moment:%Y-%m-%d %H:%M:%S}.{at % 1000:03} {moment:%Z}"


def machine(at: int) -> str:
    """Return an instant as HTML has it: ``2026-11-22T11:31:52.936Z``."""
    return iso(at).replace(" UTC", "Z").replace(" ", "T")


def size(octets: int | None) -> str:
    """Return a number of bytes in its largest unit of 1024."""
    if octets is None:
        return _DASH
    value, units = float(octets), ["B", "KiB", "MiB", "GiB"]
    while value >= 1024 and len(units) > 1:  # noqa: PLR2004
        value /= 1024
        del units[0]
    return f"{value:,.0f}{THIN}{units[0]}" if units[0] == "B" else f"{value:,.1f}{THIN}{units[0]}"


def percent(part: float, whole: float) -> str:
    """Return ``12.4 %``; a dash when there is nothing to compare with."""
    return _DASH if not whole else f"{100 * part / whole:.1f}{THIN}%"


def call_line(task: str, preview: str | None) -> str:
    """Return a job as the call it was, or its task alone if its arguments are not known."""
    return task if preview is None else f"{task}({preview})"


def last_line(error: str | None) -> str:
    """Return the end of a traceback, which names the exception."""
    lines = [line for line in (error or "").splitlines() if line.strip()]
    named = [line for line in lines if not line[0].isspace()]
    return (named or lines or [""])[-1].strip()


def short(identifier: str) -> str:
    """Return what tells ids of one screen apart: the end of the time, and the sequence.

    The front is the same for 65 seconds, the end for all of the database. ``id:`` finds it.
    """
    return identifier[9:22] or identifier


def schedule(cron: str | None, every: float | None, timezone: str) -> str:
    """Return when a schedule fires in words, if they are few; else the expression itself."""
    zone = f" {timezone}"
    if every is not None:
        is_short = every < 60  # noqa: PLR2004
        return f"every {every:g}{THIN}s" if is_short else f"every {duration(every * 1000)}"
    fields = (cron or "").split()
    words = _cron(fields[1:] if len(fields) == 6 and fields[0] == "0" else fields)  # noqa: PLR2004
    return f"{words}{zone}" if words else f"{cron}{zone}"


def _cron(fields: list[str]) -> str | None:
    if len(fields) != 5 or fields[2:4] != ["*", "*"]:  # noqa: PLR2004
        return None
    minute, hour, *_, weekday = fields
    if (hour, weekday) == ("*", "*"):
        return _each_hour(minute)
    days = _days(weekday)
    if days is None or not (minute.isdigit() and hour.isdigit()):
        return None
    return f"{days} at {int(hour):02}:{int(minute):02}"


def _days(weekday: str) -> str | None:
    if weekday == "*":
        return "every day"
    if weekday == "1-5":
        return "Monday to Friday"
    # 0 and 7 are both Sunday.
    return _WEEKDAYS[int(weekday) % 7] if weekday in {*"01234567"} else None


def _each_hour(minute: str) -> str | None:
    if minute == "*":
        return "every minute"
    if step := re.fullmatch(r"\*/([1-9]\d?)", minute):
        # Others start anew with each hour.
        return f"every {int(step[1])} minutes" if 60 % int(step[1]) == 0 else None
    return f"every hour at minute {int(minute)}" if minute.isdigit() else None
