"""What an integration puts around a program's code: the context of its application."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from taskito._joblog import log_about

if TYPE_CHECKING:
    from taskito.context import JobContext

__all__ = ["NOTHING", "Surroundings", "Visit"]

_logger = logging.getLogger("taskito")


class Surroundings(Protocol):
    """Gives what functions and hooks run in. Context managers are used once each."""

    def of_attempt(self) -> AbstractContextManager[object]:
        """Return what one attempt in a worker runs in, from its first hook to its last.

        Hooks that run in another thread, such as those that follow the commit, get one
        for each event. Leaving it is told the error of the attempt.
        """
        ...

    def of_call(self) -> AbstractContextManager[object]:
        """Return what runs where a job is enqueued: its hooks, and in test mode the job."""
        ...


class _Nothing:
    """No surroundings."""

    def of_attempt(self) -> AbstractContextManager[object]:
        return nullcontext()

    def of_call(self) -> AbstractContextManager[object]:
        return nullcontext()


NOTHING: Surroundings = _Nothing()


class Visit:
    """Surroundings that are entered once and left once, by one thread.

    What leaving them raises is logged: an attempt has had its end by then. In a ``with``
    statement what entering them raises is logged as well, and the block runs without them.
    """

    __slots__ = ("_context", "_make", "_manager")

    def __init__(
        self,
        make: Callable[[], AbstractContextManager[object]],
        context: "JobContext | None" = None,
    ) -> None:
        """Prepare a visit to what ``make`` gives, for the job of ``context``, if any."""
        self._context = context
        self._make = make
        self._manager: AbstractContextManager[object] | None = None

    def enter(self) -> None:
        """Enter."""
        manager = self._make()
        manager.__enter__()
        self._manager = manager

    def leave(self, error: BaseException | None) -> None:
        """Leave because of ``error``, or because all went well. Does nothing outside."""
        manager, self._manager = self._manager, None
        if manager is None:
            return
        kind, traceback = (None, None) if error is None else (type(error), error.__traceback__)
        try:
            manager.__exit__(kind, error, traceback)
        except BaseException as raised:  # noqa: BLE001 - as for hooks: it changes nothing
            if raised is not error:
                self._log("leaving", raised)

    def __enter__(self) -> None:
        """Enter; never raises."""
        try:
            self.enter()
        except BaseException as raised:  # noqa: BLE001 - likewise
            self._log("entering", raised)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave; never raises."""
        self.leave(error)

    def _log(self, doing: str, error: BaseException) -> None:
        if self._context is None:
            _logger.error("%s the application's context raised", doing, exc_info=error)
            return
        message = "%s the application's context raised in job %s of %s"
        names = (doing, self._context.id, self._context.task_name)
        log_about(self._context, logging.ERROR, message, *names, error=error)
