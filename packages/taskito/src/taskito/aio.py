"""The verbs for coroutines: the same work in threads, never on the event loop."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from taskito.exceptions import TaskitoError

if TYPE_CHECKING:
    from taskito._database import Database


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


class Herald:
    """Waits for the ends of jobs on behalf of any number of coroutines, in one thread.

    The thread lives while somebody waits. It sleeps in the kernel and polls nothing.
    """

    def __init__(self, database: "Database") -> None:
        """Wait for nothing yet."""
        self._database = database
        self._lock = threading.Lock()
        self._waiting: dict[str, list[Future[None]]] = {}
        self._thread: threading.Thread | None = None

    async def ended(self, job_id: str, timeout: float | None) -> bool:  # noqa: ASYNC109
        """Return ``True`` once the job is final or gone, ``False`` after ``timeout`` seconds."""
        told: Future[None] = Future()
        try:
            await asyncio.to_thread(self._add, job_id, told)
            async with asyncio.timeout(None if timeout is None else max(timeout, 0.0)):
                await asyncio.wrap_future(told)
        except TimeoutError:
            return told.done() and not told.cancelled()
        finally:
            told.cancel()  # a thread that is still about to add it then leaves it
            if self._forgets(job_id, told):
                asyncio.get_running_loop().run_in_executor(None, self._ring)
        return True

    def _add(self, job_id: str, told: "Future[None]") -> None:
        with self._database as store:
            if store.wait(job_id, 0):
                if told.set_running_or_notify_cancel():
                    told.set_result(None)
                return
            with self._lock:
                if told.cancelled():
                    return
                self._waiting.setdefault(job_id, []).append(told)
                if self._thread is None:
                    # Not a daemon: the interpreter must not end while it is in the engine.
                    self._thread = threading.Thread(target=self._listen, name="taskito-herald")
                    self._thread.start()
                    return
            store.ring_finished()

    def _forgets(self, job_id: str, told: "Future[None]") -> bool:
        """Strike out who waits no more; whether nobody waits now."""
        with self._lock:
            waiting = self._waiting.get(job_id, [])
            if told not in waiting:
                return False
            waiting.remove(told)
            if not waiting:
                del self._waiting[job_id]
            return not self._waiting

    def _ring(self) -> None:
        """Let the thread look again, and end if there is nobody to wait for."""
        with suppress(TaskitoError), self._database as store:
            store.ring_finished()

    def _listen(self) -> None:
        try:
            with self._database as store:
                while True:
                    bell = store.finished_bell()
                    job_ids = self._asked()
                    if not job_ids:
                        return
                    self._tell(store.wait_any(job_ids, bell))
        except Exception as error:  # noqa: BLE001 - raised again where it is awaited
            with self._lock:
                self._thread = None
                waiting, self._waiting = self._waiting, {}
            for told in (told for group in waiting.values() for told in group):
                if told.set_running_or_notify_cancel():
                    told.set_exception(error)

    def _asked(self) -> list[str]:
        with self._lock:
            if self._waiting and threading.main_thread().is_alive():
                return list(self._waiting)
            self._thread = None
            return []

    def _tell(self, job_ids: list[str]) -> None:
        with self._lock:
            waiting = [told for job_id in job_ids for told in self._waiting.pop(job_id, [])]
        for told in waiting:
            if told.set_running_or_notify_cancel():
                told.set_result(None)
