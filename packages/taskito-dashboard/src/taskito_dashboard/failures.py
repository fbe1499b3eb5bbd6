"""Groups of failures as pages and documents show them."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeAlias, cast

if TYPE_CHECKING:
    from taskito.bulk import Deed
    from taskito_core import AttemptRow, GroupRow

HOURS = 24
HOUR_MS = 3_600_000
BAR = 4
"""Width of a bar of a sparkline."""
TALL = 20
ORDERS = ("count", "last", "first")
"""What a list of groups goes by: most jobs, failed last, failed first lately."""
_NUMBERS: "dict[str, Callable[[GroupRow], int]]" = {
    "count": lambda row: row.dead + row.retrying,
    "last": attrgetter("last_seen"),
    "first": attrgetter("first_seen"),
}
_MOST_VALUES = 8
_MOST_PLACES = 12
_MOST_COLUMNS = 6
_LONGEST_MESSAGE = 2000
_NAMED = re.compile(r"([^\W\d]\w*)=(.*)", re.DOTALL)
_MARKS = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[][(){},]", re.DOTALL)
"""Quoted text as a whole, brackets and commas."""
_PLACEHOLDER = re.compile(r"\{(?:N|uuid|hex|str|path|mail)\}")


Place: TypeAlias = tuple[int, str]
"""Where a group stands in a list: a number, and its fingerprint for those that have the same."""


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of the jobs of a group.

    Attributes:
        name: Its name, or its place as in ``args.0:`` of a filter line.
        values: Those it has, as text, and in how many jobs; most first, and at most eight.
        others: How many more values it has.
    """

    name: str
    values: list[tuple[str, int]]
    others: int


@dataclass(frozen=True, slots=True)
class Where:
    """Where attempts of a group failed.

    Attributes:
        worker: Machine and process.
        version: Of the worker, as long as it is there.
        release: What was marked last before it had the job.
        number: How many attempts.
    """

    worker: str
    version: str | None
    release: str | None
    number: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """Frames that follow each other and are shown together.

    Attributes:
        frames: With the keys ``file``, ``line``, ``function``, ``code``.
        is_library: Whether they are of a library, and folded.
        omitted: So many frames were left out here; then there are none.
        library: Where most of them are.
    """

    frames: tuple[dict[str, Any], ...] = ()
    is_library: bool = False
    omitted: int = 0
    library: str = ""


def stretches(text: str | None) -> list[Stretch]:
    """Return a stored traceback in stretches; empty for one that is missing or is none."""
    try:
        entries = json.loads(text or "[]")
    except ValueError:
        return []
    if not isinstance(entries, list):
        return []
    found: list[Stretch] = []
    for entry in entries:
        if not isinstance(entry, dict):
            continue
        frame = cast("dict[str, Any]", entry)
        if "omitted" in frame:
            found.append(Stretch(omitted=int(frame["omitted"])))
            continue
        shown = {key: frame.get(key, "") for key in ("file", "line", "function", "code")}
        is_library = bool(frame.get("library"))
        last = found[-1] if found else None
        if last is not None and last.frames and last.is_library == is_library:
            found[-1] = _stretch((*last.frames, shown), is_library=is_library)
        else:
            found.append(_stretch((shown,), is_library=is_library))
    return found


def _stretch(frames: tuple[dict[str, Any], ...], *, is_library: bool) -> Stretch:
    places = Counter(re.split(r"[/\\]", str(frame["file"]))[0] for frame in frames)
    return Stretch(frames, is_library, library=places.most_common(1)[0][0])


def bars(counts: Sequence[int]) -> list[dict[str, int]]:
    """Return the bars of a sparkline: ``x``, ``y``, ``height``; none where nothing was."""
    most = max(counts, default=0)
    found: list[dict[str, int]] = []
    for place, number in enumerate(counts):
        if number:
            height = max(2, round(TALL * number / most))
            found.append({"x": place * BAR, "y": TALL - height, "height": height})
    return found


