"""Named locks: at most one holder each, over all processes of a database."""

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self

from taskito._checks import Seconds, duration, string
from taskito.exceptions import LockNotAcquiredError, QueueClosedError

if TYPE_CHECKING:
    from taskito import _core
    from taskito._database import Database

__all__ = ["AsyncLock", "Lock"]

_logger = logging.getLogger(__name__)

_LONGEST_PAUSE_MS = 1000
"""Whoever waits looks again at least that often, whether it heard a bell or not."""


@dataclass(frozen=True, slots=True)
class _Hold:
    """One successful attempt."""

    attempt: "_core.Lock"
    database: "Database"
    process: int


class _Named:
    """What both kinds of locks are: terms, and the hold they have if they have one."""

    __slots__ = ("_fence", "_hold", "_name", "_source", "_timeout_ms", "_ttl_ms")

    def __init__(
        self,
        source: "Callable[[], Database]",
        name: str,
        ttl: Seconds,
        timeout: Seconds | None,
    ) -> None:
        """Check the terms; ``Queue.lock`` and ``Queue.alock`` make these objects."""
        self._source = source
        self._name = string("name", name)
        if not name:
            message = "name is empty\nhint: a lock is known by its name, such as 'nightly-report'"
            raise ValueError(message)
        self._ttl_ms = duration("ttl", ttl)
        if self._ttl_ms == 0:
            message = f"ttl must be at least 0.001 seconds, got {ttl!r}"
            raise ValueError(message)
        self._timeout_ms = None if timeout is None else duration("timeout", timeout)
        self._hold: _Hold | None = None
        self._fence = 0

    @property
    def name(self) -> str:
        """Which lock it is."""
        return self._name

    @property
    def held(self) -> bool:
        """Whether this object holds the lock at this moment.

        ``False`` also when the lock was lost, and in a forked child. Asks no file.
        """
        hold = self._hold
        return hold is not None and hold.attempt.held

    @property
    def fence(self) -> int:
        """The number of the last acquisition by this object; 0 before the first.

        Higher than that of every earlier acquisition of this name by anybody.
        """
        return self._fence

    def __repr__(self) -> str:
        """Show the name, and whether it is held."""
        held = f"held, fence {self._fence}" if self.held else "not held"
        return f"<{type(self).__name__} {self._name!r} {held}>"

    def _deadline(self) -> float | None:
        return None if self._timeout_ms is None else time.monotonic() + self._timeout_ms / 1000

    def _holds(self, attempt: "_core.Lock", database: "Database") -> None:
        self._hold = _Hold(attempt, database, os.getpid())
        self._fence = attempt.fence

    def _give_back(self) -> None:
        hold, self._hold = self._hold, None
        if hold is None or hold.process != os.getpid():
            return
        try:
            with hold.database:
                kept = hold.attempt.release()
        except QueueClosedError:
            return  # closing the queue has given it back
        if not kept:
            _logger.warning(
                "lock %r was lost before it was released: it was not renewed for %s s",
                self._name,
                self._ttl_ms / 1000,
            )

    def _give_up(self, attempt: "_core.Lock") -> None:
        """End an attempt while an exception is on its way."""
        from taskito._core import EngineError  # noqa: PLC0415 - loads the engine

        try:
            attempt.release()
        except EngineError:
            _logger.warning("lock %r cannot be given back; it lapses", self._name, exc_info=True)

    def _refusal(self) -> LockNotAcquiredError:
        waited = (self._timeout_ms or 0) / 1000
        message = f"lock {self._name!r} was not acquired within {waited:g} s"
        if not waited:
            message = f"lock {self._name!r} is held by somebody else"
        hint = "wait longer with timeout=, or use acquire(), which returns False then"
        return LockNotAcquiredError(message, hint=hint)


