"""How a queue begins and ends: blocks, signal handlers, the time to the first job."""

import asyncio
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from taskito import Queue, QueueClosedError
from tests.support.until import until
from tests.unit.conftest import StartWorker


class TestBlocks:
    def test_an_async_block_closes_and_awaits_the_end_of_workers(self, tmp_path: Path) -> None:
        async def main() -> Queue:
            async with Queue(tmp_path / "jobs.db", workers=1) as queue:
                worker = asyncio.create_task(queue.arun_worker())
                assert await queue.task(name="t")(lambda: 7).delay().aresult() == 7
            await asyncio.wait_for(worker, 30)
            return queue

        with pytest.raises(QueueClosedError):
            asyncio.run(main()).stats()

    def test_leaving_a_block_waits_for_the_running_job(self, tmp_path: Path) -> None:
        begun, gate, ended = threading.Event(), threading.Event(), threading.Event()

        def run() -> None:
            begun.set()
            gate.wait(30)
            ended.set()

        with Queue(tmp_path / "jobs.db", workers=1) as queue:
            queue.task(name="t")(run).delay()
            worker = threading.Thread(target=queue.run_worker)
            worker.start()
            assert begun.wait(30)
            gate.set()
        assert ended.is_set()
        worker.join(30)
        assert not worker.is_alive()

    def test_a_queue_that_was_never_used_can_be_closed(self, tmp_path: Path) -> None:
        queue = Queue(tmp_path / "jobs.db")
        queue.close()
        queue.close()
        asyncio.run(queue.aclose())
        with pytest.raises(QueueClosedError, match=r"jobs\.db' is closed\nhint: create a new"):
            queue.enqueue("t")


class TestShutdown:
    @pytest.fixture
    def alarm(self) -> Iterator[None]:
        yield
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)

    @pytest.mark.usefixtures("alarm")
    def test_it_may_be_asked_for_in_a_signal_handler_amid_any_call(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        """The handler interrupts this thread in the middle of its own calls of the queue."""
        asked = 0

        def handler(_number: int, _frame: object) -> None:
            nonlocal asked
            asked += 1
            queue.shutdown(now=asked % 2 == 0)

        queue.task(name="t")(int)
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.0007)
        for _ in range(5):
            worker = start_worker()
            for _ in range(40):
                queue.enqueue("t")
                queue.stats()
            worker.join(30)
            assert not worker.is_alive()
        assert asked > 5

    def test_every_worker_of_the_object_ends_and_no_other(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        workers = [start_worker(), start_worker()]
        with Queue(queue.db_path, workers=1) as other:
            another = threading.Thread(target=other.run_worker)
            another.start()
            until(lambda: len(queue.workers()) == 3)
            queue.shutdown(wait=True)
            assert len(queue.workers()) == 1
            assert another.is_alive()
        for worker in [*workers, another]:
            worker.join(30)
            assert not worker.is_alive()
