"""A queue with something in it, and a client of its dashboard."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from werkzeug.test import Client

from taskito import Queue
from taskito_dashboard import create_app


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    queue = Queue(tmp_path / "jobs.db", workers=2)

    @queue.task(name="add")
    def add(a: int, b: int) -> int:
        return a + b

    @queue.task(name="fail", max_retries=0)
    def fail(text: str) -> None:
        raise RuntimeError(text)

    yield queue
    queue.close()


@pytest.fixture
def client(queue: Queue) -> Client:
    return Client(create_app(queue))


@pytest.fixture
def work(queue: Queue) -> Callable[[], None]:
    """What runs all jobs that are due, in this thread."""

    def run() -> None:
        with queue._stepping() as worker:
            while worker.run_next():
                pass

    return run


@pytest.fixture
def dead(queue: Queue, work: Callable[[], None]) -> list[str]:
    """Three jobs that died, oldest first."""
    ids = [queue.enqueue("fail", (f"fault {number}",)).id for number in range(3)]
    work()
    return ids
