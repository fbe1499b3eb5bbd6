"""Coroutines of tasks: where their hooks run, and those that do not end when they should."""

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from taskito import Queue, current_job
from tests.support.until import until
from tests.unit.conftest import StartWorker


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    path = tmp_path / "jobs.db"
    with Queue(path, workers=1, async_concurrency=1, durability="normal") as queue:
        yield queue


def test_hooks_of_a_coroutine_run_on_its_loop(queue: Queue, start_worker: StartWorker) -> None:
    where: dict[str, int] = {}

    def note(name: str) -> None:
        where[name] = id(asyncio.get_running_loop())

    queue.before_task(lambda *_: note("before_task"))
    queue.on_failure(lambda *_: note("on_failure"))
    queue.after_task(lambda *_: note("after_task"))
    queue.on_dead_letter(lambda *_: note("on_dead_letter"))

    @queue.task(max_retries=0)
    async def fail() -> None:
        note("function")
        raise OSError

    fail.delay()
    start_worker()
    until(lambda: len(where) == 5)
    assert len(set(where.values())) == 1


def test_a_coroutine_that_lives_on_after_its_timeout_gives_its_slot_back_after_five_seconds(
    queue: Queue, start_worker: StartWorker
) -> None:
    let_go = threading.Event()

    @queue.task(timeout=0.1, max_retries=0)
    async def stubborn() -> str:
        while not let_go.is_set():
            try:
                await asyncio.sleep(0.05)
            except asyncio.CancelledError:
                current_job.log("no")
        return "ignored"

    @queue.task(name="next")
    async def follow() -> float:
        return time.time()

    job, waiting = stubborn.delay(), follow.delay()
    start_worker()
    assert job.wait(30)
    assert job.status == "dead"
    failed = job.to_dict()["completed_at"] / 1000
    started = waiting.result(timeout=30)
    assert started - failed > 3
    let_go.set()
    assert follow.delay().result() > started
    assert (job.status, len(job.errors)) == ("dead", 1)


def test_its_finally_blocks_run_to_their_end(queue: Queue, start_worker: StartWorker) -> None:
    ended: list[str] = []

    @queue.task(timeout=0.1, max_retries=0)
    async def tidy() -> None:
        try:
            await asyncio.sleep(30)
        finally:
            await asyncio.sleep(0.05)
            ended.append("tidied up")

    job = tidy.delay()
    start_worker()
    assert job.wait(30)
    until(lambda: ended == ["tidied up"])
