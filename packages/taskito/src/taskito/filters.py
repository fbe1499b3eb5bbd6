"""The filter line: which jobs are meant, in one line of text.

The same line works on the page, in its address, in the JSON API and on the command line::

    state:dead,retrying task:send_* -queue:reports args.user_id:42 error:"SMTP timeout" age>1h

Terms are parted by blanks, and a job must meet all of them; values are parted by commas, and one
of them must fit; ``-`` in front of a term denies it. A value with blanks, commas or quotes stands
in double quotes, in which ``\\"`` is a quote and ``\\\\`` a backslash.

=============  =================================================================================
Term           A job meets it when
=============  =================================================================================
``state:``     it is ``pending`` (any that waits), ``ready`` (due), ``scheduled`` (due later),
               ``retrying`` (due later, after a failed attempt), ``blocked`` (by other jobs),
               ``running``, ``complete``, ``dead`` or ``cancelled``
``task:``      its task has the name; ``*`` is anything
``queue:``     its queue has the name; ``*`` is anything
``worker:``    the worker that runs it has the name: its machine, ``machine:pid`` or id
``id:``        its id begins like this
``error:``     its error has this text
``tag:``       its metadata is a JSON object whose ``tags`` have the value
``args.NAME``  the argument has the value; ``args.0:`` is the first one without a name
``age>1h``     it was enqueued longer ago; ``age<`` is less long
``run>5s``     its last attempt ran, or runs, longer; ``run<`` is less long
``created>``   it was enqueued at the instant or later; ``created<`` is before
``word``       the text stands in its task, queue, error, metadata or arguments
=============  =================================================================================

Instants are written ``2026-11-25``, ``2026-11-25T12:30`` or ``2026-11-25T12:30:05.250+01:00``; they
are UTC unless they say otherwise. Durations are ``90`` (seconds), ``250ms``, ``30s``, ``15m``, ``12h`` or ``7d``. Texts are compared
as they are, upper and lower case apart. Arguments are read as text: those of payloads that are
JSON.
"""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, Self

from taskito._checks import string
from taskito.exceptions import TaskitoError

__all__ = ["FIELDS", "STATES", "Filter", "FilterError", "Term"]

Sign = Literal[":", ">", "<"]

STATES = (
    *("pending", "ready", "scheduled", "retrying", "blocked", "running"),
    *("complete", "completed", "failed", "dead", "cancelled"),
)
"""What ``state:`` may be; ``completed`` is ``complete``, and no job rests in ``failed``."""
FIELDS = ("state", "task", "queue", "worker", "id", "error", "tag", "args.", "age", "run", "created")
"""The fields there are; ``args.`` is followed by the name of an argument."""

