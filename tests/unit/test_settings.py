"""Whose settings count: the call's, the task's, the Queue's; the producer's or the worker's."""

import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from taskito import JobResult, PayloadTooLargeError, Queue, TaskWrapper
from taskito.testing import ManualWorker
from taskito.testing._manual import manual_worker
from tests.support.until import until
from tests.unit.conftest import StartWorker

Call = Callable[[Queue, TaskWrapper[..., Any]], JobResult[Any]]
PLAIN_CALLS: dict[str, Call] = {
    "delay": lambda _, task: task.delay(),
    "apply_async": lambda _, task: task.apply_async(),
    "map": lambda _, task: task.map([()])[0],
    "enqueue": lambda queue, task: queue.enqueue(task.name),
    "enqueue_many": lambda queue, task: queue.enqueue_many(task.name, [()])[0],
    "signature": lambda _, task: task.s().apply(),
}
CALLS_OF_UNKNOWN: dict[str, Callable[[Queue], JobResult[Any]]] = {
    "enqueue": lambda queue: queue.enqueue("unknown"),
    "enqueue_many": lambda queue: queue.enqueue_many("unknown", [()])[0],
}


@pytest.fixture
def worker(queue: Queue) -> Iterator[ManualWorker]:
    with manual_worker(queue) as worker:
        yield worker


def settings(job: JobResult[Any]) -> tuple[int, int, int]:
    facts = job.to_dict()
    return facts["max_retries"], facts["timeout_ms"], facts["priority"]


class TestDefaults:
    @pytest.fixture
    def queue(self) -> Iterator[Queue]:
        with Queue(":memory:", default_retry=7, default_timeout=1.5, default_priority=-2) as queue:
            yield queue

    @pytest.mark.parametrize("call", PLAIN_CALLS.values(), ids=PLAIN_CALLS)
    def test_of_the_queue_are_for_tasks_that_say_nothing(self, queue: Queue, call: Call) -> None:
        assert settings(call(queue, queue.task(name="t")(int))) == (7, 1500, -2)

    @pytest.mark.parametrize("call", PLAIN_CALLS.values(), ids=PLAIN_CALLS)
    def test_those_of_the_task_go_over_them(self, queue: Queue, call: Call) -> None:
        task = queue.task(name="t", max_retries=0, timeout=0, priority=0, queue="mail")(int)
        job = call(queue, task)
        assert settings(job) == (0, 0, 0)
        assert job.queue == "mail"

    @pytest.mark.parametrize("call", CALLS_OF_UNKNOWN.values(), ids=CALLS_OF_UNKNOWN)
    def test_of_the_queue_are_for_tasks_it_does_not_know(
        self, queue: Queue, call: Callable[[Queue], JobResult[Any]]
    ) -> None:
        assert settings(call(queue)) == (7, 1500, -2)

    @pytest.mark.parametrize("options", [{}, {"queue": ""}, {"queue": None, "priority": None}])
    def test_nothing_given_means_the_default(self, queue: Queue, options: dict[str, Any]) -> None:
        job = queue.enqueue("t", **options)
        assert (job.queue, job.priority) == ("default", -2)


class TestCall:
    def test_no_retries_in_a_call_means_a_single_attempt(
        self, queue: Queue, worker: ManualWorker
    ) -> None:
        task = queue.task(name="t", max_retries=5)(lambda: 1 / 0)
        jobs = [task.options(max_retries=0).delay(), queue.enqueue("t", max_retries=0)]
        worker.run_until_idle()
        assert [(job.status, len(job.errors)) for job in jobs] == [("dead", 1)] * 2

    def test_a_negative_delay_is_none(self, queue: Queue) -> None:
        job = queue.enqueue("t", delay=-5)
        assert job.scheduled_at == job.created_at

    @pytest.mark.parametrize("priority", [-(2**31), 2**31 - 1])
    def test_priorities_have_32_bits(self, queue: Queue, priority: int) -> None:
        assert queue.enqueue("t", priority=priority).priority == priority

    def test_headers_are_never_in_the_dict(self, queue: Queue) -> None:
        assert "headers" not in queue.enqueue("t", headers={"a": "b"}).to_dict()


