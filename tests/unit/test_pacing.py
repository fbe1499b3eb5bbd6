"""When an attempt is followed by the next, and which job goes first."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from taskito import Queue, TaskWrapper
from taskito.testing import ManualWorker
from taskito.testing._manual import manual_worker
from tests.support.until import until
from tests.unit.conftest import StartWorker


@pytest.fixture
def worker(queue: Queue) -> Iterator[ManualWorker]:
    with manual_worker(queue) as worker:
        yield worker


def waits(queue: Queue, worker: ManualWorker, **options: Any) -> list[float]:
    """The seconds that a job which always fails waits before each of its retries."""
    job = queue.task(name="t", **options)(lambda: 1 / 0).delay()
    found: list[float] = []
    while worker.run(max_jobs=1) and job.status == "pending":
        found.append((job.to_dict()["scheduled_at"] - worker.now) / 1000)
        worker.advance(found[-1])
    return found


class TestBackoff:
    def test_doubles_and_adds_less_than_one_base(self, queue: Queue, worker: ManualWorker) -> None:
        for _ in range(5):
            for n, wait in enumerate(waits(queue, worker, max_retries=6, retry_backoff=2)):
                assert 2 * 2**n <= wait < 2 * 2**n + 2

    def test_the_first_base_is_one_second_and_the_cap_300(
        self, queue: Queue, worker: ManualWorker
    ) -> None:
        found = waits(queue, worker, max_retries=12)
        assert [int(wait) for wait in found[:4]] == [1, 2, 4, 8]
        assert all(300 <= wait < 301 for wait in found[9:])
        assert len(found) == 12

    def test_a_cap_is_for_the_exponential_part(self, queue: Queue, worker: ManualWorker) -> None:
        found = waits(queue, worker, max_retries=6, retry_backoff=4, max_retry_delay=5)
        assert 4 <= found[0] < 8
        assert all(5 <= wait < 9 for wait in found[1:])

    def test_there_is_jitter(self, queue: Queue, worker: ManualWorker) -> None:
        found = [waits(queue, worker, max_retries=1, retry_backoff=60)[0] for _ in range(20)]
        assert len(set(found)) > 10

    def test_no_backoff_is_at_once(self, queue: Queue, worker: ManualWorker) -> None:
        job = queue.task(name="t", max_retries=4, retry_backoff=0)(lambda: 1 / 0).delay()
        assert worker.run() == [job] * 5
        assert job.status == "dead"

    def test_while_it_waits_a_job_has_no_error_and_no_instants(
        self, queue: Queue, worker: ManualWorker
    ) -> None:
        job = queue.task(name="t", retry_backoff=60)(lambda: 1 / 0).delay()
        worker.run()
        assert (job.status, job.error, job.retry_count) == ("pending", None, 1)
        job.refresh()
        assert (job.started_at, job.completed_at) == (None, None)
        assert job.scheduled_at > worker.now
        assert "ZeroDivisionError" in job.errors[0]["error"]


class TestOrder:
    @pytest.fixture
    def ran(self) -> list[str]:
        return []

    @pytest.fixture
    def note(self, queue: Queue, ran: list[str]) -> TaskWrapper[..., Any]:
        return queue.task(name="note")(ran.append)

    def test_priority_then_due_time_then_age(
        self, worker: ManualWorker, note: TaskWrapper[..., Any], ran: list[str]
    ) -> None:
        note.options(delay=2).delay("later")
        note.options(delay=1).delay("sooner")
        note.options(priority=1, delay=3).delay("high")
        note.options(priority=-1).delay("low")
        worker.advance(5)
        note.delay("last")
        note.delay("very last")
        worker.run()
        assert ran == ["high", "sooner", "later", "last", "very last", "low"]

    def test_jobs_that_cannot_run_hide_nobody_in_any_number(
        self, queue: Queue, worker: ManualWorker, note: TaskWrapper[..., Any], ran: list[str]
    ) -> None:
        limited = queue.task(name="limited", rate_limit="1/h")(int)
        parent = queue.enqueue("unknown", priority=99)
        many: dict[str, Any] = {"priority": 99}
        queue.enqueue_many("unknown", [()] * 500, **many)
        queue.enqueue_many("note", [("not due",)] * 500, delay=3600, **many)
        queue.enqueue_many("note", [("waiting",)] * 500, depends_on=parent, **many)
        queue.enqueue_many("limited", [()] * 500, **many)
        note.options(priority=-99).delay("the one that can")
        worker.run(max_jobs=2)
        assert ran == ["the one that can"]
        assert limited.name == "limited"

    def test_queues_take_turns_whatever_their_priorities_and_numbers(
        self, worker: ManualWorker, note: TaskWrapper[..., Any], ran: list[str]
    ) -> None:
        note.options(queue="crowded", priority=99).map([("crowded",)] * 300)
        for name in ("a", "b"):
            note.options(queue=name).delay(name)
        worker.run(max_jobs=9)
        assert {"a", "b"} <= set(ran)


class TestClaims:
    def test_a_worker_holds_no_more_long_jobs_than_it_can_run(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        gate = threading.Event()
        jobs = queue.task(name="t")(lambda: gate.wait(30)).map([()] * 20)
        start_worker(workers=3)
        until(lambda: queue.stats()["running"] == 3)
        assert not jobs[3].wait(0.2)
        assert queue.stats()["running"] == 3
        gate.set()
        assert all(job.wait(30) for job in jobs)
