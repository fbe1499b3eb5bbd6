"""Reading and writing the terms of a filter line; see :mod:`taskito.filters`."""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from taskito.exceptions import TaskitoError

Sign = Literal[":", ">", "<"]

STATES = (
    *("pending", "ready", "scheduled", "retrying", "blocked", "running"),
    *("complete", "completed", "failed", "dead", "cancelled"),
)
"""What ``state:`` may be; ``completed`` is ``complete``, and no job rests in ``failed``."""
FIELDS = (
    "state",
    "task",
    "queue",
    "worker",
    "id",
    "fp",
    "error",
    "tag",
    "args.",
    "age",
    "run",
    "created",
)
"""The fields there are; ``args.`` is followed by the name of an argument."""

_MEASURED = ("age", "run")
COMPARED = (*_MEASURED, "created")
"""Fields that are followed by ``<`` or ``>``."""
_MOST_MS = 100 * 365 * 86_400_000
_HEAD = re.compile(r"([a-z]+)(\.[^\s:<>\",]+)?([:<>])")
_DURATION = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)(ms|s|m|h|d)?", re.ASCII)
_UNIT_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_FINGERPRINT = re.compile(r"(?=.)[0-9a-f]{0,16}\*?")
_BARE = re.compile(r"[^\s,\"\\]+")
_BLANK = re.compile(r"\s+")
_SAID = {
    "": ("the text “{}” stands in it", "the text “{}” stands nowhere in it"),
    "error": ("its error has the text “{}”", "its error does not have the text “{}”"),
    "tag": ("it has the tag {}", "it does not have the tag {}"),
    "fp": ("it failed last as group {}", "it did not fail last as group {}"),
    "id": ("its id begins with {}", "its id does not begin with {}"),
    "age>": ("it is older than {}", "it is not older than {}"),
    "age<": ("it is younger than {}", "it is not younger than {}"),
    "run>": ("it ran longer than {}", "it did not run longer than {}"),
    "run<": ("it ran shorter than {}", "it did not run shorter than {}"),
    "created>": ("it was enqueued at or after {}", "it was enqueued before {}"),
    "created<": ("it was enqueued before {}", "it was enqueued at or after {}"),
}
"""What fields say, and what they say when they are denied."""


