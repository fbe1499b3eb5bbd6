"""What takes long to find out and may be a little old."""

import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")

_MOST = 64


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