class Lock(_Named):
    """A lock by name, for ``with``; made by :meth:`Queue.lock`.

    At most one holder has the lock of a name in a database, over all threads, Queue objects
    and processes. It is renewed while it is held, whatever the holder does. A holder that dies
    loses it ``ttl`` seconds later at most; so does a process that is stopped for so long:
    ``held`` is ``False`` from then on, and :meth:`release` logs a warning. Whatever must not be
    done by a holder that was stopped at the wrong moment is to be guarded by ``fence``.

    It is not re-entrant: whoever holds it waits for itself if it acquires it again, by this
    object or another one. An object has one hold at a time; threads make one each.

    Example:
        >>> from taskito import Queue
        >>> queue = Queue(":memory:")
        >>> with queue.lock("report", ttl=10, timeout=5) as lock:
        ...     lock.held, lock.fence
        (True, 1)
        >>> lock.held
        False
        >>> queue.close()
    """

    __slots__ = ()

    def acquire(self) -> bool:
        """Wait for the lock until the timeout, and return whether it is held now.

        Blocks; signal handlers run meanwhile. Who waits is woken when the lock is given back,
        in no particular order.

        Raises:
            QueueClosedError: If the queue is closed, also while waiting.
            StorageError: If the database cannot be used.
        """
        deadline = self._deadline()
        database = self._source()
        with database as store:
            attempt = store.lock(self._name, self._ttl_ms)
            try:
                while (left := attempt.try_acquire()) is not None:
                    pause = _pause(left, deadline)
                    if pause == 0:
                        return False
                    store.wait_unlocked(attempt.bell, pause)
                self._holds(attempt, database)
            except BaseException:
                # It may have struck between the commit and the next line.
                self._give_up(attempt)
                raise
        return True

    def release(self) -> None:
        """Give the lock back. Does nothing if this object does not hold it.

        Raises:
            StorageError: If the database cannot be used; the lock lapses then.
        """
        self._give_back()

    def __enter__(self) -> Self:
        """Acquire the lock.

        Raises:
            LockNotAcquiredError: If somebody else still holds it at the deadline.
        """
        if not self.acquire():
            raise self._refusal()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Give the lock back."""
        self.release()


class AsyncLock(_Named):
    """A lock by name, for ``async with``; made by :meth:`Queue.alock`.

    The same locks with the same promises as :class:`Lock`. Any number of coroutines may wait:
    one thread of the process sleeps for all of them, and the event loop goes on. A coroutine
    that is cancelled while it waits holds nothing.

    Example:
        >>> import asyncio
        >>> from taskito import Queue
        >>> async def main() -> bool:
        ...     async with Queue(":memory:") as queue:
        ...         async with queue.alock("report") as lock:
        ...             return lock.held
        >>> asyncio.run(main())
        True
    """

    __slots__ = ()

    async def acquire(self) -> bool:
        """Do what :meth:`Lock.acquire` does; the event loop goes on meanwhile."""
        from asyncio import to_thread  # noqa: PLC0415 - large, and only here needed

        deadline = self._deadline()
        database = self._source()
        attempt = await to_thread(self._attempt, database)
        try:
            while (left := await to_thread(_try, database, attempt)) is not None:
                pause = _pause(left, deadline)
                if pause == 0:
                    return False
                await database.listener().rings(attempt.bell, pause / 1000)
            self._holds(attempt, database)
        except BaseException:
            # A thread may still be at it: what it gets is given back.
            await _surely(self._give_up, attempt)
            raise
        return True

    async def release(self) -> None:
        """Do what :meth:`Lock.release` does; the event loop goes on meanwhile."""
        await _surely(self._give_back)

    async def __aenter__(self) -> Self:
        """Acquire the lock.

        Raises:
            LockNotAcquiredError: If somebody else still holds it at the deadline.
        """
        if not await self.acquire():
            raise self._refusal()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Give the lock back."""
        await self.release()

    def _attempt(self, database: "Database") -> "_core.Lock":
        with database as store:
            return store.lock(self._name, self._ttl_ms)


async def _surely(call: Callable[..., None], *args: object) -> None:
    """Await a call in a thread that is made even if we are cancelled before it begins."""
    from asyncio import get_running_loop, shield  # noqa: PLC0415 - large

    await shield(get_running_loop().run_in_executor(None, call, *args))


def _try(database: "Database", attempt: "_core.Lock") -> int | None:
    with database:
        return attempt.try_acquire()


def _pause(left_ms: int, deadline: float | None) -> int:
    """Return for how many milliseconds to wait before another look; 0 at the deadline."""
    pause = max(1, min(left_ms, _LONGEST_PAUSE_MS))
    if deadline is None:
        return pause
    rest = deadline - time.monotonic()
    return min(pause, max(1, round(rest * 1000))) if rest > 0 else 0
