"""Database connections of Django in a worker: one for each thread, closed when too old."""

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from asgiref.sync import SyncToAsync
from django.db import connections

from taskito.middleware import TaskMiddleware

if TYPE_CHECKING:
    from taskito.context import JobContext


class ConnectionCare(TaskMiddleware):
    """Does around every job what Django does around every request.

    Connections that are broken, or older than ``CONN_MAX_AGE``, are closed in the thread that
    has them. The jobs of test mode share the connection of the test, which stays as it is.
    """

    def before(self, ctx: "JobContext") -> None:
        """Close what was left open too long."""
        self._close(ctx)

    def after(self, ctx: "JobContext", result: Any, error: BaseException | None) -> None:
        """Leave nothing open that should not be."""
        del result, error
        self._close(ctx)

    def _close(self, ctx: "JobContext") -> None:
        if not is_trial(ctx):
            in_sync_thread(close_old_connections)


def close_old_connections() -> None:
    """Close the connections of this thread that Django would close after a request.

    But none inside a transaction: that belongs to a test, or to whoever else runs jobs there.
    """
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()


def is_trial(ctx: "JobContext") -> bool:
    """Return whether a job runs in test mode: in the thread of the test that enqueued it."""
    return ctx.id.startswith("test-")


def in_sync_thread(work: Callable[[], None]) -> None:
    """Do what may use the ORM: here, or for a coroutine where ``sync_to_async`` does it.

    On an event loop this returns at once. ``work`` then comes before all that the coroutine
    asks for later, because that thread does one thing after the other.
    """
    if _runs_on_a_loop():
        SyncToAsync.single_thread_executor.submit(copy_context().run, work)
    else:
        work()


def _runs_on_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
