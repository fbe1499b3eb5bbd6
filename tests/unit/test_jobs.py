"""Handles on jobs, and the questions a queue answers."""

import json
from typing import Any

import pytest

from taskito import (
    JobNotFoundError,
    JobResult,
    MaxRetriesExceededError,
    Queue,
    ResultTimeout,
    SerializationError,
    TaskCancelledError,
    TaskFailedError,
)
from tests.unit.conftest import StartWorker

UNKNOWN = "01890000-0000-7000-8000-000000000000"


class TestRead:
    def test_a_new_job_is_pending(self, queue: Queue) -> None:
        job = queue.enqueue("t", [1])
        assert (job.status, job.progress, job.error, job.errors) == ("pending", None, None, [])
        assert (job.task_name, job.queue, job.retry_count, job.max_retries) == (
            "t",
            "default",
            0,
            3,
        )
        assert (job.started_at, job.completed_at, job.metadata) == (None, None, None)
        assert job.created_at == job.scheduled_at
        assert repr(job) == f"<JobResult id={job.id} status=pending>"

    def test_to_dict_has_exactly_the_documented_keys_and_is_json(self, queue: Queue) -> None:
        facts = queue.enqueue("t").to_dict()
        assert " ".join(facts) == (
            "id queue task_name status priority progress retry_count max_retries created_at "
            "scheduled_at started_at completed_at error timeout_ms unique_key metadata"
        )
        assert json.loads(json.dumps(facts)) == facts

    def test_status_is_live_and_facts_are_of_the_last_read(self, queue: Queue) -> None:
        job = queue.enqueue("t")
        assert job.completed_at is None
        queue.cancel_job(job.id)
        assert job.completed_at is None
        assert job.status == "cancelled"
        assert job.completed_at is not None

    def test_get_job_finds_by_id(self, queue: Queue) -> None:
        job = queue.enqueue("t")
        assert queue.get_job(job.id) == job
        assert queue.get_job(UNKNOWN) is None
        assert queue.get_job("no id at all") is None

    def test_handles_are_equal_by_id_and_to_nothing_else(self, queue: Queue) -> None:
        job, other = queue.enqueue("t"), queue.enqueue("t")
        assert job == queue.get_job(job.id)
        assert job != other
        assert job != job.id
        assert len({job, queue.get_job(job.id), other}) == 2

    def test_a_row_that_does_not_exist_is_named(self, queue: Queue) -> None:
        job: JobResult[Any] = JobResult(queue._database, queue.serializer, UNKNOWN)
        job.refresh()
        for read in (lambda: job.status, lambda: job.priority, job.result, job.to_dict):
            with pytest.raises(JobNotFoundError, match=f"^job not found: {UNKNOWN}$"):
                read()
        assert job.errors == []
        assert job.wait(0)


