"""Wakes coroutines that wait for a lock."""

import asyncio
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING

from taskito.exceptions import TaskitoError

if TYPE_CHECKING:
    from taskito._database import Database

_SLICE_MS = 200
"""The thread outlives the last who waits by no more: a program may end meanwhile."""


class Listener:
    """Waits for the bell of locks on behalf of any number of coroutines, in one thread.

    The thread lives while somebody waits, and sleeps in the kernel.
    """

    def __init__(self, database: "Database") -> None:
        """Wait for nothing yet."""
        self._database = database
        self._lock = threading.Lock()
        self._waiting: dict[Future[None], int] = {}
        self._thread: threading.Thread | None = None

    async def rings(self, bell: int, seconds: float) -> None:
        """Return once a lock was given back after ``bell`` was read, or so many seconds later."""
        told: Future[None] = Future()
        self._add(told, bell)
        try:
            async with asyncio.timeout(seconds):
                await asyncio.wrap_future(told)
        except TimeoutError:
            pass
        finally:
            with self._lock:
                self._waiting.pop(told, None)

    def _add(self, told: "Future[None]", bell: int) -> None:
        with self._database as store:
            with self._lock:
                self._waiting[told] = bell
                if self._thread is None:
                    # Not a daemon: the interpreter must not end while it is in the engine.
                    self._thread = threading.Thread(target=self._listen, name="taskito-listener")
                    self._thread.start()
            # The thread may have heard a ring before it knew of us.
            self._tell(store.unlocked_bell())

    def _listen(self) -> None:
        try:
            with self._database as store:
                while self._is_wanted():
                    bell = store.unlocked_bell()
                    self._tell(bell)
                    store.wait_unlocked(bell, _SLICE_MS)
        except TaskitoError:
            # Whoever waits meets the same error when it looks again.
            with self._lock:
                self._thread = None
            self._tell(None)

    def _is_wanted(self) -> bool:
        with self._lock:
            if self._waiting and threading.main_thread().is_alive():
                return True
            self._thread = None
            return False

    def _tell(self, bell: int | None) -> None:
        """Wake those whose bell is another one."""
        with self._lock:
            heard = [told for told, known in self._waiting.items() if known != bell]
            for told in heard:
                del self._waiting[told]
        for told in heard:
            if told.set_running_or_notify_cancel():
                told.set_result(None)
