"""A queue on a fresh database, and workers in threads that end with the test."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from taskito import Queue
from tests.support.working import end

StartWorker: TypeAlias = Callable[..., threading.Thread]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Run every test in an empty directory without variables that name a queue."""
    monkeypatch.chdir(tmp_path)
    for name in ("TASKITO_APP", "TASKITO_DB_PATH", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    with Queue(tmp_path / "jobs.db", workers=2, drain_timeout=5, durability="normal") as queue:
        yield queue


@pytest.fixture
def start_worker(queue: Queue) -> Iterator[StartWorker]:
    """Start ``queue.run_worker(...)`` in a thread; ended when the test ends."""
    threads: list[threading.Thread] = []

    def start(*args: object, **kwargs: object) -> threading.Thread:
        thread = threading.Thread(target=queue.run_worker, args=args, kwargs=kwargs, daemon=True)
        thread.start()
        threads.append(thread)
        return thread

    yield start
    for thread in threads:
        end(queue, thread)
