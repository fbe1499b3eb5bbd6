"""Coroutines run to their end by a thread that must wait for them."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextvars import copy_context
from threading import Thread
from typing import Any, TypeVar

R = TypeVar("R")


class PrivateLoops:
    """Event loops of its own, one for each coroutine that runs at the same time.

    They are used again, so that what is bound to a loop outlives a coroutine. The event loop
    of the thread, if any, is left alone, and stands still meanwhile.
    """

    __slots__ = ("_idle",)

    def __init__(self) -> None:
        """Begin without loops."""
        self._idle: list[asyncio.Runner] = []

    def run(self, coroutine: Callable[[], Coroutine[Any, Any, R]]) -> R:
        """Run a coroutine in the present context and return what it returns, or raise."""
        if not _runs_here():
            return self._run(coroutine)
        done: Future[R] = Future()
        context = copy_context()
        thread = Thread(target=context.run, args=(self._report, coroutine, done))
        thread.start()
        thread.join()
        return done.result()

    def close(self) -> None:
        """Cancel what still runs on the loops and close them."""
        while self._idle:
            self._idle.pop().close()

    def _run(self, coroutine: Callable[[], Coroutine[Any, Any, R]]) -> R:
        runner = self._pop() or _new_runner()
        try:
            return runner.run(coroutine(), context=copy_context())
        finally:
            self._idle.append(runner)

    def _pop(self) -> asyncio.Runner | None:
        try:
            return self._idle.pop()
        except IndexError:  # asking first would be a race with other threads
            return None

    def _report(self, coroutine: Callable[[], Coroutine[Any, Any, R]], done: "Future[R]") -> None:
        try:
            done.set_result(self._run(coroutine))
        except BaseException as error:  # noqa: BLE001 - raised by the thread that waits
            done.set_exception(error)


def _runs_here() -> bool:
    """Whether an event loop runs in this thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _new_runner() -> asyncio.Runner:
    # With a factory the runner leaves the event loop of the thread as it is.
    return asyncio.Runner(loop_factory=asyncio.new_event_loop)
