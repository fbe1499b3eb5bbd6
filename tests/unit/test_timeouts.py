"""Attempts that run over their timeout."""

import threading
from collections.abc import Generator
from pathlib import Path

import pytest

from taskito import MaxRetriesExceededError, Queue, TaskFailedError, TaskTimeoutError


class Stuck:
    """Holds every function that calls it until it is let go."""

    def __init__(self) -> None:
        self.entered: list[str] = []
        self._arrivals = threading.Semaphore(0)
        self._gate = threading.Event()

    def hold(self, name: str) -> str:
        self.entered.append(name)
        self._arrivals.release()
        self._gate.wait(30)
        return name

    def wait_for(self, count: int) -> None:
        for _ in range(count):
            assert self._arrivals.acquire(timeout=30)

    def let_go(self) -> None:
        self._gate.set()


@pytest.fixture
def stuck() -> Generator[Stuck]:
    held = Stuck()
    yield held
    held.let_go()


@pytest.fixture
def queue(tmp_path: Path) -> Generator[Queue]:
    with Queue(tmp_path / "queue.db", workers=1, durability="normal") as queue:
        yield queue


def run(queue: Queue, **options: int) -> threading.Thread:
    thread = threading.Thread(target=queue.run_worker, kwargs=options)
    thread.start()
    return thread


class TestTimeout:
    def test_an_attempt_fails_when_its_timeout_is_over(self, queue: Queue, stuck: Stuck) -> None:
        hold = queue.task("hold", timeout=0.05, max_retries=0)(stuck.hold)
        run(queue)
        job = hold.delay("late")
        with pytest.raises(
            TaskFailedError, match=r"TaskTimeoutError: .*'hold'.* 0\.05 s"
        ) as raised:
            job.result(timeout=30)
        assert raised.value.exception_type == "TaskTimeoutError"
        (record,) = job.errors
        assert record["attempt"] == 0
        assert record["error"].startswith("TaskTimeoutError")

    def test_a_timeout_spends_a_retry(self, queue: Queue, stuck: Stuck) -> None:
        hold = queue.task("hold", timeout=0.05, max_retries=1, retry_backoff=0.01)(stuck.hold)
        run(queue)
        job = hold.delay("late")
        with pytest.raises(MaxRetriesExceededError):
            job.result(timeout=30)
        assert stuck.entered == ["late", "late"]
        assert [record["attempt"] for record in job.errors] == [0, 1]

    def test_the_retry_filters_know_it_by_its_class(self, queue: Queue, stuck: Stuck) -> None:
        hold = queue.task("hold", timeout=0.05, dont_retry_on=[TaskTimeoutError])(stuck.hold)
        run(queue)
        with pytest.raises(TaskFailedError) as raised:
            hold.delay("late").result(timeout=30)
        assert not isinstance(raised.value, MaxRetriesExceededError)
        assert stuck.entered == ["late"]

    def test_the_slot_is_free_for_the_next_job(self, queue: Queue, stuck: Stuck) -> None:
        hold = queue.task("hold", timeout=0.05, max_retries=0)(stuck.hold)
        echo = queue.task("echo")(str)
        run(queue)
        late = [hold.delay(str(number)) for number in range(3)]
        assert echo.delay("next").result(timeout=30) == "next"
        assert [job.wait(30) for job in late] == [True] * 3
        assert [job.status for job in late] == ["dead"] * 3

    def test_what_the_function_returns_later_is_dropped(self, queue: Queue, stuck: Stuck) -> None:
        hold = queue.task("hold", timeout=0.05, max_retries=0)(stuck.hold)
        echo = queue.task("echo")(str)
        worker = run(queue)
        job = hold.delay("late")
        assert job.wait(30)
        stuck.let_go()
        assert echo.delay("next").result(timeout=30) == "next"
        queue.shutdown(wait=True)
        worker.join()
        assert job.status == "dead"
        assert len(job.errors) == 1

    def test_no_timeout_means_no_limit(self, queue: Queue, stuck: Stuck) -> None:
        hold = queue.task("hold", timeout=0)(stuck.hold)
        late = queue.task("late", timeout=0.05, max_retries=0)(stuck.hold)
        run(queue, workers=2)
        job = hold.delay("patient")
        assert late.delay("late").wait(30)
        assert job.status == "running"
        stuck.let_go()
        assert job.result(timeout=30) == "patient"

    def test_a_call_may_have_a_timeout_of_its_own(self, queue: Queue, stuck: Stuck) -> None:
        hold = queue.task("hold", max_retries=0)(stuck.hold)
        run(queue)
        with pytest.raises(TaskFailedError, match=r"timeout of 0\.04 s"):
            hold.options(timeout=0.04).delay("late").result(timeout=30)

    def test_a_worker_with_too_many_abandoned_threads_claims_nothing(
        self, queue: Queue, stuck: Stuck, caplog: pytest.LogCaptureFixture
    ) -> None:
        hold = queue.task("hold", timeout=0.01, max_retries=0)(stuck.hold)
        echo = queue.task("echo")(str)
        run(queue)
        late = [hold.delay(str(number)) for number in range(32)]
        assert [job.wait(30) for job in late] == [True] * 32
        job = echo.delay("next")
        assert not job.wait(0.3)
        assert job.status == "pending"
        assert "nothing is claimed until one ends" in caplog.text
        stuck.let_go()
        assert job.result(timeout=30) == "next"

    def test_a_drain_does_not_wait_for_what_was_given_up(self, queue: Queue, stuck: Stuck) -> None:
        hold = queue.task("hold", timeout=0.05, max_retries=0)(stuck.hold)
        worker = run(queue)
        assert hold.delay("late").wait(30)
        queue.shutdown(wait=True)
        worker.join(timeout=30)
        assert not worker.is_alive()
