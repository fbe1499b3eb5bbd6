"""Query parameters and JSON bodies: what they may be, and their values."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import orjson
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Request

from taskito_dashboard.errors import Refused

Kind = Literal["text", "count", "instant", "seconds"]

MOST_ROWS = 500
MOST_IDS = 1000
MOST_BYTES = 2**20
READ_MS = 2000
"""No question to the database takes longer, so that none keeps a page from others."""
_LONGEST = 100 * 365 * 86_400
_LATEST = 2**53


@dataclass(frozen=True, slots=True)
class Param:
    """One query parameter.

    Attributes:
        name: In the URL.
        kind: ``text``; ``count``, a whole number from 0; ``instant``, milliseconds since the
            epoch; ``seconds``, a duration that may have a fraction.
        default: The value without it.
        most: The largest value; larger ones are refused.
        choices: The only values, if they are few.
    """

    name: str
    kind: Kind = "text"
    default: Any = None
    most: int | None = None
    choices: tuple[str, ...] = ()

    def read(self, text: str) -> object:
        """Return the value of a text.

        Raises:
            Refused: With 400, for a text that is none.
        """
        if self.kind == "text":
            if self.choices and text not in self.choices:
                raise self._refused(text, f"one of {', '.join(self.choices)}")
            return text
        if self.kind == "seconds":
            return self._seconds(text)
        return self._whole(text)

    def schema(self) -> dict[str, Any]:
        """Return the same as JSON Schema."""
        if self.kind == "text":
            return {"type": "string", **({"enum": list(self.choices)} if self.choices else {})}
        if self.kind == "seconds":
            return {"type": "number", "minimum": 0, "default": self.default}
        whole: dict[str, Any] = {"type": "integer", "minimum": 0}
        if self.most is not None:
            whole["maximum"] = self.most
        if self.default is not None:
            whole["default"] = self.default
        return whole

    def _whole(self, text: str) -> int:
        most = _LATEST if self.most is None else self.most
        # Not every digit of Unicode is one here, nor are 5,000 of them a number.
        if not (text.isascii() and text.isdigit() and len(text) < 17 and int(text) <= most):  # noqa: PLR2004
            raise self._refused(text, f"a whole number from 0 to {most}")
        return int(text)

    def _seconds(self, text: str) -> float:
        try:
            seconds = float(text)
        except ValueError:
            seconds = math.nan
        if not 0 <= seconds <= _LONGEST:
            raise self._refused(text, "a number of seconds, 0 or more")
        return seconds

    def _refused(self, text: str, wanted: str) -> Refused:
        shown = text if len(text) <= 100 else f"{text[:100]}…"  # noqa: PLR2004
        return Refused(400, f"{self.name} is {shown!r}", f"{self.name} must be {wanted}")


def query(request: Request, params: Sequence[Param]) -> dict[str, Any]:
    """Return the values of all parameters; those that are absent or empty have their default."""
    given = request.args
    return {
        param.name: param.read(text) if (text := given.get(param.name)) else param.default
        for param in params
    }


def document(request: Request) -> dict[str, Any]:
    """Return the JSON object in the body; an empty body is an empty object.

    Raises:
        Refused: With 413 for a body over 1 MiB, and 400 for one that is no JSON object.
    """
    body = content(request)
    if not body.strip():
        return {}
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Refused(400, f"the body is not JSON: {error}", "send a JSON object") from None
    if not isinstance(found, dict):
        raise Refused(400, "the body is not a JSON object", "send {…}")
    return cast("dict[str, Any]", found)


def content(request: Request) -> bytes:
    """Return the body.

    Raises:
        Refused: With 413 for one over 1 MiB.
    """
    try:
        return request.get_data(cache=True)
    except RequestEntityTooLarge:
        raise too_large(f"the body has over {MOST_BYTES:,} bytes") from None


def too_large(what: str) -> Refused:
    """Return what is raised for more than is taken at once."""
    return Refused(413, what, f"send at most {MOST_IDS:,} ids and {MOST_BYTES:,} bytes at once")


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows a bulk request means: ``ids``, or all that a ``filter`` matches.

    Attributes:
        ids: The rows, or ``None`` with a filter.
        filter: Values by name, when there are no ids.
    """

    ids: list[str] | None
    filter: dict[str, Any]


def selection(body: Mapping[str, Any], params: Sequence[Param]) -> Selection:
    """Read ``{"ids": […]}`` or ``{"filter": {…}}``.

    Raises:
        Refused: With 413 for over 1000 ids, and 400 for anything else that is wrong.
    """
    if len(body) != 1 or not body.keys() <= {"ids", "filter"}:
        raise Refused(400, f"the body has {_listed(body)}", 'send {"ids": […]} or {"filter": {…}}')
    if "filter" in body:
        return Selection(None, _filter(body["filter"], params))
    ids = cast("list[Any]", body["ids"])
    if not isinstance(body["ids"], list) or not all(isinstance(entry, str) for entry in ids):
        raise Refused(400, "ids is not a list of texts", 'send {"ids": ["…"]}')
    if len(ids) > MOST_IDS:
        raise too_large(f"ids has {len(ids):,} entries")
    return Selection(list(dict.fromkeys(ids)), {})


def _filter(given: object, params: Sequence[Param]) -> dict[str, Any]:
    known = {param.name: param for param in params}
    if not isinstance(given, dict):
        raise Refused(400, "filter is not an object", f"its keys are {', '.join(known)}")
    wanted = cast("dict[str, Any]", given)
    unknown = wanted.keys() - known.keys()
    if unknown:
        raise Refused(400, f"filter has {_listed(unknown)}", f"its keys are {', '.join(known)}")
    return {
        name: None if value is None else known[name].read(plain(name, value))
        for name, value in wanted.items()
    }


def plain(name: str, value: object) -> str:
    """Return a value of a JSON object as it would stand in a URL.

    Raises:
        Refused: With 400, for what could not stand there.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Refused(400, f"{name} is no text or number", "send a plain value")
    return str(value)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(map(repr, names))) or "no key"
