"""The coroutine of each verb does what the verb does and leaves the event loop alone."""

import asyncio
import inspect
import sqlite3
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from taskito import (
    JobResult,
    Queue,
    QueueClosedError,
    ResultTimeout,
    TaskCancelledError,
    TaskFailedError,
)
from tests.support.until import until
from tests.unit.conftest import StartWorker

R = TypeVar("R")


async def beside(loop_turns: list[int], awaited: Coroutine[Any, Any, R]) -> R:
    """Await something while another coroutine counts the turns of the loop."""

    async def count() -> None:
        while True:
            loop_turns.append(1)
            await asyncio.sleep(0.001)

    counting = asyncio.create_task(count())
    try:
        return await awaited
    finally:
        counting.cancel()


def heralds() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "taskito-herald"]


class TestTwins:
    def test_each_has_the_parameters_of_its_verb(self) -> None:
        for kind in (Queue, JobResult):
            twins = {
                name: verb
                for name, verb in vars(kind).items()
                if inspect.iscoroutinefunction(verb) and not name.startswith("_")
            }
            assert twins
            for name, twin in twins.items():
                verb = getattr(kind, {"await_": "wait"}.get(name, name[1:]))
                mine, its = inspect.signature(twin), inspect.signature(verb)
                assert list(mine.parameters.values()) == list(its.parameters.values()), name

    def test_a_twin_names_itself_and_its_verb(self) -> None:
        assert Queue.aenqueue.__name__ == "aenqueue"
        assert "enqueue" in (Queue.aenqueue.__doc__ or "")

    def test_a_job_is_stored_read_and_cancelled(self, queue: Queue) -> None:
        @queue.task(name="add")
        def add(a: int, b: int) -> int:
            return a + b

        async def main() -> None:
            async with queue:
                first = await queue.aenqueue("add", (1, 2), priority=4)
                others = await queue.aenqueue_many("add", [(1, 1), (2, 2)])
                more = [await add.adelay(1, b=2), await add.aapply_async((3, 4), delay=60)]
                more += await add.amap([(5, 6)])
                assert (await queue.astats())["pending"] == 6
                found = await queue.aget_job(first.id)
                assert found is not None
                assert found.priority == 4
                assert len(await queue.alist_jobs(task_name="add")) == 6
                assert await queue.acancel_job(first.id)
                assert await others[0].acancel()
                assert [job.status for job in (first, *others, *more)] == [
                    *("cancelled", "cancelled", "pending", "pending", "pending", "pending")
                ]

        asyncio.run(main())

    def test_the_loop_goes_on_while_the_database_is_locked(self, queue: Queue) -> None:
        queue.stats()
        locking = sqlite3.connect(queue.db_path, isolation_level=None, check_same_thread=False)
        locking.execute("BEGIN IMMEDIATE")
        turns: list[int] = []

        def release() -> None:
            until(lambda: len(turns) > 20)
            locking.execute("ROLLBACK")

        releasing = threading.Thread(target=release)
        releasing.start()
        job = asyncio.run(beside(turns, queue.aenqueue("any")))
        releasing.join()
        locking.close()
        assert job.status == "pending"
        assert len(turns) > 20


class TestAwaitingResults:
    def test_many_results_are_awaited_at_once(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        @queue.task(name="double")
        def double(n: int) -> int:
            return 2 * n

        async def main() -> list[int]:
            jobs = await double.amap((n,) for n in range(200))
            waiting = [asyncio.create_task(job.aresult(timeout=30)) for job in jobs]
            await asyncio.sleep(0)
            start_worker()
            return await asyncio.gather(*waiting)

        assert asyncio.run(main()) == [2 * n for n in range(200)]

    def test_the_loop_goes_on_until_the_job_has_ended(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        turns: list[int] = []

        @queue.task(name="slow")
        def slow() -> str:
            until(lambda: len(turns) > 20)
            return "done"

        job = slow.delay()
        start_worker()
        assert asyncio.run(beside(turns, job.aresult())) == "done"

    def test_it_raises_as_result_does(self, queue: Queue, start_worker: StartWorker) -> None:
        @queue.task(name="fail", max_retries=0)
        def fail() -> None:
            raise ValueError("no")

        cancelled = queue.enqueue("unknown")
        cancelled.cancel()
        with pytest.raises(TaskCancelledError, match="cancelled"):
            asyncio.run(cancelled.aresult())
        start_worker()
        with pytest.raises(TaskFailedError, match="ValueError: no"):
            asyncio.run(fail.delay().aresult())

    @pytest.mark.parametrize("timeout", [0, -1, 0.05])
    def test_a_deadline_passes(self, queue: Queue, timeout: float) -> None:
        job = queue.enqueue("unknown")
        with pytest.raises(ResultTimeout, match=f"within {timeout}s .current status: pending"):
            asyncio.run(job.aresult(timeout=timeout))
        assert asyncio.run(job.await_(timeout)) is False
        job.cancel()
        assert asyncio.run(job.await_(timeout)) is True

    def test_nothing_is_left_of_those_who_stopped_waiting(self, queue: Queue) -> None:
        job = queue.enqueue("unknown")

        async def main() -> None:
            waiting = asyncio.create_task(job.aresult(timeout=None))
            await asyncio.sleep(0.05)  # it falls asleep; if not yet, the test is only easier
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting

        asyncio.run(main())
        until(lambda: not heralds())

    @pytest.mark.parametrize("turns", range(1, 6))
    def test_nothing_is_left_of_those_who_stop_as_soon_as_they_wait(
        self, queue: Queue, turns: int
    ) -> None:
        """A thread that was about to wait for them went on, and held the interpreter for ever."""
        job = queue.enqueue("unknown")

        async def main() -> None:
            for _ in range(20):
                waiting = asyncio.create_task(job.aresult(timeout=None))
                for _ in range(turns):
                    await asyncio.sleep(0)
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting

        asyncio.run(main())
        until(lambda: not heralds())

    def test_a_closed_queue_ends_the_wait(self, queue: Queue) -> None:
        job = queue.enqueue("unknown")

        async def main() -> bool:
            waiting = asyncio.create_task(job.await_())
            await asyncio.sleep(0.05)  # it falls asleep; if not yet, the test is only easier
            await queue.aclose()
            return await waiting

        with pytest.raises(QueueClosedError, match="closed"):
            asyncio.run(asyncio.wait_for(main(), 30))
