"""A job as something to paste elsewhere: a command, a call, a request, a report.

A job that has a preview shows no more of its arguments than that does.
"""

import ast
import json
import shlex
from typing import TYPE_CHECKING

from taskito._previews import HIDDEN
from taskito_dashboard import words

if TYPE_CHECKING:
    from taskito_core import JobRow
    from taskito_dashboard.source import Values


def copies(
    row: "JobRow", preview: str | None, values: "Values", database: str, address: str
) -> list[tuple[str, str]]:
    """Return names and texts. ``address`` is that of the dashboard, with scheme and host."""
    return [
        ("CLI", shlex.join(["taskito", "--db", database, "jobs", "show", row.id])),
        ("Python", _python(row, preview, values)),
        ("curl", shlex.join(["curl", "-s", f"{address}/api/jobs/{row.id}"])),
        ("Markdown", _markdown(row, preview, values)),
    ]


def _python(row: "JobRow", preview: str | None, values: "Values") -> str:
    known = _written(preview) if preview is not None else _decoded(values)
    if known is None:
        return f"queue.replay({row.id!r})"
    args, kwargs = known
    options = "" if row.queue == "default" else f", queue={row.queue!r}"
    if row.priority:
        options += f", priority={row.priority}"
    return f"queue.enqueue({row.task!r}, {args}, {kwargs}{options})"


def _written(preview: str) -> tuple[str, str] | None:
    """Return the arguments in a preview; ``None`` if it hides or leaves out any of them."""
    if HIDDEN in preview:
        return None
    try:
        call = ast.parse(f"f({preview})", mode="eval").body
        if not isinstance(call, ast.Call):
            return None
        args = [ast.literal_eval(value) for value in call.args]
        kwargs = {word.arg: ast.literal_eval(word.value) for word in call.keywords}
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        return None
    return (repr(args), repr(kwargs)) if None not in kwargs else None


def _decoded(values: "Values") -> tuple[str, str] | None:
    args, kwargs = _literal(values.args), _literal(values.kwargs)
    return None if args is None or kwargs is None else (args, kwargs)


def _literal(text: str | None) -> str | None:
    """Return JSON text as Python writes it; ``None`` if it is no JSON."""
    try:
        return repr(json.loads(text or ""))
    except (ValueError, RecursionError):
        return None


def _markdown(row: "JobRow", preview: str | None, values: "Values") -> str:
    lines = [
        f"**{row.task}** {row.status}, {row.retry_count} of {row.max_retries} retries spent",
        "",
        f"- id: `{row.id}`",
        f"- queue: `{row.queue}`",
        f"- enqueued: {words.iso(row.created_at)}",
    ]
    if row.completed_at is not None:
        lines.append(f"- ended: {words.iso(row.completed_at)}")
    if preview is not None:
        lines.append(f"- call: `{words.call_line(row.task, preview)}`")
    elif values.args is not None:
        lines.append(f"- arguments: `{values.args}` `{values.kwargs}`")
    if row.error:
        fence = "```"
        while fence in row.error:
            fence += "`"
        lines += ["", fence, row.error.rstrip(), fence]
    return "\n".join(lines)
