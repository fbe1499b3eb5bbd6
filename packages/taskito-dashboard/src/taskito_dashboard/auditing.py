"""What is written down of what people do: who, what, to what, to how many."""

import re
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qs, urlsplit

from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from taskito_dashboard.routing import Call

_DEED = re.compile("[a-z-]{1,20}")
_NUMBERS = ("cancelled", "deleted", "purged", "replay_job_ids", "new_job_ids")
_MOST_KEYS = 2
_NAME = re.compile(r"<[^>]*>")


def is_noted(call: "Call") -> bool:
    """Whether what a request did is written down here. Operations write down themselves."""
    route = call.route
    changes = route.role == "admin" and route.method != "GET"
    return changes and not (route.begins_operations or call.operations)


def deed_of(call: "Call") -> str:
    """Return the word for what was done: the button, else the last word of the path."""
    route = call.route
    button = call.request.form.get("deed", "") if route.kind == "action" else ""
    if _DEED.fullmatch(button):
        return button
    parts = [part for part in route.path.split("/") if part and not _NAME.fullmatch(part)]
    last = route.path.rstrip("/").rsplit("/", 1)[-1]
    if route.method == "DELETE":
        return "delete"
    return route.method.lower() if _NAME.fullmatch(last) else parts[-1]


def subject_of(call: "Call") -> str:
    """Return what it was done to: the name in the path, else the kind of thing."""
    if call.names:
        return " ".join(call.names.values())
    return call.route.path.removeprefix("/api/").strip("/").split("/")[0]


def number_of(answer: object) -> int:
    """Return to how many it was done, as the answer says; 1 if it does not."""
    if isinstance(answer, tuple):
        answer = answer[-1]
    if isinstance(answer, Response):
        given = parse_qs(urlsplit(answer.headers.get("Location", "")).query).get("n", ["1"])[0]
        return int(given) if given.isascii() and given.isdigit() and len(given) < 16 else 1  # noqa: PLR2004
    if isinstance(answer, dict):
        said = cast("dict[str, object]", answer)
        told = [said[name] for name in _NUMBERS if name in said]
        # A queue has such names as well, among others.
        for value in told if len(said) <= _MOST_KEYS else ():
            if isinstance(value, list):
                return len(cast("list[object]", value))
            if isinstance(value, int) and not isinstance(value, bool):
                return value
    return 1
