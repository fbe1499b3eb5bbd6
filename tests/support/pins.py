"""Bounds in seconds that hold on an idle machine, proved on a busy one.

A measurement that keeps to its bound once shows that the mechanism attains it, so a measurement
that was disturbed is made again. One that waits for a poll keeps to it never: its wait is as
long in every round.
"""

import statistics
from collections.abc import Callable
from pathlib import Path


def within(bound: float, measure: Callable[[], float], *, rounds: int = 5) -> float:
    """Measure until one round keeps to the bound, and return its seconds.

    Raises:
        AssertionError: none did; the text has all of them.
    """
    seen: list[float] = []
    while len(seen) < rounds:
        seen.append(measure())
        if seen[-1] <= bound:
            return seen[-1]
    told = ", ".join(f"{seconds:.4f}" for seconds in seen)
    raise AssertionError(f"never within {bound} s in {rounds} rounds: {told}")


def median_within(
    bound: float, measure: Callable[[], float], *, samples: int = 11, rounds: int = 8
) -> float:
    """As :func:`within`, for the median of an odd number of measurements a round.

    A round in which most of them are known to be too slow ends early.
    """

    def median() -> float:
        seen: list[float] = []
        while len(seen) < samples and sum(one > bound for one in seen) <= samples // 2:
            seen.append(measure())
        return statistics.median(seen)

    return within(bound, median, rounds=rounds)


def processor_seconds(pid: int) -> float:
    """The seconds that all threads of a process have spent on a processor, to the nanosecond."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9
