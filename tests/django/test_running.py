"""What Django's tasks promise about running, and failing, asked of this backend."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone

from taskito import Queue, Retry
from taskito.testing._manual import ManualWorker
from tests.django.project.shop import tasks
from tests.django.project.tasks_api import (
    TaskResultStatus,
    default_task_backend,
)

READY, RUNNING = TaskResultStatus.READY, TaskResultStatus.RUNNING
SUCCESSFUL, FAILED = TaskResultStatus.SUCCESSFUL, TaskResultStatus.FAILED


class TestRun:
    def test_a_result_has_what_the_function_returned(self, worker: ManualWorker) -> None:
        result = tasks.add.enqueue(1, b=2)
        [job] = worker.run()

        assert job.id == result.id
        assert result.status == READY
        result.refresh()
        assert result.status == SUCCESSFUL
        assert result.is_finished
        assert result.return_value == 3
        assert result.attempts == 1
        assert len(result.worker_ids) == 1
        assert result.enqueued_at is not None
        assert result.started_at is not None
        assert result.started_at == result.last_attempted_at
        assert result.finished_at is not None
        assert result.enqueued_at <= result.started_at <= result.finished_at

    def test_priorities_decide_the_order(self, worker: ManualWorker) -> None:
        low = tasks.add.using(priority=-100).enqueue(1)
        high = tasks.add.using(priority=100).enqueue(1)
        middle = tasks.add.enqueue(1)

        assert [job.id for job in worker.run()] == [high.id, middle.id, low.id]

    def test_a_deferred_task_waits_for_its_time(self, worker: ManualWorker) -> None:
        when = timezone.now() + timedelta(minutes=10)
        result = tasks.add.using(run_after=when).enqueue(1)

        assert worker.run() == []
        result.refresh()
        assert result.status == READY
        worker.advance(590)
        assert worker.run() == []
        worker.advance(20)
        assert [job.id for job in worker.run()] == [result.id]
        assert tasks.add.get_result(result.id).task.run_after == when

    def test_an_instant_of_the_past_is_now(self, worker: ManualWorker) -> None:
        past = timezone.now() - timedelta(days=1)
        result = tasks.add.using(run_after=past).enqueue(1)

        assert [job.id for job in worker.run()] == [result.id]

    @override_settings(USE_TZ=False)
    def test_without_time_zones_instants_are_local(self, worker: ManualWorker) -> None:
        now = timezone.now()
        result = tasks.add.using(run_after=now + timedelta(seconds=60)).enqueue(1)
        worker.advance(55)
        assert worker.run() == []
        worker.advance(10)
        worker.run()
        result.refresh()

        assert result.finished_at is not None
        assert result.finished_at.tzinfo is None
        assert timedelta() < result.finished_at - now < timedelta(minutes=5)

    def test_a_coroutine_function_runs(self, worker: ManualWorker) -> None:
        ids = [tasks.add_later.enqueue(1, 2).id, tasks.attempt_later.enqueue().id]
        worker.run()

        assert [default_task_backend.get_result(i).return_value for i in ids] == [3, 1]

    def test_a_task_may_take_its_context(self, worker: ManualWorker) -> None:
        result = tasks.who_am_i.enqueue("ann")
        worker.run()
        result.refresh()

        assert result.return_value == {
            "id": result.id,
            "attempt": 1,
            "status": "RUNNING",
            "args": ["ann"],
            "name": "ann",
            "workers": result.worker_ids,
        }

    def test_the_function_can_still_be_called(self) -> None:
        assert tasks.add.call(1, b=2) == 3
        later: Any = asyncio.run(tasks.add_later.acall(1, 2))
        assert later == 3

    def test_a_job_for_a_task_nobody_has_waits(self, worker: ManualWorker, queue: Queue) -> None:
        job = queue.enqueue("nobody.has_it")

        assert worker.run() == []
        assert job.status == "pending"


class TestFail:
    def test_an_exception_is_recorded_when_no_retry_is_left(self, worker: ManualWorker) -> None:
        result = tasks.fail_once.enqueue()
        worker.run()
        result.refresh()

        assert result.status == FAILED
        assert result.is_finished
        [error] = result.errors
        assert error.exception_class is tasks.OutOfStockError
        assert error.exception_class_path == f"{tasks.__name__}.OutOfStockError"
        assert error.traceback.startswith("Traceback (most recent call last):\n")
        assert error.traceback.rstrip().endswith("OutOfStockError: once")
        assert "taskito/contrib" not in error.traceback
        with pytest.raises(ValueError, match="Task failed"):
            _ = result.return_value

    def test_an_attempt_that_fails_is_repeated(self, worker: ManualWorker) -> None:
        result = tasks.fail_until.enqueue(3)
        worker.run()

        result.refresh()
        assert (result.status, result.attempts, len(result.errors)) == (READY, 1, 1)
        worker.run_until_idle()
        result.refresh()
        assert (result.status, result.return_value) == (SUCCESSFUL, 3)
        assert result.attempts == len(result.worker_ids) == 3
        assert [error.exception_class for error in result.errors] == [tasks.OutOfStockError] * 2
        assert result.started_at is not None
        assert result.last_attempted_at is not None
        assert result.started_at < result.last_attempted_at

    def test_there_is_an_error_for_every_attempt(self, worker: ManualWorker) -> None:
        result = tasks.fail.enqueue("a\nValueError: not this one\n")
        worker.run_until_idle()
        result.refresh()

        assert (result.status, result.attempts, len(result.errors)) == (FAILED, 4, 4)
        assert {error.exception_class for error in result.errors} == {tasks.OutOfStockError}

    def test_a_coroutine_that_fails_is_recorded_likewise(self, worker: ManualWorker) -> None:
        result = tasks.fail_later.enqueue()
        worker.run_until_idle()
        result.refresh()

        assert (result.status, len(result.errors)) == (FAILED, 4)
        assert result.errors[-1].exception_class is tasks.OutOfStockError

    def test_a_result_that_is_no_json_fails_the_attempt(self, worker: ManualWorker) -> None:
        result = tasks.unspeakable.enqueue()
        worker.run_until_idle()
        result.refresh()

        assert result.status == FAILED
        assert result.errors[0].exception_class is TypeError

    def test_arguments_that_do_not_fit_fail_the_attempt(self, worker: ManualWorker) -> None:
        wrong: dict[str, Any] = {"wrong": 1}
        result = tasks.add.enqueue(**wrong)
        worker.run_until_idle()
        result.refresh()

        assert result.errors[0].exception_class is TypeError

    def test_a_task_that_exits_fails_and_not_its_worker(self, worker: ManualWorker) -> None:
        result = tasks.leave.enqueue()
        worker.run_until_idle()
        result.refresh()

        assert (result.status, result.attempts) == (FAILED, 4)
        assert result.errors[0].exception_class is SystemExit

    def test_a_task_that_was_called_off_has_failed(
        self, worker: ManualWorker, queue: Queue
    ) -> None:
        pending, running = tasks.add.enqueue(1), tasks.call_off.enqueue()
        assert queue.cancel_job(pending.id)
        worker.run()

        for result in (pending, running):
            result.refresh()
            assert result.status == FAILED
            assert result.errors == []
        assert (pending.attempts, running.attempts) == (0, 1)

    def test_a_task_may_say_how_its_attempt_ends(self, worker: ManualWorker) -> None:
        result = tasks.come_back.enqueue()
        worker.run()

        result.refresh()
        assert (result.status, result.attempts, result.errors) == (READY, 0, [])
        worker.run_until_idle()
        result.refresh()
        assert (result.status, result.return_value) == (SUCCESSFUL, "done")
        assert result.attempts == len(result.errors) + 1 == 2
        assert result.errors[0].exception_class is Retry
