"""``async def`` tasks in a worker."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest

from taskito import Queue, TaskCancelledError, TaskFailedError
from taskito._loop import JobLoop
from tests.support.until import until
from tests.unit.conftest import StartWorker


class Gate:
    """Holds coroutines until it is opened, and counts them."""

    def __init__(self) -> None:
        self.inside = 0
        self.most = 0
        self.cancelled = 0
        self._open = threading.Event()

    async def pass_through(self) -> None:
        self.inside += 1
        self.most = max(self.most, self.inside)
        try:
            while not self._open.is_set():  # noqa: ASYNC110 - opened from another thread
                await asyncio.sleep(0.002)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.inside -= 1

    def open(self) -> None:
        self._open.set()


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open()


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    path = tmp_path / "jobs.db"
    with Queue(path, workers=1, async_concurrency=5, drain_timeout=5, durability="normal") as queue:
        yield queue


class TestRun:
    def test_the_value_is_the_result(self, queue: Queue, start_worker: StartWorker) -> None:
        @queue.task
        async def double(x: int) -> int:
            await asyncio.sleep(0)
            return 2 * x

        start_worker()
        assert [job.result(30) for job in double.map((n,) for n in range(50))] == [
            2 * n for n in range(50)
        ]

    def test_an_exception_fails_the_attempt(self, queue: Queue, start_worker: StartWorker) -> None:
        @queue.task(max_retries=1, retry_delays=[0])
        async def fail() -> None:
            raise ValueError("no luck")

        start_worker()
        job = fail.delay()
        with pytest.raises(TaskFailedError, match="no luck"):
            job.result(30)
        assert [record["attempt"] for record in job.errors] == [0, 1]
        assert "_runner.py" not in str(job.error)

    def test_all_run_on_one_loop_in_a_thread_of_its_own(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        @queue.task
        async def where() -> tuple[int, int]:
            await asyncio.sleep(0.01)
            return id(asyncio.get_running_loop()), threading.get_ident()

        start_worker()
        places = {job.result(30) for job in where.map([()] * 10)}
        assert len(places) == 1
        assert places.pop()[1] != threading.get_ident()

    def test_a_task_registered_while_the_worker_runs_is_run(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        start_worker()
        until(queue.workers)

        @queue.task
        async def late() -> str:
            return "in time"

        assert late.delay().result(30) == "in time"


class TestConcurrency:
    def test_as_many_at_once_as_the_queue_says(
        self, queue: Queue, start_worker: StartWorker, gate: Gate
    ) -> None:
        hold = queue.task(name="hold")(gate.pass_through)
        start_worker()
        jobs = hold.map([()] * 12)
        until(lambda: gate.inside == 5)
        assert sum(job.status == "running" for job in jobs) == 5
        gate.open()
        assert [job.result(30) for job in jobs] == [None] * 12
        assert gate.most == 5

    def test_coroutines_take_no_thread(
        self, queue: Queue, start_worker: StartWorker, gate: Gate
    ) -> None:
        hold = queue.task(name="hold")(gate.pass_through)
        plain = queue.task(name="plain")(str)
        start_worker()
        held = hold.map([()] * 6)
        until(lambda: gate.inside == 5)
        assert plain.delay(1).result(30) == "1"
        gate.open()
        assert all(job.wait(30) for job in held)

    def test_a_blocked_loop_delays_only_coroutines(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        blocked, release = threading.Event(), threading.Event()

        @queue.task
        async def block() -> None:
            blocked.set()
            release.wait(30)

        @queue.task
        async def quick() -> str:
            return "at last"

        plain = queue.task(name="plain")(str)
        start_worker()
        job = block.delay()
        assert blocked.wait(30)
        waiting = quick.delay()
        assert plain.delay(1).result(30) == "1"
        assert waiting.status in {"pending", "running"}
        release.set()
        assert waiting.result(30) == "at last"
        assert job.wait(30)

    @pytest.mark.parametrize("value", [0, -1])
    def test_none_at_all_is_refused(self, value: int) -> None:
        with pytest.raises(ValueError, match="async_concurrency must be between 1 and"):
            Queue(async_concurrency=value)


class TestTimeout:
    def test_the_coroutine_is_cancelled_and_cleans_up(
        self, queue: Queue, start_worker: StartWorker, gate: Gate
    ) -> None:
        hold = queue.task(name="hold", timeout=0.1, max_retries=0)(gate.pass_through)
        start_worker()
        job = hold.delay()
        with pytest.raises(TaskFailedError, match=r"TaskTimeoutError: .*'hold'.* 0\.1 s"):
            job.result(30)
        until(lambda: gate.cancelled)
        assert gate.inside == 0
        assert len(job.errors) == 1

    def test_what_it_returns_all_the_same_is_dropped(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        @queue.task(timeout=0.05, max_retries=0)
        async def stubborn() -> str:
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                return "I had it"
            return "never"

        start_worker()
        job = stubborn.delay()
        assert job.wait(30)
        assert job.status == "dead"


class TestCancel:
    def test_the_coroutine_is_cancelled_and_the_job_too(
        self, queue: Queue, start_worker: StartWorker, gate: Gate
    ) -> None:
        hold = queue.task(name="hold")(gate.pass_through)
        start_worker()
        job = hold.delay()
        until(lambda: gate.inside)
        assert queue.cancel_running_job(job.id)
        with pytest.raises(TaskCancelledError, match="cancelled by request"):
            job.result(30)
        assert gate.cancelled == 1
        assert job.errors == []

    def test_a_value_returned_after_that_is_dropped(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        started = threading.Event()

        @queue.task
        async def stubborn() -> str:
            started.set()
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                return "I had it"
            return "never"

        start_worker()
        job = stubborn.delay()
        assert started.wait(30)
        assert job.cancel()
        assert job.wait(30)
        assert (job.status, job.error) == ("cancelled", "cancelled by request")


class TestShutdown:
    def test_a_drain_waits_for_coroutines(
        self, queue: Queue, start_worker: StartWorker, gate: Gate
    ) -> None:
        hold = queue.task(name="hold")(gate.pass_through)
        worker = start_worker()
        job = hold.delay()
        until(lambda: gate.inside)
        queue.shutdown()
        gate.open()
        worker.join(30)
        assert not worker.is_alive()
        assert job.status == "complete"

    def test_a_stop_cancels_them_and_hands_them_back(
        self, queue: Queue, start_worker: StartWorker, gate: Gate
    ) -> None:
        hold = queue.task(name="hold")(gate.pass_through)
        worker = start_worker()
        job = hold.delay()
        until(lambda: gate.inside)
        queue.shutdown(now=True)
        worker.join(30)
        assert not worker.is_alive()
        assert (job.status, job.retry_count, job.errors) == ("pending", 0, [])
        assert gate.cancelled == 1
        assert gate.inside == 0


def test_an_attempt_cancelled_before_its_first_step_is_settled() -> None:
    """The request may come between the claim and the coroutine."""
    settled: list[object] = []
    reader, writer = os.pipe()

    class Engine:
        """One claim, for which cancellation is requested while it is handed out."""

        claims: ClassVar = [None, ["claim"]]

        def fileno(self) -> int:
            return reader

        def next_coroutines(self) -> list[str] | None:
            claims: list[str] | None = self.claims.pop()
            if claims:
                loop.cancel(cast("Any", "claim"))
            return claims

        def settle(self, claim: object, _outcome: object) -> None:
            settled.append(claim)

    async def never(_claim: object) -> None:
        raise AssertionError("it was cancelled")

    loop = JobLoop(cast("Any", Engine()), never)
    os.write(writer, b"1")
    loop.start()
    loop.join(30)
    os.close(reader)
    os.close(writer)
    assert settled == ["claim"]


def test_a_worker_without_async_tasks_loads_no_asyncio(tmp_path: Path) -> None:
    code = (
        "import sys, threading, taskito\n"
        "queue = taskito.Queue('jobs.db', workers=1)\n"
        "plain = queue.task(name='plain')(str)\n"
        "worker = threading.Thread(target=queue.run_worker)\n"
        "worker.start()\n"
        "plain.delay(1).result()\n"
        "print('asyncio' in sys.modules)\n"
        "@queue.task\n"
        "async def late(): return 'asyncio' in sys.modules\n"
        "print(late.delay().result())\n"
        "queue.close()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert (done.stdout, done.stderr) == ("False\nTrue\n", "")


def test_the_loop_takes_what_its_worker_puts_on_it_until_it_is_joined() -> None:
    """A worker hears of commits after the engine has left, and their hooks run on the loop."""

    class Left:
        """Stands for an engine that has left its database."""

        def __init__(self) -> None:
            self._end, self._bell = os.pipe()
            os.close(self._bell)  # readable for ever

        def fileno(self) -> int:
            return self._end

        def next_coroutines(self) -> None:
            told.set()

    told = threading.Event()
    seen: list[int] = []

    async def never(_claim: object) -> None: ...

    engine: Any = Left()
    loop = JobLoop(engine, never)
    loop.start()
    assert told.wait(30)
    until(lambda: len(asyncio.all_tasks(loop._loop)) == 1)
    loop._loop.call_soon_threadsafe(seen.append, 1)
    loop.join(30)
    assert seen == [1]
    os.close(engine.fileno())
