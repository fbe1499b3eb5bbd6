"""The database of one Queue: opened at its first use, speaking the public errors."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING

from taskito._checks import string
from taskito.exceptions import ConfigurationError, QueueClosedError

if TYPE_CHECKING:
    from typing import Literal

    from taskito._core import Clock, Store
    from taskito._listener import Listener
    from taskito.aio import Herald


class Database:
    """Gives the native store to a ``with`` block and translates the errors it raises.

    ``with database as store:`` is the only way to the store. It takes no lock, so it
    works in a child that was forked while another thread was inside.
    """

    __slots__ = (
        "_cell",
        "_clock",
        "_closed",
        "_durability",
        "_heralds",
        "_listeners",
        "_store",
        "path",
    )

    def __init__(self, path: str, durability: str) -> None:
        """Remember where the database is; open nothing."""
        self.path = path
        self._durability: Literal["full", "normal"]
        if string("durability", durability) == "full":
            self._durability = "full"
        elif durability == "normal":
            self._durability = "normal"
        else:
            message = f"durability must be 'full' or 'normal', got {durability!r}"
            raise ConfigurationError(message)
        self._clock: Clock | None = None
        self._store: Store | None = None
        self._cell: dict[str, Store] = {}
        self._heralds: dict[int, Herald] = {}
        self._listeners: dict[int, Listener] = {}
        self._closed = False

    def __enter__(self) -> "Store":
        """Return the native store.

        Raises:
            QueueClosedError: After :meth:`close`.
        """
        return self._store or self._opened()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Raise the public error that stands for an engine error."""
        if error is None:
            return
        from taskito._core import EngineError  # noqa: PLC0415
        from taskito._errors import public_error  # noqa: PLC0415

        if isinstance(error, EngineError):
            raise public_error(error) from None

    def herald(self) -> "Herald":
        """Return what waits for coroutines in this process; a forked child has its own."""
        from taskito.aio import Herald  # noqa: PLC0415

        process = os.getpid()
        return self._heralds.get(process) or self._heralds.setdefault(process, Herald(self))

    def listener(self) -> "Listener":
        """Return what waits for locks for coroutines in this process."""
        from taskito._listener import Listener  # noqa: PLC0415

        process = os.getpid()
        return self._listeners.get(process) or self._listeners.setdefault(process, Listener(self))

    def move(self, path: str, clock: "Clock | None" = None) -> None:
        """Use another file from now on, at the time of ``clock``, else of the system."""
        self.path = path
        self._clock = clock
        self._store = None
        store = self._cell.pop("store", None)
        if store is not None:
            store.close()

    def release(self) -> None:
        """Release every file until the next use; a database in memory has none."""
        if self.path != ":memory:":
            self.move(self.path, self._clock)

    @contextmanager
    def elsewhere(self, path: str) -> Generator[None]:
        """Use another file for a while. What was open stays open meanwhile."""
        before = self.path, self._clock, self._cell, self._store, self._closed
        self.path, self._clock, self._cell, self._store, self._closed = path, None, {}, None, False
        try:
            yield
        finally:
            self.close()
            self.path, self._clock, self._cell, self._store, self._closed = before

    def close(self) -> None:
        """Release every file. Idempotent."""
        self._closed = True
        self.move(self.path)

    def _opened(self) -> "Store":
        if not self._closed:
            # What tells of errors is loaded while files can be opened.
            from taskito import _errors  # noqa: F401, PLC0415
            from taskito._core import Store  # noqa: PLC0415

            # setdefault is atomic: of two racing threads both use the first one's store.
            store = self._cell.setdefault(
                "store", Store(self.path, durability=self._durability, clock=self._clock)
            )
            self._store = store
            if not self._closed:
                return store
            self.close()
        message = f"the queue on {self.path!r} is closed"
        raise QueueClosedError(message, hint="create a new Queue to go on")
