"""Groups of failures as pages and documents show them."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from taskito_core import AttemptRow

HOURS = 24
HOUR_MS = 3_600_000
BAR = 4
"""Width of a bar of a sparkline."""
TALL = 20
_MOST_VALUES = 8
_MOST_COLUMNS = 6
_LONGEST_MESSAGE = 2000
_PLACEHOLDER = re.compile(r"\{(?:N|uuid|hex|str|path|mail)\}")


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


def workers(attempts: "Sequence[AttemptRow]") -> list[tuple[str, int]]:
    """Return where attempts failed, and how many, most first."""
    return Counter(attempt.worker or "unknown" for attempt in attempts).most_common(_MOST_VALUES)


def frames_of(attempt: "AttemptRow") -> list[dict[str, Any]]:
    """Return the frames of an attempt as they are stored."""
    try:
        found = json.loads(attempt.frames or "[]")
    except ValueError:
        return []
    return cast("list[dict[str, Any]]", found) if isinstance(found, list) else []
