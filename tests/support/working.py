"""Workers in threads of the process that tests."""

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from taskito import Queue
from tests.support.until import PATIENCE


@contextmanager
def working(queue: Queue, **options: Any) -> Generator[threading.Thread]:
    """Run ``queue.run_worker(**options)`` in a thread; it is stopped when the block ends.

    It may not be up yet when the block begins.
    """
    worker = threading.Thread(target=queue.run_worker, kwargs=options, daemon=True)
    worker.start()
    try:
        yield worker
    finally:
        end(queue, worker)


def end(queue: Queue, worker: threading.Thread) -> None:
    """Stop a worker; one that is not up yet would not hear of it, so it is told again."""
    deadline = time.monotonic() + PATIENCE
    while worker.is_alive():
        assert time.monotonic() < deadline, "the worker did not end"
        queue.shutdown(now=True)
        worker.join(0.05)
