"""What takes long to find out and may be a little old."""

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

_MOST = 64
SHORTEST_S, LONGEST_S = 1.5, 5.0
"""How old an answer that is shared may be, at least and at most."""
SHARE = 0.015
"""So much of a processor's time may answers that are shared cost, as far as LONGEST_S lets it."""


class Kept(Generic[T]):
    """Answers that are good for a while.

    Two threads that ask at once may both find out; the later answer is kept.
    """

    def __init__(self) -> None:
        self._known: dict[Hashable, tuple[float, T]] = {}

    def get(self, key: Hashable, find: Callable[[], T], *, seconds: float) -> T:
        """Return what ``find`` returned for that key, if it is no older than ``seconds``."""
        found, now = self._known.get(key), time.monotonic()
        if found is None or now - found[0] > seconds:
            if len(self._known) >= _MOST:
                self._known.clear()
            found = now, find()
            self._known[key] = found
        return found[1]

    def forget(self) -> None:
        """Find out everything anew: something was done."""
        self._known.clear()


@dataclass(frozen=True, slots=True)
class _Made(Generic[T]):
    answer: T
    at: float
    cost: float


class Shared(Generic[T]):
    """Answers for many who ask again and again, each made for all of them.

    The more it costs to make the answers that are asked for, the older they may be: so that
    making all of them takes :data:`SHARE` of a processor's time. Two threads that ask at once may
    both make one; the later is kept.
    """

    def __init__(self) -> None:
        self._made: dict[Hashable, _Made[T]] = {}

    def get(self, key: Hashable, make: Callable[[], T], *, anew: bool = False) -> T:
        """Return what ``make`` returned for that key, now or, unless asked ``anew``, lately."""
        found, now = self._made.get(key), time.monotonic()
        if anew or found is None or now - found.at > self._age(now):
            began = time.thread_time()
            answer = make()
            found = _Made(answer, now, time.thread_time() - began)
            if len(self._made) >= _MOST:
                self._made.clear()
            self._made[key] = found
        return found.answer

    def forget(self) -> None:
        """Make all answers anew: something was done."""
        self._made.clear()

    def _age(self, now: float) -> float:
        """Return how old answers may be: as long as it may take to make all in use once more."""
        in_use = (made for made in [*self._made.values()] if now - made.at <= 2 * LONGEST_S)
        return min(LONGEST_S, max(SHORTEST_S, sum(made.cost for made in in_use) / SHARE))
