"""What Django's tasks promise in public, asked of this backend. Long, as all of it is here."""

import asyncio
import json
import sqlite3
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.dispatch import Signal
from django.test import override_settings
from django.utils import timezone

from taskito import Queue
from taskito.contrib.django.backend import TaskitoBackend
from taskito.exceptions import SerializationError
from taskito.testing._manual import ManualWorker
from tests.django.project.shop import tasks
from tests.django.project.tasks_api import (
    AnyResult,
    InvalidTask,
    TaskResultDoesNotExist,
    TaskResultMismatch,
    TaskResultStatus,
    default_task_backend,
    task,
    task_backends,
    task_enqueued,
    task_finished,
    task_started,
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


class TestFind:
    def test_a_result_is_found_by_its_id(self, queue: Queue) -> None:
        result = tasks.add.using(priority=5, queue_name="mail").enqueue(1, b=2)

        for found in (tasks.add.get_result(result.id), default_task_backend.get_result(result.id)):
            assert found.id == result.id
            assert found.task.func is tasks.add.func
            assert (found.task.priority, found.task.queue_name) == (5, "mail")
            assert (found.args, found.kwargs, found.status) == ([1], {"b": 2}, READY)
            assert found.backend == found.task.backend == "default"
        assert queue.stats()["pending"] == 1

    @pytest.mark.parametrize("result_id", ["", "unknown", "01a2137f-2856-77a8-834a-554e45dd8392"])
    def test_an_unknown_id_is_no_result(self, queue: Queue, result_id: str) -> None:
        assert queue.stats()["pending"] == 0
        with pytest.raises(TaskResultDoesNotExist):
            default_task_backend.get_result(result_id)
        with pytest.raises(TaskResultDoesNotExist):
            asyncio.run(tasks.add.aget_result(result_id))

    def test_a_job_of_the_queue_itself_is_no_result(self, queue: Queue) -> None:
        with pytest.raises(TaskResultDoesNotExist):
            default_task_backend.get_result(queue.enqueue(tasks.plain.name, [1]).id)

    def test_the_result_of_another_task_does_not_match(self, queue: Queue) -> None:
        result = tasks.echo.enqueue(1)

        with pytest.raises(TaskResultMismatch, match="echo"):
            tasks.add.get_result(result.id)
        with pytest.raises(TaskResultMismatch, match="echo"):
            asyncio.run(tasks.add.aget_result(result.id))
        assert queue.stats()["pending"] == 1

    def test_refresh_copies_what_changes_and_nothing_else(self, worker: ManualWorker) -> None:
        result = tasks.fail_until.enqueue(2)
        kept = {"task", "id", "args", "kwargs", "backend"}
        before = {name: getattr(result, name) for name in kept}

        worker.run_until_idle()
        result.refresh()
        fresh = default_task_backend.get_result(result.id)

        assert {name: getattr(result, name) for name in kept} == before
        for field in fields(result):
            if field.name not in kept:
                assert getattr(result, field.name) == getattr(fresh, field.name), field.name

    def test_settings_may_have_changed_since(self, queue: Queue) -> None:
        result = tasks.add.using(queue_name="mail").enqueue(1)
        settings = {"default": {"BACKEND": _path(TaskitoBackend), "QUEUES": ["default"]}}

        with override_settings(TASKS=settings):
            assert tasks.add.get_result(result.id).task.queue_name == "mail"
        assert queue.stats()["pending"] == 1

    def test_a_task_that_is_gone_does_not_match(
        self, queue: Queue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        result = tasks.add.enqueue(1)
        known = dict(queue._tasks)
        del known[tasks.add.module_path]
        monkeypatch.setattr(queue, "_tasks", known)

        with pytest.raises(TaskResultMismatch, match=r"add'(.|\n)*hint:"):
            default_task_backend.get_result(result.id)

    def test_a_job_that_was_repeated_is_a_result_of_its_own(
        self, worker: ManualWorker, queue: Queue
    ) -> None:
        first = tasks.fail_once.enqueue()
        worker.run()
        revived = queue.retry_dead(queue.dead_letters()[0]["id"])
        replayed = queue.replay(tasks.add.enqueue(1).id).id
        worker.run()

        assert default_task_backend.get_result(first.id).status == FAILED
        assert default_task_backend.get_result(revived).id == revived
        assert default_task_backend.get_result(replayed).return_value == 1


def _path(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


class Heard:
    """What was sent: each with its name, result, sender, current exception and status then."""

    def __init__(self) -> None:
        self.all: list[tuple[str, AnyResult, type, BaseException | None, str]] = []
        self._receivers: list[tuple[Signal, Callable[..., None]]] = []

    def listen(self, name: str, signal: Signal) -> None:
        def hear(sender: type, task_result: AnyResult, **_: object) -> None:
            error = sys.exc_info()[1]
            self.all.append((name, task_result, sender, error, task_result.status))

        self._receivers.append((signal, hear))
        signal.connect(hear)

    def close(self) -> None:
        for signal, receiver in self._receivers:
            signal.disconnect(receiver)

    @property
    def names(self) -> list[str]:
        return [name for name, *_ in self.all]


@pytest.fixture
def heard() -> Iterator[Heard]:
    heard = Heard()
    for name, signal in (
        ("enqueued", task_enqueued),
        ("started", task_started),
        ("finished", task_finished),
    ):
        heard.listen(name, signal)
    yield heard
    heard.close()


class TestSignal:
    def test_the_life_of_a_task_is_told(self, worker: ManualWorker, heard: Heard) -> None:
        result = tasks.add.enqueue(1)
        assert heard.names == ["enqueued"]
        assert heard.all[0][1].status == READY
        worker.run()

        assert heard.names == ["enqueued", "started", "finished"]
        assert {sender for _, _, sender, *_ in heard.all} == {TaskitoBackend}
        assert [told.id for _, told, *_ in heard.all] == [result.id] * 3
        assert [status for *_, status in heard.all] == [READY, RUNNING, SUCCESSFUL]
        _, finished, _, error, _ = heard.all[-1]
        assert error is None
        assert (finished.status, finished.return_value) == (SUCCESSFUL, 1)
        assert finished.finished_at is not None

    def test_a_failure_is_told_while_its_exception_is_current(
        self, worker: ManualWorker, heard: Heard
    ) -> None:
        result = tasks.fail_once.enqueue()
        worker.run()

        assert heard.names == ["enqueued", "started", "finished"]
        _, told, _, error, _ = heard.all[-1]
        assert (told.id, told.status) == (result.id, FAILED)
        assert isinstance(error, tasks.OutOfStockError)
        assert error.__traceback__ is not None
        assert told.errors[0].exception_class is tasks.OutOfStockError

    def test_a_failure_with_a_retry_to_come_is_not_the_end(
        self, worker: ManualWorker, heard: Heard
    ) -> None:
        tasks.fail_until.enqueue(2)
        worker.run_until_idle()

        assert heard.names == ["enqueued", "started", "started", "finished"]
        assert [told.attempts for _, told, *_ in heard.all[1:]] == [1, 2, 2]

    def test_a_task_that_is_called_off_is_told_as_failed(
        self, worker: ManualWorker, heard: Heard
    ) -> None:
        tasks.call_off.enqueue()
        worker.run()

        assert heard.names[-1] == "finished"
        assert heard.all[-1][1].status == FAILED

    def test_a_receiver_that_raises_stops_nothing(
        self, worker: ManualWorker, heard: Heard, caplog: pytest.LogCaptureFixture
    ) -> None:
        def grumble(**_: object) -> None:
            raise RuntimeError("a receiver")

        task_started.connect(grumble)
        task_finished.connect(grumble)
        try:
            result = tasks.add.enqueue(1)
            worker.run()
        finally:
            task_started.disconnect(grumble)
            task_finished.disconnect(grumble)

        assert heard.names == ["enqueued", "started", "finished"]
        assert default_task_backend.get_result(result.id).return_value == 1
        assert "a receiver" in caplog.text


class TestOptions:
    def test_they_reach_the_job(self, queue: Queue, tmp_path: Path) -> None:
        options = {"max_retries": 7, "timeout": 2.5, "result_ttl": 60}
        settings = {"default": {"BACKEND": _path(TaskitoBackend), "OPTIONS": options}}
        with override_settings(TASKS=settings):
            result = tasks.add.enqueue(1)

        job = queue.get_job(result.id)
        assert job is not None
        assert (job.max_retries, job.to_dict()["timeout_ms"]) == (7, 2500)
        with queue._database as store:
            row = store.job(result.id)
        assert row is not None
        assert row.result_ttl_ms == 60_000
        assert list(tmp_path.glob("*.db")) == [tmp_path / "jobs.db"]

    def test_no_retries_are_no_retries(self, worker: ManualWorker) -> None:
        result = tasks.fail_once.enqueue()
        worker.run_until_idle()
        result.refresh()

        assert result.attempts == 1

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"max_retry": 1}, r"'max_retry'(.|\n)*hint: did you mean 'max_retries'"),
            ({"max_retries": "3"}, "max_retries in OPTIONS of TASKS"),
            ({"timeout": -1}, "timeout in OPTIONS of TASKS"),
            ({"db_path": 3}, "db_path in OPTIONS of TASKS"),
            ({"ENQUEUE_ON_COMMIT": 1}, "ENQUEUE_ON_COMMIT in OPTIONS of TASKS"),
        ],
    )
    def test_what_cannot_work_is_refused(self, options: dict[str, Any], message: str) -> None:
        with pytest.raises(ImproperlyConfigured, match=message):
            TaskitoBackend("mine", {"OPTIONS": options})

    def test_a_backend_may_have_a_database_of_its_own(self, queue: Queue, tmp_path: Path) -> None:
        options = {"db_path": tmp_path / "apart.db"}
        settings = {"default": {"BACKEND": _path(TaskitoBackend), "OPTIONS": options}}
        with override_settings(TASKS=settings):
            result = tasks.add.enqueue(1)
            backend = task_backends["default"]
            assert isinstance(backend, TaskitoBackend)
            other = backend.queue
            assert other.get_job(result.id) is not None
            other.close()

        assert queue.get_job(result.id) is None


class TestTestMode:
    def test_tasks_run_at_once_and_without_a_database(
        self, queue: Queue, heard: Heard, tmp_path: Path
    ) -> None:
        with queue.test_mode() as results:
            result = tasks.who_am_i.enqueue("ann")
            failed = tasks.fail.enqueue()
            found = tasks.who_am_i.get_result(result.id)

        assert result.status == SUCCESSFUL
        assert result.return_value["name"] == "ann"
        assert found.return_value == result.return_value
        assert (failed.status, failed.errors[0].exception_class) == (FAILED, tasks.OutOfStockError)
        assert heard.names == ["started", "finished", "enqueued"] * 2
        assert [one.task_name for one in results] == [
            tasks.who_am_i.module_path,
            tasks.fail.module_path,
        ]
        assert list(tmp_path.iterdir()) == []
