"""How far a long command has come."""

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

_AFTER_SECONDS = 1.0
_EVERY_SECONDS = 0.1
_WIDTH = 20


class Progress:
    """A line on stderr that is drawn again and again, and gone at the end.

    Shown after a second and on a terminal only. Call it with the number done so far.
    """

    def __init__(
        self,
        verb: str,
        *,
        total: int | None = None,
        shown: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Describe the line.

        Args:
            verb: What happens to the things: ``deleted``.
            total: How many there are at most, for a bar; ``None`` if that is unknown.
            shown: False for a command that is to be quiet.
            clock: Tells the time in seconds.
        """
        self._verb = verb
        self._total = total
        self._shown = shown and sys.stderr.isatty()
        self._clock = clock
        self._next = clock() + _AFTER_SECONDS
        self._drawn = False

    def __call__(self, done: int, more: str = "") -> None:
        """Show that so many are done, and what else is to be said."""
        now = self._clock()
        if self._shown and now >= self._next:
            self._next = now + _EVERY_SECONDS
            self._drawn = True
            print(f"\r\x1b[K{self._bar(done)}{self._verb} {done:,}{more}", end="", file=sys.stderr)
            sys.stderr.flush()

    def _bar(self, done: int) -> str:
        if not self._total:
            return ""
        filled = min(_WIDTH, _WIDTH * done // self._total)
        return f"[{'#' * filled:-<{_WIDTH}}] "

    def __enter__(self) -> Self:
        """Return the line itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Wipe the line."""
        if self._drawn:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
