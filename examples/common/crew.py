"""The workers of one example, and the wait for their work."""

import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from examples.common.screen import Screen
from examples.common.worker import Worker

if TYPE_CHECKING:
    from taskito import Queue

TICK_S = 0.1


class Crew:
    """Some workers, each a process of its own; made by :func:`crew`."""

    def __init__(self, workers: list[Worker]) -> None:
        self._workers = workers

    def finish(
        self,
        queue: "Queue",
        screen: Screen,
        *,
        meanwhile: Callable[[], None] | None = None,
        more: Callable[[], bool] | None = None,
    ) -> None:
        """Show the progress until no job is left.

        A job that enqueues others does so before it is complete, so at no moment is there
        neither a pending nor a running job while work is left.

        Args:
            queue: the queue of the workers.
            screen: where to show it.
            meanwhile: called ten times per second.
            more: whether jobs are still to come that nobody has enqueued yet.
        """
        screen.begin()
        last_done, last_change = -1, time.monotonic()
        while True:
            expected = more is not None and more()  # before the counts, which then have them
            stats = queue.stats()
            total = sum(stats.values())
            done = total - stats["pending"] - stats["running"]
            if done == total and not expected:
                screen.clear()
                return
            if meanwhile:
                meanwhile()
            if done != last_done:
                last_done, last_change = done, time.monotonic()
            dead = f"  dead {stats['dead']}" if stats["dead"] else ""
            screen.progress(done, total, f"running {stats['running']}{dead}")
            for worker in self._workers:
                worker.insist_on_life(time.monotonic() - last_change)
            time.sleep(TICK_S)


@contextmanager
def crew(
    *, app: str, processes: int, threads: int, folder: Path, screen: Screen
) -> Generator[Crew]:
    """Start workers, and stop them at the end of the block.

    Args:
        app: their queue, as ``module:attribute``.
        processes: how many workers.
        threads: how many jobs each of them runs at once.
        folder: where their logs go.
        screen: where to say what was started.
    """
    with ExitStack() as stack:
        stack.callback(screen.clear)
        workers: list[Worker] = []
        for number in range(processes):
            log = folder / f"worker-{number}.log"
            workers.append(Worker(app=app, threads=threads, log=log))
            stack.callback(workers[-1].wait)
        for worker in workers:
            stack.callback(worker.ask_to_stop)  # all of them first: it ends in reverse order
        pids = ", ".join(str(worker.pid) for worker in workers)
        screen.say("workers", f"{workers[0].command}   pid {pids}")
        yield Crew(workers)