def varying(template: str, messages: Sequence[str]) -> list[list[tuple[str, int]]]:
    """Return what stood in the places of a template: for each, values and how often, most first.

    At most six places with eight values each. Messages that do not fit are passed over: those of
    templates that were cut, or that have too many places in a row.
    """
    parts = _PLACEHOLDER.split(template)
    places = len(parts) - 1
    if not 0 < places <= _MOST_COLUMNS:
        return []
    found: list[Counter[str]] = [Counter() for _ in range(places)]
    for message in messages:
        for counter, value in zip(found, _values(parts, message.strip()), strict=False):
            counter[value] += 1
    return [counter.most_common(_MOST_VALUES) for counter in found]


def _values(parts: Sequence[str], message: str) -> list[str]:
    """Return what stands between fixed parts; empty if they are not there in this order.

    Goes from left to right once: each value ends where the next part begins.
    """
    if not message.startswith(parts[0]):
        return []
    values: list[str] = []
    begin = len(parts[0])
    for part in parts[1:-1]:
        end = message.find(part, begin + 1) if part else -1
        if end < 0:
            return []
        values.append(message[begin:end])
        begin = end + len(part)
    end = len(message) - len(parts[-1])
    if end <= begin or not message.endswith(parts[-1]):
        return []
    return [*values, message[begin:end]]


def places(
    attempts: "Sequence[AttemptRow]", marks: "Sequence[Deed]", versions: Mapping[str, str]
) -> list[Where]:
    """Return on which workers and releases attempts failed, most first.

    Args:
        attempts: The attempts.
        marks: What was marked, newest first.
        versions: Of the workers that are there, by machine and process.
    """
    found = Counter((attempt.worker or "unknown", _release(attempt, marks)) for attempt in attempts)
    return [
        Where(worker, versions.get(worker), release, number)
        for (worker, release), number in found.most_common(_MOST_PLACES)
    ]


def _release(attempt: "AttemptRow", marks: "Sequence[Deed]") -> str | None:
    return next((mark.subject for mark in marks if mark.at <= attempt.claimed_at), None)


def affected(previews: Iterable[str | None]) -> list[Argument]:
    """Return which arguments calls have, and with which values, in the order of the calls."""
    found: dict[str, Counter[str]] = {}
    for preview in previews:
        for name, value in _arguments(preview or ""):
            found.setdefault(name, Counter())[value] += 1
    return [
        Argument(name, values.most_common(_MOST_VALUES), max(0, len(values) - _MOST_VALUES))
        for name, values in [*found.items()][:_MOST_PLACES]
    ]


def _arguments(preview: str) -> Iterator[tuple[str, str]]:
    """Give the names, or places, and the values of what stands between parentheses of a call."""
    for place, text in enumerate(_parts(preview)):
        named = _NAMED.match(text)
        yield (named[1], named[2]) if named else (str(place), text)


def _parts(text: str) -> list[str]:
    """Return what commas part outside of quotes and brackets."""
    parts: list[str] = []
    begin = depth = 0
    for found in _MARKS.finditer(text):
        mark = found[0]
        if mark in "([{":
            depth += 1
        elif mark in ")]}":
            depth -= 1
        elif mark == "," and depth == 0:
            parts.append(text[begin : found.start()].strip())
            begin = found.end()
    last = text[begin:].strip()
    return [*parts, last] if last else parts


def listed(
    rows: "Iterable[GroupRow]", by: str, after: Place | None, most: int
) -> "tuple[list[GroupRow], Place | None]":
    """Return one page of groups, the largest first, and the place it ends at if there are more.

    Args:
        rows: All groups, in the order of their fingerprints; those that are alike stay so.
        by: One of :data:`ORDERS`.
        after: Where the page before ended.
        most: How many groups are on a page.
    """
    number = _NUMBERS[by]
    rest = sorted(rows, key=number, reverse=True)
    if after is not None:
        rest = [row for row in rest if _is_after(number(row), row.fingerprint, after)]
    shown = rest[:most]
    if len(rest) <= most:
        return shown, None
    return shown, (number(shown[-1]), shown[-1].fingerprint)


def _is_after(number: int, fingerprint: str, place: Place) -> bool:
    return number < place[0] or (number == place[0] and fingerprint > place[1])


def frames_of(attempt: "AttemptRow") -> list[dict[str, Any]]:
    """Return the frames of an attempt as they are stored."""
    try:
        found = json.loads(attempt.frames or "[]")
    except ValueError:
        return []
    return cast("list[dict[str, Any]]", found) if isinstance(found, list) else []
