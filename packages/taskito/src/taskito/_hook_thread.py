"""The thread of the hooks that follow a commit."""

import threading
from collections.abc import Callable
from queue import SimpleQueue


class HookThread:
    """Takes steps one after the other, away from threads that must not wait for a hook.

    Started by the first step. A daemon, so that a hook that hangs holds up nobody's exit.
    """

    __slots__ = ("_steps", "_thread")

    def __init__(self) -> None:
        """Start nothing yet."""
        self._steps: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def do(self, step: Callable[[], None]) -> None:
        """Take a step that never raises, after those before it; one caller at a time."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._live, name="taskito-hooks", daemon=True)
            self._thread.start()
        self._steps.put(step)

    def finish(self, seconds: float) -> bool:
        """Wait for the last step, but not for long; whether it was taken. No more may follow."""
        if self._thread is None:
            return True
        self._steps.put(None)
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _live(self) -> None:
        while (step := self._steps.get()) is not None:
            step()
