"""Unique keys and idempotency keys: who holds them, for how long, and who gets whose job."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from taskito import JobResult, Queue
from tests.support.until import until
from tests.unit.conftest import StartWorker

CALLERS = 8


def at_once(queue: Queue, call: Callable[[Queue], JobResult[Any]]) -> list[JobResult[Any]]:
    """Let callers with a connection of their own call at the same moment."""
    ready = threading.Barrier(CALLERS)
    answers: list[JobResult[Any]] = []
    errors: list[BaseException] = []

    def caller() -> None:
        with Queue(queue.db_path, durability="normal") as own:
            own.stats()
            ready.wait(30)
            try:
                answers.append(call(own))
            except BaseException as error:
                errors.append(error)

    threads = [threading.Thread(target=caller) for _ in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    return answers


class TestConcurrent:
    @pytest.mark.parametrize("key", ["unique_key", "idempotency_key"])
    def test_callers_with_one_key_get_one_job_and_no_error(self, queue: Queue, key: str) -> None:
        queue.stats()
        for number in range(10):
            given: dict[str, Any] = {key: str(number)}
            answers = at_once(queue, lambda own, given=given: own.enqueue("t", **given))  # type: ignore[misc]
            assert len(answers) == CALLERS
            assert len({job.id for job in answers}) == 1
            assert sum(not job.deduplicated for job in answers) == 1
        assert queue.count_jobs() == 10


class TestUnique:
    def test_a_key_is_one_for_all_tasks_and_queues(self, queue: Queue) -> None:
        first = queue.enqueue("t", unique_key="k")
        again = queue.enqueue("u", [1], queue="other", priority=9, unique_key="k", metadata="m")
        assert again.id == first.id
        assert again.deduplicated
        assert (again.task_name, again.queue, again.priority) == ("t", "default", 0)
        assert again.metadata is None
        assert queue.count_jobs() == 1

    def test_a_key_is_held_while_its_job_runs_and_waits_for_a_retry(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        gate = threading.Event()

        @queue.task(name="t", retry_delays=[60])
        def fail() -> None:
            gate.wait(30)
            raise OSError

        job = fail.options(unique_key="k").delay()
        start_worker()
        until(lambda: job.status == "running")
        assert queue.enqueue("t", unique_key="k").id == job.id
        gate.set()
        until(lambda: job.errors)
        assert queue.enqueue("t", unique_key="k").id == job.id

    @pytest.mark.parametrize("end", ["complete", "dead", "cancelled"])
    def test_a_key_is_free_before_the_result_is_there(
        self, queue: Queue, start_worker: StartWorker, end: str
    ) -> None:
        task = queue.task(name="t", max_retries=0)(lambda fails: 1 / 0 if fails else None)
        start_worker()
        ids = []
        for _ in range(50):
            job = task.options(unique_key="k").delay(end == "dead")
            if end == "cancelled":
                job.cancel()
            job.wait()
            assert not job.deduplicated
            ids.append(job.id)
        assert len(set(ids)) == 50


class TestIdempotent:
    def test_a_key_belongs_to_its_task(self, queue: Queue) -> None:
        first = queue.enqueue("t", idempotency_key="k")
        other = queue.enqueue("u", idempotency_key="k")
        assert first.id != other.id
        assert not other.deduplicated
        assert queue.enqueue("t", queue="other", idempotency_key="k").id == first.id

    def test_a_key_lasts_as_long_as_the_row(self, queue: Queue, start_worker: StartWorker) -> None:
        queue.task(name="t")(int)
        first = queue.enqueue("t", idempotency_key="k")
        start_worker()
        first.result()
        assert queue.enqueue("t", idempotency_key="k").id == first.id
        until(lambda: queue.purge_completed(0) == 1)
        assert queue.enqueue("t", idempotency_key="k").id != first.id

    def test_it_is_asked_before_the_unique_key(self, queue: Queue) -> None:
        unique = queue.enqueue("t", unique_key="u")
        idempotent = queue.enqueue("t", idempotency_key="i")
        both = queue.enqueue("t", unique_key="u", idempotency_key="i")
        assert both.id == idempotent.id
        assert queue.enqueue("t", unique_key="u", idempotency_key="new").id == unique.id