_MEASURED = ("age", "run")
_COMPARED = (*_MEASURED, "created")
_MOST_LETTERS = 10_000
_MOST_MS = 100 * 365 * 86_400_000
_HEAD = re.compile(r"([a-z]+)(\.[^\s:<>\",]+)?([:<>])")
_DURATION = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)(ms|s|m|h|d)?", re.ASCII)
_UNIT_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_BARE = re.compile(r"[^\s,\"\\]+")
_BLANK = re.compile(r"\s+")


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
        either = " or ".join(self.values)
        be, have = ("is not", "does not have") if self.denied else ("is", "has")
        match self.field:
            case "":
                return f"the text “{either}” {'does not stand' if self.denied else 'stands'} in it"
            case "error":
                return f"its error {have} the text “{either}”"
            case "tag":
                return f"it {have} the tag {either}"
            case "id":
                return f"its id {'does not begin' if self.denied else 'begins'} with {either}"
            case "age" | "run":
                noun = {"age": "its age", "run": "its run"}[self.field]
                return f"{noun} {be} {'longer' if self.sign == '>' else 'shorter'} than {either}"
            case "created":
                side = "before" if (self.sign == "<") != self.denied else "at or after"
                return f"it was enqueued {side} {either}"
            case "worker":
                return f"the worker that runs it {be} {either}"
            case field if field.startswith("args."):
                return f"its argument {field.removeprefix('args.')} {be} {either}"
            case field:
                return f"its {field} {be} {either}"

    def compiled(self) -> tuple[str, bool, list[str]]:
        """The term as the engine takes it: field, whether it is denied, values."""
        if self.field in _MEASURED:
            return f"{self.field}{self.sign}", self.denied, [str(_milliseconds(self.values[0]))]
        if self.field == "created":
            return f"created{self.sign}", self.denied, [str(_instant(self.values[0]))]
        return self.field or "text", self.denied, list(self.values)


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter line that was read.

    Attributes:
        terms: What a job must meet, all of it. None: every job is meant.

    Example:
        >>> Filter.parse("state:dead  task:send_*").terms[0].values
        ('dead',)
        >>> str(Filter.parse('error:"SMTP timeout"   -queue:a,b'))
        'error:"SMTP timeout" -queue:a,b'
    """

    terms: tuple[Term, ...] = ()

    @classmethod
    def parse(cls, line: str) -> Self:
        """Read a line.

        Raises:
            FilterError: It cannot be read; says where, why, and what to write.
            TypeError: ``line`` is no text.
        """
        if len(string("filter", line)) > _MOST_LETTERS:
            raise FilterError(
                f"a filter of {len(line):,} letters is too long",
                _MOST_LETTERS,
                f"write up to {_MOST_LETTERS:,} letters",
            )
        _check_letters(line)
        reader = _Reader(line)
        terms: list[Term] = []
        while reader.skip_blanks():
            terms.append(reader.term())
        return cls(tuple(terms))

    def __str__(self) -> str:
        """The line; reading it gives an equal filter."""
        return " ".join(map(str, self.terms))

    def in_words(self) -> str:
        """What is meant, as a sentence for a person."""
        if not self.terms:
            return "all jobs"
        return f"jobs where {' and '.join(term.in_words() for term in self.terms)}"

    def compiled(self) -> list[tuple[str, bool, list[str]]]:
        """The terms as the engine takes them."""
        return [term.compiled() for term in self.terms]

    def value_of(self, field: str) -> str | None:
        """The value of a field that has one term with one value, not denied; else ``None``."""
        found = [term for term in self.terms if term.field == field]
        if len(found) != 1 or found[0].denied or len(found[0].values) != 1:
            return None
        return found[0].values[0]

    def without(self, field: str) -> "Filter":
        """The filter without the terms of a field."""
        return Filter(tuple(term for term in self.terms if term.field != field))

    def with_term(self, field: str, *values: str) -> "Filter":
        """The filter with a term more; one that holds already is not repeated."""
        term = Term(field=field, sign=":", values=values)
        return self if term in self.terms else Filter((*self.terms, term))


class _Reader:
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
        denied = self._line.startswith("-", self._at)
        self._at += denied
        begin = self._at
        head = _HEAD.match(self._line, begin)
        if head is None:
            return Term(field="", sign=":", values=(self._value("a term"),), denied=denied)
        self._at = head.end()
        field, sign = self._known(head, begin)
        values = self._values(f"{field}{sign}")
        if field in _COMPARED:
            self._check_compared(field, values, head.end())
        if field == "state":
            self._check_states(values, head.end())
        if field == "id":
            values = tuple(value.lower() for value in values)
        return Term(field=field, sign=sign, values=values, denied=denied)

    def _known(self, head: re.Match[str], begin: int) -> tuple[str, Sign]:
        word, name, given = head.groups()
        sign: Sign = ":" if given == ":" else ">" if given == ">" else "<"
        field = f"{word}{name or ''}"
        known = (word == "args" and name) or (word in FIELDS and not name)
        if not known:
            raise self._unknown(field, begin)
        if (sign == ":") == (word in _COMPARED):
            one = "1h" if word in _MEASURED else "2026-11-25"
            better = f"{word}>{one} or {word}<{one}" if word in _COMPARED else f"{field}:VALUE"
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


def _check_letters(line: str) -> None:
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
