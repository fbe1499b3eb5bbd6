"""Middleware of every Queue of this process, for what instruments programs from outside."""

from threading import Lock
from typing import TYPE_CHECKING
from weakref import WeakSet

if TYPE_CHECKING:
    from collections.abc import Callable

    from taskito._hooks import Hooks
    from taskito.middleware import TaskMiddleware


class Everywhere:
    """Middleware that is called before that of each Queue, whenever the Queue was made.

    Attributes:
        middleware: What is registered now.
    """

    def __init__(self) -> None:
        """Begin with no middleware and no Queue."""
        self.middleware: tuple[TaskMiddleware, ...] = ()
        self._hooks: WeakSet[Hooks] = WeakSet()
        self._lock = Lock()

    def join(self, hooks: "Hooks") -> None:
        """Keep the hooks of a Queue up to date, for as long as it lives."""
        with self._lock:
            self._hooks.add(hooks)

    def add(self, middleware: "TaskMiddleware") -> None:
        """Let middleware hear of the jobs of every Queue from now on."""
        self._change(lambda present: (*present, middleware))

    def remove(self, middleware: "TaskMiddleware") -> None:
        """Let it hear of no attempt any more that begins from now on."""
        self._change(lambda present: tuple(item for item in present if item is not middleware))

    def _change(
        self,
        change: "Callable[[tuple[TaskMiddleware, ...]], tuple[TaskMiddleware, ...]]",
    ) -> None:
        with self._lock:
            self.middleware = change(self.middleware)
            for hooks in tuple(self._hooks):
                hooks.renew()


EVERYWHERE = Everywhere()
"""The one of this process."""
