"""``Retry``, ``Snooze`` and ``Cancel``: a task says itself how its attempt ends."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from taskito import (
    Cancel,
    MaxRetriesExceededError,
    Queue,
    Retry,
    Snooze,
    TaskCancelledError,
    TaskFailedError,
    TaskWrapper,
)
from taskito.testing._manual import ManualWorker, manual_worker

Register = Callable[..., TaskWrapper[..., Any]]


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    with Queue(tmp_path / "jobs.db", durability="normal") as queue:
        yield queue


@pytest.fixture
def worker(queue: Queue) -> Iterator[ManualWorker]:
    """Runs jobs at a time that the test moves."""
    with manual_worker(queue) as worker:
        yield worker


@pytest.fixture(params=["plain", "async"])
def register(request: pytest.FixtureRequest, queue: Queue) -> Register:
    """Make a task that raises the next of these at each attempt, and returns in the end."""

    def register(*errors: BaseException, **options: Any) -> TaskWrapper[..., Any]:
        left = list(errors)

        def run() -> str:
            if left:
                raise left.pop(0)
            return "done"

        async def arun() -> str:
            await asyncio.sleep(0)
            return run()

        function: Any = run if request.param == "plain" else arun
        task: TaskWrapper[..., Any] = queue.task(name="t", **options)(function)
        return task

    return register


class TestRetry:
    def test_it_waits_exactly_as_long_as_it_says_and_spends_an_attempt(
        self, register: Register, worker: ManualWorker
    ) -> None:
        job = register(Retry(12.345, "the service is busy"), retry_backoff=1).delay()
        worker.run()
        assert (job.status, job.retry_count) == ("pending", 1)
        assert job.scheduled_at - worker.now == 12_345
        (error,) = job.errors
        assert error["attempt"] == 0
        assert error["error"].endswith("taskito.exceptions.Retry: the service is busy")
        worker.advance(12.345)
        assert worker.run() == [job]
        assert job.result(0) == "done"

    def test_without_a_delay_it_waits_as_the_task_says(
        self, register: Register, worker: ManualWorker
    ) -> None:
        job = register(Retry(), retry_delays=[7]).delay()
        worker.run()
        assert job.scheduled_at - worker.now == 7000

    def test_zero_and_less_is_at_once(self, register: Register, worker: ManualWorker) -> None:
        job = register(Retry(0), Retry(-5)).delay()
        assert worker.run() == [job] * 3
        assert job.result(0) == "done"

    def test_filters_do_not_apply_to_it(self, register: Register, worker: ManualWorker) -> None:
        task = register(Retry(0), Retry(0), retry_on=[OSError], dont_retry_on=[Retry])
        job = task.delay()
        worker.run()
        assert job.result(0) == "done"

    def test_with_no_attempt_left_the_job_is_dead(
        self, register: Register, queue: Queue, worker: ManualWorker
    ) -> None:
        job = register(Retry(0), Retry(0, "again"), max_retries=1).delay()
        worker.run()
        assert job.status == "dead"
        (letter,) = queue.dead_letters()
        assert letter["error"].endswith("Retry: again")
        with pytest.raises(MaxRetriesExceededError, match="Retry: again"):
            job.result(0)


class TestSnooze:
    def test_it_comes_back_as_if_it_had_not_run(
        self, register: Register, worker: ManualWorker
    ) -> None:
        job = register(*[Snooze(60, "not yet")] * 5, max_retries=0).delay()
        for _ in range(5):
            assert worker.run() == [job]
            assert (job.status, job.retry_count, job.errors) == ("pending", 0, [])
            assert job.scheduled_at - worker.now == 60_000
            worker.advance(60)
        worker.run()
        assert job.result(0) == "done"


class TestCancel:
    @pytest.mark.parametrize(
        ("error", "text"),
        [
            (Cancel("nobody wants it"), "nobody wants it"),
            (Cancel(), "cancelled by task"),
            (TaskCancelledError("whatever"), "cancelled by request"),
        ],
        ids=["with a reason", "without", "as if requested"],
    )
    def test_the_job_ends_cancelled_with_what_depends_on_it(
        self,
        register: Register,
        queue: Queue,
        worker: ManualWorker,
        error: BaseException,
        text: str,
    ) -> None:
        job = register(error, max_retries=3, retry_on=[BaseException]).delay()
        after = queue.enqueue("t", depends_on=job.id)
        worker.run()
        assert (job.status, job.error, job.errors) == ("cancelled", text, [])
        assert (after.status, after.error) == ("cancelled", f"dependency cancelled: {job.id}")
        with pytest.raises(TaskCancelledError, match=f"{job.id} cancelled: {text}"):
            job.result(0)


class TestMisuse:
    @pytest.mark.parametrize(
        "raise_it",
        [lambda: Retry("soon"), lambda: Snooze(float("nan")), lambda: Cancel(5)],  # type: ignore[arg-type]
        ids=["retry", "snooze", "cancel"],
    )
    def test_a_bad_argument_fails_the_attempt(
        self, queue: Queue, worker: ManualWorker, raise_it: Callable[[], BaseException]
    ) -> None:
        def wrong() -> None:
            raise raise_it()

        job = queue.task(max_retries=0)(wrong).delay()
        worker.run()
        with pytest.raises(TaskFailedError, match=r"(Type|Value)Error: (delay|seconds|reason) "):
            job.result(0)

    def test_a_subclass_that_lost_its_facts_fails_the_attempt(
        self, queue: Queue, worker: ManualWorker
    ) -> None:
        class Forgetful(Snooze):
            def __init__(self) -> None:
                """Leave out what counts."""

        def forget() -> None:
            raise Forgetful

        job = queue.task(max_retries=0)(forget).delay()
        worker.run()
        assert job.status == "dead"


class TestDelays:
    def test_the_nth_retry_waits_the_nth_entry_and_the_last_one_repeats(
        self, register: Register, worker: ManualWorker
    ) -> None:
        task = register(*[OSError()] * 4, max_retries=4, retry_delays=[5, 0.5, 60], retry_backoff=9)
        job = task.delay()
        waits: list[int] = []
        for _ in range(4):
            worker.run()
            waits.append(job.to_dict()["scheduled_at"] - worker.now)
            worker.advance(waits[-1] / 1000)
        assert waits == [5000, 500, 60_000, 60_000]
        worker.run()
        assert job.result(0) == "done"


def test_log_records_of_a_job_say_whose_they_are(
    register: Register, worker: ManualWorker, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "taskito"):
        errors = [OSError("x"), Snooze(0, "later"), Cancel("enough")]
        job = register(*errors, retry_backoff=0, queue="mail").delay()
        worker.run()
    assert [record.levelname for record in caplog.records] == ["INFO", "DEBUG", "INFO"]
    assert [record.message for record in caplog.records] == [
        f"t failed, attempt 1 of 4, job {job.id}: OSError: x",
        f"t snoozed for 0.000 s, job {job.id}: Snooze: later",
        f"t cancelled, job {job.id}: enough",
    ]
    for record in caplog.records:
        about: Any = record
        assert record.name == "taskito"
        assert (about.job_id, about.task_name, about.queue) == (job.id, "t", "mail")
