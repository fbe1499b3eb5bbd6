"""The event loop of a worker: one thread, and the attempts that run on it as coroutines."""

import asyncio
import threading
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from taskito._core import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from taskito._core import Claim, Engine


class JobLoop:
    """Runs the attempts of ``async def`` tasks until its worker has left the database.

    The loop takes a job only when it comes to it, so whatever blocks it delays coroutines
    and nothing else.
    """

    def __init__(
        self, engine: "Engine", run: "Callable[[Claim], Coroutine[Any, Any, None]]"
    ) -> None:
        """Prepare a loop that runs ``run(claim)``, which settles, for every job."""
        self._engine = engine
        self._run = run
        self._loop = asyncio.new_event_loop()
        self._ended = asyncio.Event()
        self._dismissed = asyncio.Event()
        self._attempts: dict[Claim, asyncio.Task[None]] = {}
        self._thread = threading.Thread(target=self._main, name="taskito-loop", daemon=True)

    def start(self) -> None:
        """Begin to take jobs."""
        self._thread.start()

    def cancel(self, claim: "Claim") -> None:
        """Cancel an attempt, if it runs here. Returns at once; from any thread."""
        with suppress(RuntimeError):  # the loop is closed: nothing runs any more
            self._loop.call_soon_threadsafe(self._cancel, claim)

    def join(self, seconds: float) -> None:
        """Wait for what still ran when the worker left, and was cancelled then.

        Also for the hooks that the caller has put on the loop before.
        """
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._dismissed.set)
        self._thread.join(seconds)

    def _main(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        bell = self._engine.fileno()
        self._loop.add_reader(bell, self._take)
        await self._ended.wait()
        self._loop.remove_reader(bell)
        while self._attempts:
            for attempt in self._attempts.values():
                attempt.cancel()
            await asyncio.wait(self._attempts.values())
        await self._dismissed.wait()

    def _take(self) -> None:
        claims = self._engine.next_coroutines()
        if claims is None:
            self._ended.set()
            return
        for claim in claims:
            attempt = self._loop.create_task(self._run(claim))
            self._attempts[claim] = attempt
            attempt.add_done_callback(partial(self._forget, claim))

    def _forget(self, claim: "Claim", attempt: "asyncio.Task[None]") -> None:
        del self._attempts[claim]
        if attempt.cancelled():  # before its first step
            self._engine.settle(claim, Outcome.cancelled("cancelled by request"))

    def _cancel(self, claim: "Claim") -> None:
        attempt = self._attempts.get(claim)
        if attempt is not None:
            attempt.cancel()