class FilterError(TaskitoError, ValueError):
    """A filter line cannot be read.

    Attributes:
        position: Where in the line, from 0.
        hint: What to write instead.
    """

    def __init__(self, message: str, position: int, hint: str) -> None:
        """Hold the facts."""
        super().__init__(f"{message} at position {position + 1} of the filter", hint=hint)
        self.position = position


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One term of a filter.

    Attributes:
        field: One of :data:`FIELDS`, with the name of the argument for ``args.``; empty for a
            word without a field.
        sign: ``:``, or how ``age`` and ``run`` are compared.
        values: One of these must fit. Words and durations are single.
        denied: Whether the job must not meet it.
    """

    field: str
    sign: Sign
    values: tuple[str, ...]
    denied: bool = False

    def __str__(self) -> str:
        """The term as it is written in a line."""
        head = f"{self.field}{self.sign}" if self.field else ""
        values = [_quoted(value) for value in self.values]
        if not self.field and _could_be_read_otherwise(values[0]):
            values = [_in_quotes(self.values[0])]
        return f"{'-' if self.denied else ''}{head}{','.join(values)}"

    def in_words(self) -> str:
        """The term as a person says it."""
        sign = self.sign if self.field in COMPARED else ""
        either = " or ".join(self.values)
        said = _SAID.get(f"{self.field}{sign}")
        if said is not None:
            return said[self.denied].format(either)
        name = self.field.replace("args.", "argument ", 1)
        return f"its {name} {'is not' if self.denied else 'is'} {either}"

    def compiled(self) -> tuple[str, bool, list[str]]:
        """The term as the engine takes it: field, whether it is denied, values."""
        if self.field in _MEASURED:
            return f"{self.field}{self.sign}", self.denied, [str(_milliseconds(self.values[0]))]
        if self.field == "created":
            return f"created{self.sign}", self.denied, [str(_instant(self.values[0]))]
        return self.field or "text", self.denied, list(self.values)


class Reader:
    """Reads a line from left to right."""

    def __init__(self, line: str) -> None:
        self._line = line
        self._at = 0

    def skip_blanks(self) -> bool:
        """Go to the next term; whether there is one."""
        blank = _BLANK.match(self._line, self._at)
        if blank is not None:
            self._at = blank.end()
        return self._at < len(self._line)

    def term(self) -> Term:
        """The next term."""
        denied = self._line.startswith("-", self._at)
        self._at += denied
        begin = self._at
        head = _HEAD.match(self._line, begin)
        if head is None:
            return Term(field="", sign=":", values=(self._value("a term"),), denied=denied)
        self._at = head.end()
        field, sign = self._known(head, begin)
        values = self._values(f"{field}{sign}")
        if field in COMPARED:
            self._check_compared(field, values, head.end())
        if field == "state":
            self._check_states(values, head.end())
        if field in {"id", "fp"}:
            values = tuple(value.lower() for value in values)
        if field == "fp":
            self._check_fingerprints(values, head.end())
        return Term(field=field, sign=sign, values=values, denied=denied)

    def _known(self, head: re.Match[str], begin: int) -> tuple[str, Sign]:
        word, name, given = head.groups()
        sign: Sign = ":" if given == ":" else ">" if given == ">" else "<"
        field = f"{word}{name or ''}"
        known = (word == "args" and name) or (word in FIELDS and not name)
        if not known:
            raise self._unknown(field, begin)
        if (sign == ":") == (word in COMPARED):
            one = "1h" if word in _MEASURED else "2026-11-25"
            better = f"{word}>{one} or {word}<{one}" if word in COMPARED else f"{field}:VALUE"
            raise FilterError(f"{field!r} is not compared with {sign!r}", begin, f"write {better}")
        return field, sign

    def _unknown(self, field: str, begin: int) -> FilterError:
        near = get_close_matches(field, FIELDS, n=1)
        if field == "args":
            advice = "name the argument, as in args.user_id:42"
        else:
            advice = f"did you mean {near[0]!r}? " if near else ""
            advice += f"fields: {', '.join(FIELDS[:-4])}, args.NAME, age, run, created; "
            advice += "quote a text that is none"
        return FilterError(f"unknown field {field!r}", begin, advice)

    def _values(self, what: str) -> tuple[str, ...]:
        values = [self._value(f"a value after {what!r}")]
        while self._line.startswith(",", self._at):
            self._at += 1
            values.append(self._value("a value after the comma"))
        return tuple(values)

    def _value(self, what: str) -> str:
        begin = self._at
        if self._line.startswith('"', begin):
            value = self._in_quotes()
        else:
            bare = _BARE.match(self._line, begin)
            value = "" if bare is None else bare.group()
            self._at += len(value)
        rest = self._line[self._at : self._at + 1]
        if not value and rest != "\\":
            raise FilterError(f"{what} is missing", begin, "write a word, or text in quotes")
        if rest and rest != "," and not rest.isspace():
            advice = 'put the whole value in quotes, and a backslash before each " in it'
            raise FilterError(f"{rest!r} cannot stand here", self._at, advice)
        return value

    def _in_quotes(self) -> str:
        begin = self._at
        letters: list[str] = []
        at = begin + 1
        while at < len(self._line):
            letter = self._line[at]
            if letter == '"':
                self._at = at + 1
                return "".join(letters)
            if letter == "\\":
                at += 1
                letter = self._line[at : at + 1]
                if letter not in {'"', "\\"}:
                    advice = 'write \\\\ for a backslash and \\" for a quote'
                    raise FilterError("a backslash stands before something else", at - 1, advice)
            letters.append(letter)
            at += 1
        raise FilterError("the quote has no end", begin, 'close it with "')

    @staticmethod
    def _check_states(values: tuple[str, ...], begin: int) -> None:
        for value in values:
            if value not in STATES:
                near = get_close_matches(value, STATES, n=1)
                advice = f"did you mean {near[0]!r}? " if near else ""
                advice += f"states: {', '.join(STATES)}"
                raise FilterError(f"unknown state {value!r}", begin, advice)

    @staticmethod
    def _check_fingerprints(values: tuple[str, ...], begin: int) -> None:
        for value in values:
            if not _FINGERPRINT.fullmatch(value):
                advice = (
                    "write the fingerprint of the group, or how it begins: up to 16 digits, a-f"
                )
                raise FilterError(f"{value!r} is no group of failures", begin, advice)

    @staticmethod
    def _check_compared(field: str, values: tuple[str, ...], begin: int) -> None:
        if len(values) > 1:
            raise FilterError(f"{field!r} has several values", begin, "write one value")
        if field == "created":
            if _instant(values[0]) is None:
                advice = "write 2026-11-25, 2026-11-25T12:30 or 2026-11-25T12:30+01:00"
                raise FilterError(f"{values[0]!r} is no instant", begin, advice)
        elif _milliseconds(values[0]) is None:
            advice = "write 90, 250ms, 30s, 15m, 12h or 7d"
            raise FilterError(f"{values[0]!r} is no duration", begin, advice)


def check_letters(line: str) -> None:
    """Refuse a line that UTF-8 has no form for."""
    try:
        line.encode()
    except UnicodeEncodeError as error:
        advice = "write text that UTF-8 has a form for"
        raise FilterError("half a letter stands", error.start, advice) from None


def _milliseconds(text: str) -> int | None:
    """The whole milliseconds of a duration; ``None`` for other text."""
    found = _DURATION.fullmatch(text)
    if found is None:
        return None
    length = round(float(found[1]) * _UNIT_MS[found[2] or "s"])
    return length if length <= _MOST_MS else None


def _instant(text: str) -> int | None:
    """The milliseconds since 1970 of an instant in ISO 8601; ``None`` for other text."""
    from datetime import UTC, datetime, timedelta  # noqa: PLC0415 - seldom needed

    try:
        at = datetime.fromisoformat(text)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def _quoted(value: str) -> str:
    return value if _BARE.fullmatch(value) else _in_quotes(value)


def _in_quotes(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _could_be_read_otherwise(word: str) -> bool:
    """Whether a bare word would be read as a term that is denied or has a field."""
    return word.startswith("-") or _HEAD.match(word) is not None
