"""What time does to jobs: those that start too late, and those that ended long ago."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from taskito import JobResult, Queue, TaskCancelledError
from tests.unit.conftest import StartWorker

EXPIRED = "expired before execution"

CALLS: dict[str, Callable[..., JobResult[Any]]] = {
    "enqueue": lambda queue, **options: queue.enqueue("t", **options),
    "enqueue_many": lambda queue, **options: queue.enqueue_many("t", [()], **options)[0],
    "options_list": lambda queue, **options: queue.enqueue_many("t", [()], options_list=[options])[
        0
    ],
    "apply_async": lambda queue, **options: queue.task(name="t")(print).apply_async(**options),
    "options": lambda queue, **options: queue.task(name="t")(print).options(**options).delay(),
}


class TestExpire:
    @pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
    @pytest.mark.parametrize("expires", [0, -1])
    def test_zero_or_less_never_starts(
        self,
        queue: Queue,
        start_worker: StartWorker,
        call: Callable[..., JobResult[Any]],
        expires: int,
    ) -> None:
        started: list[int] = []
        job = call(queue, expires=expires)
        queue.task(name="t")(lambda: started.append(1))
        start_worker()
        assert job.wait(5)
        assert (job.status, job.error, started) == ("cancelled", EXPIRED, [])

    def test_result_says_why_there_is_none(self, queue: Queue, start_worker: StartWorker) -> None:
        job = queue.task(name="t")(print).apply_async(expires=0)
        start_worker()
        with pytest.raises(TaskCancelledError, match=f"^Job {job.id} cancelled: {EXPIRED}$"):
            job.result()

    def test_a_job_that_starts_in_time_runs(self, queue: Queue, start_worker: StartWorker) -> None:
        job = queue.task(name="t")(lambda: "done").apply_async(expires=60)
        start_worker()
        assert job.result() == "done"

    def test_a_job_that_waits_for_its_retry_expires(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        @queue.task(name="t", retry_backoff=0)
        def fail_late() -> None:
            time.sleep(0.05)
            raise ValueError

        job = fail_late.apply_async(expires=0.04)
        start_worker()
        assert job.wait(5)
        assert (job.status, job.error, len(job.errors)) == ("cancelled", EXPIRED, 1)
