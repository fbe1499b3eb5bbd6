"""What Django's tasks promise about enqueuing, asked of this backend."""

import asyncio
import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from taskito import Queue
from taskito.contrib.django.backend import TaskitoBackend
from taskito.exceptions import SerializationError
from taskito.testing._manual import ManualWorker
from tests.django.project.shop import tasks
from tests.django.project.tasks_api import (
    InvalidTask,
    TaskResultStatus,
    default_task_backend,
    task,
    task_backends,
)

READY, RUNNING = TaskResultStatus.READY, TaskResultStatus.RUNNING
SUCCESSFUL, FAILED = TaskResultStatus.SUCCESSFUL, TaskResultStatus.FAILED


class TestDescribe:
    def test_the_backend_says_that_it_can_do_everything(self) -> None:
        backend = task_backends["default"]

        assert isinstance(backend, TaskitoBackend)
        assert backend.supports_defer
        assert backend.supports_async_task
        assert backend.supports_get_result
        assert backend.supports_priority
        assert list(backend.check()) == []


class TestEnqueue:
    def test_what_is_returned_says_what_was_enqueued(self, queue: Queue) -> None:
        before = timezone.now()

        result = tasks.add.enqueue(1, b=2)

        assert (result.status, result.args, result.kwargs) == (READY, [1], {"b": 2})
        assert result.task == tasks.add
        assert result.backend == "default"
        assert isinstance(result.id, str)
        assert len(result.id) <= 64
        assert result.enqueued_at is not None
        assert before <= result.enqueued_at <= timezone.now()
        assert (result.started_at, result.finished_at, result.last_attempted_at) == (None,) * 3
        assert (result.errors, result.worker_ids, result.attempts) == ([], [], 0)
        assert not result.is_finished
        with pytest.raises(ValueError, match="has not finished"):
            _ = result.return_value
        assert queue.stats()["pending"] == 1

    def test_it_is_an_ordinary_job_too(self, queue: Queue) -> None:
        result = tasks.add.using(queue_name="mail", priority=7).enqueue(1)

        job = queue.get_job(result.id)
        assert job is not None
        assert (job.task_name, job.queue, job.priority) == (tasks.add.module_path, "mail", 7)
        assert queue.list_jobs(task_name=tasks.add.module_path) == [job]

    def test_a_coroutine_can_enqueue(self, worker: ManualWorker) -> None:
        result = asyncio.run(tasks.add.aenqueue(20, b=22))
        worker.run()
        asyncio.run(result.arefresh())

        assert result.return_value == 42
        assert asyncio.run(tasks.add.aget_result(result.id)).return_value == 42
        assert asyncio.run(default_task_backend.aget_result(result.id)).return_value == 42

    def test_arguments_become_json(self, worker: ManualWorker) -> None:
        given = {"tuple": (1, 2), "bytes": b"text", "deep": [{"key": None}], "float": 1.5}

        result = tasks.echo.enqueue(given)
        worker.run()
        result.refresh()

        expected = {"tuple": [1, 2], "bytes": "text", "deep": [{"key": None}], "float": 1.5}
        assert result.args == [expected]
        assert result.return_value == expected

    @pytest.mark.parametrize("value", [object(), {1, 2}, datetime(2026, 1, 1, tzinfo=UTC)])
    def test_what_is_no_json_is_refused_at_the_call(self, queue: Queue, value: object) -> None:
        with pytest.raises(TypeError, match="Unsupported type"):
            tasks.echo.enqueue(value)
        with pytest.raises(ValueError, match="Unsupported value"):
            tasks.echo.enqueue(value=b"\xff")
        with pytest.raises(SerializationError, match="echo"):
            tasks.echo.enqueue(float("nan"))

        assert queue.stats()["pending"] == 0

    def test_nothing_is_pickled(self, worker: ManualWorker, queue: Queue, tmp_path: Path) -> None:
        done = tasks.echo.enqueue([1, "é"])
        worker.run()

        connection = sqlite3.connect(queue.snapshot(tmp_path / "copy.db"))
        [(payload, result)] = connection.execute("SELECT payload, result FROM jobs")
        connection.close()

        assert json.loads(payload) == [[[1, "é"]], {}]
        assert json.loads(result) == [1, "é"]
        assert queue.get_job(done.id) is not None

    def test_jobs_of_the_queue_itself_keep_their_python_values(self, worker: ManualWorker) -> None:
        value = {"tuple": (1, 2), 3: {4, 5}}
        job = tasks.plain.delay(value)
        json_result = tasks.echo.enqueue((1, 2))

        worker.run()

        assert job.result(timeout=0) == value
        assert default_task_backend.get_result(json_result.id).return_value == [1, 2]


class TestValidate:
    def test_a_function_inside_another_is_refused(self) -> None:
        def local() -> None: ...

        with pytest.raises(InvalidTask, match="module level"):
            task(local)

    @pytest.mark.parametrize("priority", [-101, 101, 1.5])
    def test_a_priority_out_of_bounds_is_refused(self, priority: Any) -> None:
        with pytest.raises(InvalidTask, match="between -100 and 100"):
            tasks.add.using(priority=priority)

    @pytest.mark.parametrize("priority", [-100, 0, 100])
    def test_a_priority_within_bounds_is_accepted(self, priority: int) -> None:
        assert tasks.add.using(priority=priority).priority == priority

    def test_a_queue_that_is_not_configured_is_refused(self) -> None:
        with pytest.raises(InvalidTask, match="'unknown' is not valid"):
            tasks.add.using(queue_name="unknown")

    def test_without_queues_any_name_will_do(self, queue: Queue) -> None:
        result = tasks.fail_once.using(queue_name="whatever").enqueue()

        assert queue.list_jobs(queue="whatever")[0].id == result.id

    def test_a_naive_instant_is_refused(self) -> None:
        with pytest.raises(InvalidTask, match="aware"):
            tasks.add.using(run_after=datetime(2030, 1, 1))  # noqa: DTZ001 - that is the point

    def test_a_task_with_context_needs_a_parameter_for_it(self) -> None:
        with pytest.raises(InvalidTask, match="'context'"):
            task(takes_context=True)(_without_context)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    def test_a_valid_task_is_registered_with_the_queue(self, queue: Queue) -> None:
        assert tasks.add.module_path in queue._task_registry
        assert tasks.add.module_path == f"{tasks.__name__}.add"


def _without_context() -> None: ...
