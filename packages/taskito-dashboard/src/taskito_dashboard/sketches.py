"""Small drawings: attempts over time, and how long they ran. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

TALL = 20
"""How high a small drawing is."""
_WIDEST = 100.0

Bar: TypeAlias = tuple[int, str, float, float]
"""Place, state, top and height."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Attempts that ran about equally long.

    Attributes:
        begin: In milliseconds.
        end: In milliseconds; ``None`` for the last one there is, which has no end.
        number: How many there are.
        share: Of all, from 0 to 1.
        height: Compared with the largest stretch, from 0 to 100.
    """

    begin: float
    end: float | None
    number: int
    share: float
    height: float


def stacked(buckets: Sequence[Mapping[str, Any]], starts: range) -> list[Bar]:
    """Return attempts as bars, what failed below what was done; gaps have none.

    Args:
        buckets: As :func:`taskito._watching.curves` tells them.
        starts: Where buckets can begin.
    """
    most = max((one["done"] + one["failed"] for one in buckets), default=0) or 1
    found: list[Bar] = []
    for one in buckets:
        place = (one["at"] - starts.start) // starts.step
        below = 0.0
        for state, name in (("failed", "failed"), ("complete", "done")):
            if one[name]:
                # A single failure among thousands can be seen as well.
                height = max(1.0, round(TALL * one[name] / most, 1))
                top = max(0.0, TALL - below - height)
                found.append((place, state, round(top, 1), height))
                below += height
    return found


def histogram(counts: Sequence[int]) -> list[Stretch]:
    """Return a histogram of run times, from the shortest stretch with any to the longest.

    Args:
        counts: As :func:`taskito._watching.run_times` returns them.
    """
    used = [place for place, number in enumerate(counts) if number]
    if not used:
        return []
    total, most = sum(counts), max(counts)
    return [
        Stretch(
            begin=2 ** ((place - 1) / 2) if place else 0.0,
            end=None if place == len(counts) - 1 else 2 ** (place / 2),
            number=counts[place],
            share=counts[place] / total,
            height=round(_WIDEST * counts[place] / most, 1),
        )
        for place in range(used[0], used[-1] + 1)
    ]
