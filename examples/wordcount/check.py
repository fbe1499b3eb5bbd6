"""The same numbers without any queue, and whether the two agree."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from examples.wordcount.analysis import FileFacts, analyse
from examples.wordcount.files import printable

TOP_TERMS = 5

_LAST_ERROR = re.compile(r"^(?:\w+\.)*([A-Za-z_]\w*): (.*)$", re.MULTILINE)
_OS_ERROR = re.compile(r"^\[Errno \d+\] (.*?)(?:: '.*'|: \".*\")?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a file could not be counted.

    Attributes:
        kind: the class of the exception.
        reason: its message, without the file's name.
    """

    kind: str
    reason: str

    @classmethod
    def of(cls, error: OSError) -> "Failure":
        """Describe an exception that this process caught."""
        return cls(kind=type(error).__name__, reason=error.strerror or str(error))

    @classmethod
    def from_traceback(cls, text: str) -> "Failure":
        """Describe an exception by its formatted traceback, as dead letters keep it."""
        found = _LAST_ERROR.findall(text)
        if not found:
            return cls(kind="unknown error", reason=text.strip())
        kind, message = found[-1]
        if match := _OS_ERROR.match(message):
            message = match[1]
        return cls(kind=kind, reason=message)

    def __str__(self) -> str:
        return f"{self.kind}: {self.reason}"


Outcome = FileFacts | Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Everything counted, merged.

    Attributes:
        counted: number of files that were counted.
        failed: number of files that could not be read.
        size: bytes in all.
        words: words in all.
        terms: the most frequent terms over each file's own list, with their counts.
        digest: one hash over every file's name, hash and number of words.
    """

    counted: int
    failed: int
    size: int
    words: int
    terms: tuple[tuple[str, int], ...]
    digest: str


def total(outcomes: Mapping[str, Outcome]) -> Totals:
    """Merge the outcomes of all files."""
    facts = {path: o for path, o in sorted(outcomes.items()) if isinstance(o, FileFacts)}
    terms: Counter[str] = Counter()
    digest = hashlib.sha256()
    for path, fact in facts.items():
        terms.update(dict(fact.terms))
        name = path.encode("utf-8", "surrogateescape")
        digest.update(name + f"\0{fact.sha256} {fact.words}\n".encode())
    return Totals(
        counted=len(facts),
        failed=len(outcomes) - len(facts),
        size=sum(fact.size for fact in facts.values()),
        words=sum(fact.words for fact in facts.values()),
        terms=tuple(sorted(terms.items(), key=lambda item: (-item[1], item[0]))[:TOP_TERMS]),
        digest=digest.hexdigest(),
    )


def plain(paths: Iterable[str]) -> Iterator[tuple[str, Outcome]]:
    """Count the files one after the other, here."""
    for path in paths:
        try:
            yield path, analyse(path)
        except OSError as error:
            yield path, Failure.of(error)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two ways to the same numbers.

    Attributes:
        differences: one sentence for each number that is not the same; empty is good.
        changed: files that were changed or removed while the demo ran, so left out.
    """

    differences: tuple[str, ...]
    changed: tuple[str, ...]


def compare(jobs: Mapping[str, Outcome], loop: Mapping[str, Outcome]) -> Comparison:
    """Hold the jobs' outcomes against those of the plain loop, file by file and merged."""
    changed = {path for path in loop if path in jobs and _changed(jobs[path], loop[path])}
    differences = [
        f"{printable(path)}: {difference}"
        for path in sorted(jobs.keys() | loop.keys())
        if path not in changed and (difference := _difference(jobs.get(path), loop.get(path)))
    ]
    merged = total({path: o for path, o in jobs.items() if path not in changed})
    expected = total({path: o for path, o in loop.items() if path not in changed})
    differences += [
        f"{name} in all: {getattr(merged, name)!r} by jobs, {getattr(expected, name)!r} by the loop"
        for name in Totals.__slots__
        if getattr(merged, name) != getattr(expected, name)
    ]
    return Comparison(differences=tuple(differences), changed=tuple(sorted(changed)))


def _changed(job: Outcome, loop: Outcome) -> bool:
    if not isinstance(job, FileFacts):
        return False
    if isinstance(loop, FileFacts):
        return (job.modified_ns, job.size) != (loop.modified_ns, loop.size)
    return loop.kind == FileNotFoundError.__name__


def _difference(job: Outcome | None, loop: Outcome | None) -> str | None:
    if job is None or loop is None:
        return "no job ran for it" if job is None else "the loop did not see it"
    if isinstance(job, FileFacts) and isinstance(loop, FileFacts):
        unequal = [n for n in ("sha256", "words", "terms") if getattr(job, n) != getattr(loop, n)]
        return f"not the same {' and '.join(unequal)}" if unequal else None
    if isinstance(job, Failure) and isinstance(loop, Failure) and job.kind == loop.kind:
        return None
    words = [o if isinstance(o, Failure) else "counted" for o in (job, loop)]
    return f"by its job: {words[0]}; by the loop: {words[1]}"
