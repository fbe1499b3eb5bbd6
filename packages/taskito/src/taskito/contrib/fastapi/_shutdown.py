"""How what waits in an event loop learns that its server is about to stop.

Servers let running requests end before they tell the application of their shutdown, so a
request that lasts must hear of it otherwise: from the signal that stops the server.
"""

import asyncio
import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType
from typing import TypeAlias
from weakref import WeakKeyDictionary, ref

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_Handler: TypeAlias = Callable[[int, FrameType | None], object] | int | None


class Shutdown:
    """Of the server that runs in one event loop. All but :meth:`begin` is called there.

    Attributes:
        has_begun: Whether the server is about to stop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait for nothing yet."""
        self._loop = ref(loop)  # which keeps us, see below
        self._listeners: set[asyncio.Event] = set()
        self._previous: dict[int, _Handler] = {}
        self.has_begun = False

    @contextmanager
    def heard(self, event: asyncio.Event) -> Generator[None]:
        """Set an event when the server begins to stop.

        As long as something listens, signals that stop servers are noticed and passed on.
        """
        if self.has_begun:
            event.set()
        self._listeners.add(event)
        self._listen()
        try:
            yield
        finally:
            self._listeners.discard(event)
            if not self._listeners:
                self._leave()

    def begin(self) -> None:
        """Let everything that waits end. Callable from any thread and from signal handlers."""
        loop = self._loop()
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._begin)

    def reset(self) -> None:
        """Forget a shutdown: the application starts again."""
        self.has_begun = False

    def _begin(self) -> None:
        self.has_begun = True
        for event in self._listeners:
            event.set()

    def _listen(self) -> None:
        if self._previous or threading.current_thread() is not threading.main_thread():
            return  # signals reach the main thread alone
        for number in _SIGNALS:
            self._previous[number] = signal.signal(number, self._on_signal)

    def _leave(self) -> None:
        while self._previous:
            number, handler = self._previous.popitem()
            if signal.getsignal(number) == self._on_signal:  # else somebody came after us
                signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        handler = self._previous.get(number)
        self.begin()
        if callable(handler):
            handler(number, frame)
        elif handler == signal.SIG_DFL:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)


_shutdowns: "WeakKeyDictionary[asyncio.AbstractEventLoop, Shutdown]" = WeakKeyDictionary()


def shutdown_here() -> Shutdown:
    """Return that of the running event loop."""
    loop = asyncio.get_running_loop()
    return _shutdowns.setdefault(loop, Shutdown(loop))