class TestList:
    def test_newest_first_with_limit_and_offset(self, queue: Queue) -> None:
        ids = [queue.enqueue("t").id for _ in range(4)]
        assert [job.id for job in queue.list_jobs()] == ids[::-1]
        assert [job.id for job in queue.list_jobs(limit=2, offset=1)] == [ids[2], ids[1]]
        assert queue.list_jobs(limit=0) == []

    def test_filters_by_status_queue_and_task(self, queue: Queue) -> None:
        job, other = queue.enqueue("t", queue="a"), queue.enqueue("u", queue="b")
        other.cancel()
        assert queue.list_jobs(status="pending") == [job]
        assert queue.list_jobs(status="cancelled") == [other]
        assert queue.list_jobs(queue="a") == [job]
        assert queue.list_jobs(task_name="u") == [other]
        assert queue.list_jobs("pending", "b") == []

    def test_completed_is_complete_and_failed_is_nothing(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        done = queue.task(name="t")(lambda: None).delay()
        start_worker()
        done.result()
        assert queue.list_jobs("complete") == queue.list_jobs("completed") == [done]
        assert queue.list_jobs("failed") == []

    @pytest.mark.parametrize("status", ["done", "", "PENDING"])
    def test_another_status_is_refused(self, queue: Queue, status: str) -> None:
        with pytest.raises(ValueError, match="status must be one of pending, running, complete"):
            queue.list_jobs(status)

    @pytest.mark.parametrize("call", ["list_jobs", "dead_letters"])
    @pytest.mark.parametrize("name", ["limit", "offset"])
    def test_negative_numbers_are_refused(self, queue: Queue, call: str, name: str) -> None:
        with pytest.raises(ValueError, match=f"{name} must be between 0"):
            getattr(queue, call)(**{name: -1})


class TestCount:
    def test_stats_have_exactly_six_keys(self, queue: Queue) -> None:
        queue.enqueue("t").cancel()
        queue.enqueue("t")
        assert queue.stats() == {
            "pending": 1,
            "running": 0,
            "completed": 0,
            "failed": 0,
            "dead": 0,
            "cancelled": 1,
        }
        assert list(queue.stats()) == [
            "pending",
            "running",
            "completed",
            "failed",
            "dead",
            "cancelled",
        ]


class TestCancel:
    def test_only_a_pending_job(self, queue: Queue, start_worker: StartWorker) -> None:
        job = queue.enqueue("t")
        assert queue.cancel_job(job.id)
        assert not queue.cancel_job(job.id)
        assert not queue.cancel_job(UNKNOWN)
        assert not job.cancel()
        done = queue.task(name="done")(lambda: None).delay()
        start_worker()
        done.result()
        assert not done.cancel()

    def test_result_says_so_at_once(self, queue: Queue) -> None:
        job = queue.enqueue("t")
        job.cancel()
        with pytest.raises(TaskCancelledError, match=f"^Job {job.id} cancelled"):
            job.result(timeout=None)


class TestRunNow:
    def test_only_a_job_that_waits_for_its_time(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        task = queue.task(name="t")(lambda: None)
        job = task.apply_async(delay=3600)
        assert queue.run_now(job.id)
        assert not queue.run_now(job.id)
        assert not queue.run_now(UNKNOWN)
        start_worker()
        job.result()
        assert not queue.run_now(job.id)

    def test_a_worker_that_sleeps_hears_of_it(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        task = queue.task(name="t")(lambda: None)
        start_worker()
        job = task.apply_async(delay=3600)
        assert queue.run_now(job.id)
        job.result(timeout=20)


class TestResult:
    def test_is_what_the_function_returned(self, queue: Queue, start_worker: StartWorker) -> None:
        task = queue.task(name="t")(lambda x: {"twice": [x, x]})
        start_worker()
        job = task.delay(4)
        assert job.result() == {"twice": [4, 4]}
        assert job.result(timeout=0) == {"twice": [4, 4]}
        assert job.status == "complete"

    def test_none_is_a_result(self, queue: Queue, start_worker: StartWorker) -> None:
        start_worker()
        assert queue.task(name="t")(lambda: None).delay().result() is None

    @pytest.mark.parametrize("timeout", [0, -1, 0.02])
    def test_the_deadline_passes(self, queue: Queue, timeout: float) -> None:
        job = queue.enqueue("t")
        message = (
            f"^Job {job.id} did not complete within {timeout}s \\(current status: pending\\)\n"
            "hint: no worker"
        )
        with pytest.raises(ResultTimeout, match=message) as caught:
            job.result(timeout=timeout, poll_interval=0.01, max_poll_interval=0.1)
        assert (caught.value.job_id, caught.value.status) == (job.id, "pending")
        assert not job.wait(timeout)

    def test_waiting_never_raises_for_a_failed_job(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        job = queue.task(name="t", max_retries=0)(lambda: 1 / 0).delay()
        start_worker()
        assert job.wait()
        assert job.status == "dead"

    def test_spent_retries_are_said_with_all_facts(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        @queue.task(name="t", max_retries=1, retry_backoff=0)
        def fail() -> None:
            raise LookupError("no such\nletter")

        job = fail.delay()
        start_worker()
        with pytest.raises(MaxRetriesExceededError) as caught:
            job.result()
        error = caught.value
        assert str(error).startswith(f"Job {job.id} dead: Traceback")
        assert (error.job_id, error.task_name, error.attempts) == (job.id, "t", 2)
        assert error.exception_type == "LookupError"
        assert error.error == job.error
        assert error.error.endswith("LookupError: no such\nletter")

    def test_a_failure_with_retries_left_is_another_error(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        job = queue.task(name="t", dont_retry_on=[ZeroDivisionError])(lambda: 1 / 0).delay()
        start_worker()
        with pytest.raises(TaskFailedError) as caught:
            job.result()
        assert type(caught.value) is TaskFailedError
        assert caught.value.attempts == 1

    def test_what_cannot_be_decoded_is_a_serialization_error(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        job = queue.task(name="t")(lambda: 1).delay()
        start_worker()
        job.wait()

        class Deaf:
            def dumps(self, _obj: Any, /) -> bytes:
                return b""

            def loads(self, _data: bytes, /) -> Any:
                raise ZeroDivisionError("lost")

        other: JobResult[Any] = JobResult(queue._database, Deaf(), job.id)
        with pytest.raises(
            SerializationError, match=f"result of job {job.id} cannot be decoded: l"
        ):
            other.result()

    @pytest.mark.parametrize("timeout", [float("nan"), float("inf")])
    def test_a_timeout_must_be_finite(self, queue: Queue, timeout: float) -> None:
        with pytest.raises(ValueError, match="timeout must be finite"):
            queue.enqueue("t").result(timeout=timeout)


class TestBury:
    def test_dead_letters_and_errors_have_the_documented_keys(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        task = queue.task(name="t", max_retries=1, retry_backoff=0)(lambda: 1 / 0)
        job = task.apply_async(metadata="m")
        start_worker()
        job.wait()
        (letter,) = queue.dead_letters()
        assert list(letter) == (
            [
                "id",
                "original_job_id",
                "queue",
                "task_name",
                "error",
                "retry_count",
                "failed_at",
                "metadata",
            ]
        )
        assert letter["original_job_id"] == job.id
        assert letter["metadata"] == "m"
        errors = queue.job_errors(job.id)
        assert [list(error) for error in errors] == 2 * [
            ["id", "job_id", "attempt", "error", "failed_at"]
        ]
        assert [error["attempt"] for error in errors] == [0, 1]
        assert job.errors == errors
        assert queue.job_errors(UNKNOWN) == []

    def test_retry_dead_makes_a_new_job_with_the_same_settings(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        broken = [True]

        @queue.task(name="t", max_retries=0)
        def sometimes(x: int) -> int:
            if broken:
                raise RuntimeError
            return x

        job = sometimes.options(priority=3, metadata="m").delay(5)
        start_worker()
        job.wait()
        broken.clear()
        (letter,) = queue.dead_letters()
        again = queue.get_job(queue.retry_dead(letter["id"]))
        assert again is not None
        assert again.result() == 5
        assert (again.priority, again.metadata, again.max_retries) == (3, "m", 0)
        assert queue.dead_letters() == []
        assert job.status == "dead"
