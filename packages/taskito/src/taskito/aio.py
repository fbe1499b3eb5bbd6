"""The verbs for coroutines: the same work in threads, never on the event loop."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol


class _Stoppable(Protocol):
    def drain(self) -> None: ...
    def stop(self) -> None: ...


async def run_in_thread(worker: _Stoppable, run: Callable[[], object]) -> None:
    """Await ``run`` in a daemon thread.

    Cancellation drains the worker and waits for its end; a second one stops it at once.
    """
    ended: Future[None] = Future()
    threading.Thread(target=_report, args=(run, ended), name="taskito-worker", daemon=True).start()
    waiting = asyncio.wrap_future(ended)
    interruption: asyncio.CancelledError | None = None
    while not waiting.done():
        try:
            await asyncio.shield(waiting)
        except asyncio.CancelledError as error:
            end = worker.drain if interruption is None else worker.stop
            end()
            interruption = error
    waiting.result()
    if interruption is not None:
        raise interruption


def _report(run: Callable[[], object], ended: "Future[None]") -> None:
    try:
        run()
    except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
        ended.set_exception(error)
    else:
        ended.set_result(None)