class TestCode:
    """A producer and a worker that run different versions of the program."""

    def test_retries_limits_and_breakers_are_those_of_the_worker(
        self, queue: Queue, worker: ManualWorker
    ) -> None:
        with Queue(queue.db_path) as producer:
            options: dict[str, Any] = {
                "retry_delays": [3600],
                "dont_retry_on": [ZeroDivisionError],
                "rate_limit": "1/d",
                "circuit_breaker": {"threshold": 1},
            }
            job_id = producer.task(name="t", **options)(lambda: 1 / 0).delay().id
        queue.task(name="t", retry_delays=[0])(lambda: 1 / 0)
        (job,) = set(worker.run())
        assert job.id == job_id
        assert (job.status, job.retry_count, len(job.errors)) == ("dead", 3, 4)

    def test_priority_retries_and_timeout_are_stored_with_the_job(
        self, queue: Queue, worker: ManualWorker
    ) -> None:
        with Queue(queue.db_path) as producer:
            options: dict[str, Any] = {"max_retries": 1, "timeout": 7, "priority": 4}
            job_id = producer.task(name="t", **options)(lambda: 1 / 0).delay().id
        queue.task(name="t", retry_delays=[0], max_retries=9, timeout=99, priority=9)(lambda: 1 / 0)
        (job,) = set(worker.run())
        assert job.id == job_id
        assert settings(job) == (1, 7000, 4)
        assert (job.status, len(job.errors)) == ("dead", 2)

    def test_a_rate_is_that_of_the_current_code(self, queue: Queue, worker: ManualWorker) -> None:
        limited = queue.task(name="limited", rate_limit="1/h")(int)
        jobs = limited.map([()] * 3)
        assert worker.run() == jobs[:1]
        queue.task(name="limited")(int)
        assert worker.run() == jobs[1:]


class TestQueues:
    def test_a_worker_serves_every_queue_that_comes_to_hold_a_job_of_its_tasks(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        task = queue.task(name="t")(lambda: "ran")
        start_worker()
        until(queue.workers)
        for name in ("new", "newer", "ünï"):
            assert task.options(queue=name).delay().result() == "ran"

    def test_a_worker_serves_the_queue_of_a_schedule_that_is_declared_later(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        start_worker()
        until(queue.workers)
        queue.periodic("@yearly", "s", queue="mail")(lambda: "ran")
        job = queue.trigger_periodic("s")
        assert job.queue == "mail"
        assert job.result() == "ran"

    @pytest.mark.parametrize("queues", [None, [], "", [""]])
    def test_none_given_are_all(self, queue: Queue, start_worker: StartWorker, queues: Any) -> None:
        task = queue.task(name="t", queue="of the task")(lambda: "ran")
        start_worker(queues)
        assert task.delay().result() == "ran"
        assert task.options(queue="default").delay().result() == "ran"

    def test_any_iterable_names_them(self, queue: Queue, start_worker: StartWorker) -> None:
        task = queue.task(name="t")(lambda: "ran")
        start_worker(name for name in ("a", "b"))
        assert [task.options(queue=name).delay().result() for name in "ab"] == ["ran", "ran"]
        assert not task.delay().wait(0.2)

    def test_workers_of_a_call_go_over_those_of_the_queue(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        gate = threading.Event()
        jobs = queue.task(name="t")(lambda: gate.wait(30)).map([()] * 5)
        start_worker(workers=3)
        until(lambda: queue.stats()["running"] == 3)
        assert not jobs[4].wait(0.1)
        assert queue.stats()["running"] == 3
        gate.set()
        assert all(job.wait(30) for job in jobs)

    def test_no_number_of_workers_is_one_for_each_processor(self, queue: Queue) -> None:
        assert Queue(queue.db_path)._worker().threads == len(os.sched_getaffinity(0))


class TestPayload:
    def test_the_limit_is_sixteen_mebibytes_unless_set(self) -> None:
        with Queue(":memory:") as queue:
            with pytest.raises(PayloadTooLargeError, match="max_payload_bytes is 16777216"):
                queue.enqueue("t", [b"x" * 16 * 2**20])
            assert queue.enqueue("t", [b"x" * (16 * 2**20 - 1000)]).status == "pending"
            assert queue.count_jobs() == 1

    def test_none_is_no_limit(self) -> None:
        with Queue(":memory:", max_payload_bytes=None) as queue:
            assert queue.enqueue("t", [b"x" * 17 * 2**20]).status == "pending"
