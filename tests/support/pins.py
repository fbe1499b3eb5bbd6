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
    bound: float, measure: Callable[[], float], *, samples: int = 21, rounds: int = 5
) -> float:
    """As :func:`within`, for the median of a number of measurements a round."""
    return within(
        bound, lambda: statistics.median(measure() for _ in range(samples)), rounds=rounds
    )


def processor_seconds(pid: int) -> float:
    """The seconds that all threads of a process have spent on a processor, to the nanosecond."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9
