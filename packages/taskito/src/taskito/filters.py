r"""The filter line: which jobs are meant, in one line of text.

The same line works on the page, in its address, in the JSON API and on the command line::

    state:dead,retrying task:send_* -queue:reports args.user_id:42 error:"SMTP timeout" age>1h

Terms are parted by blanks, and a job must meet all of them; values are parted by commas, and one
of them must fit; ``-`` in front of a term denies it. A value with blanks, commas or quotes stands
in double quotes, in which ``\"`` is a quote and ``\\`` a backslash.

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
``fp:``        its last failure is of the group with the fingerprint, or with one that begins so
``error:``     its error has this text
``tag:``       its metadata is a JSON object whose ``tags`` have the value
``args.NAME``  the argument has the value; ``args.0:`` is the first one without a name
``age>1h``     it was enqueued longer ago; ``age<`` is less long
``run>5s``     its last attempt ran, or runs, longer; ``run<`` is less long
``created>``   it was enqueued at the instant or later; ``created<`` is before
``word``       the text stands in its task, queue, error, metadata or arguments
=============  =================================================================================

Instants are written ``2026-11-25``, ``2026-11-25T12:30`` or ``2026-11-25T12:30:05+01:00``; they are
UTC unless they say otherwise. Durations are ``90`` (seconds), ``250ms``, ``30s``, ``15m``, ``12h``
or ``7d``. Texts are compared as they are, upper and lower case apart. Arguments are read as text,
as the page shows them: from their previews, or from payloads that are JSON.
"""

from dataclasses import dataclass
from typing import Self

from taskito._checks import string
from taskito._filter_line import FIELDS, STATES, FilterError, Reader, Term, check_letters

__all__ = ["FIELDS", "STATES", "Filter", "FilterError", "Term"]

_MOST_LETTERS = 10_000


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
        check_letters(line)
        reader = Reader(line)
        terms: list[Term] = []
        while reader.skip_blanks():
            terms.append(reader.term())
        return cls(tuple(terms))

    def __str__(self) -> str:
        """The line; reading it gives an equal filter."""
        return " ".join(map(str, self.terms))

    def in_words(self) -> str:
        """What is meant, as a sentence for a person."""
        return f"jobs{self.where()}" if self.terms else "all jobs"

    def where(self) -> str:
        """What is meant, to be put behind a number of jobs; empty for all."""
        said = " and ".join(term.in_words() for term in self.terms)
        return said and f" where {said}"

    def compiled(self) -> list[tuple[str, bool, list[str]]]:
        """The terms as the engine takes them."""
        return [term.compiled() for term in self.terms]

    @staticmethod
    def instant(ms: int) -> str:
        """Return milliseconds since 1970 as ``created>`` takes them."""
        from datetime import UTC, datetime, timedelta  # noqa: PLC0415 - seldom needed

        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
        return at.replace(tzinfo=None).isoformat(timespec="milliseconds")

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
