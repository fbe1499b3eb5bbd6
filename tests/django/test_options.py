"""``OPTIONS`` of the backend."""

from pathlib import Path
from typing import Any

import pytest
from django import VERSION
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from taskito import Queue
from taskito.contrib.django.backend import TaskitoBackend
from taskito.testing._manual import ManualWorker
from tests.django.project.shop import tasks
from tests.django.project.tasks_api import (
    InvalidTask,
    TaskResultStatus,
    task,
    task_backends,
)

READY, RUNNING = TaskResultStatus.READY, TaskResultStatus.RUNNING
SUCCESSFUL, FAILED = TaskResultStatus.SUCCESSFUL, TaskResultStatus.FAILED
BACKEND = "taskito.contrib.django.backend.TaskitoBackend"


class TestOptions:
    def test_they_reach_the_job(self, queue: Queue, tmp_path: Path) -> None:
        options = {"max_retries": 7, "timeout": 2.5, "result_ttl": 60}
        settings = {"default": {"BACKEND": BACKEND, "OPTIONS": options}}
        with override_settings(TASKS=settings):
            result = tasks.add.enqueue(1)

        assert settings_of(queue, result.id) == (7, 2500, 60_000)
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
        settings = {"default": {"BACKEND": BACKEND, "OPTIONS": options}}
        with override_settings(TASKS=settings):
            result = tasks.add.enqueue(1)
            backend = task_backends["default"]
            assert isinstance(backend, TaskitoBackend)
            other = backend.queue
            assert other.get_job(result.id) is not None
            other.close()

        assert queue.get_job(result.id) is None


def settings_of(queue: Queue, job_id: str) -> tuple[int, int, int | None]:
    """Retries, and the milliseconds of the timeout and of the retention of a job."""
    with queue._database as store:
        row = store.job(job_id)
    assert row is not None
    return row.max_retries, row.timeout_ms, row.result_ttl_ms


class TestTask:
    @pytest.mark.skipif(VERSION[:2] == (6, 0), reason="its decorator takes no more arguments")
    def test_it_may_have_settings_of_its_own(self, queue: Queue) -> None:
        decorate: Any = task(max_retries=9, timeout=1.5, result_ttl=60)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
        patient = decorate(tasks.add.func)

        assert settings_of(queue, patient.enqueue(1).id) == (9, 1500, 60_000)
        assert (patient.max_retries, patient.timeout, patient.result_ttl) == (9, 1.5, 60)

    def test_they_can_be_given_where_it_is_enqueued(self, queue: Queue) -> None:
        add: Any = tasks.add
        once = add.using(max_retries=0, timeout=2, priority=5)
        again = once.using(result_ttl=1, queue_name="mail")

        assert settings_of(queue, once.enqueue(1).id) == (0, 2000, None)
        assert settings_of(queue, again.enqueue(1).id) == (0, 2000, 1000)
        assert (again.priority, again.queue_name, add.max_retries) == (5, "mail", None)

    def test_what_it_does_not_set_is_that_of_its_backend(self, queue: Queue) -> None:
        options = {"max_retries": 7, "timeout": 2.5}
        add: Any = tasks.add
        with override_settings(TASKS={"default": {"BACKEND": BACKEND, "OPTIONS": options}}):
            result = add.using(max_retries=0).enqueue(1)

        assert settings_of(queue, result.id) == (0, 2500, None)

    @pytest.mark.parametrize("changes", [{"max_retries": -1}, {"timeout": "5"}, {"result_ttl": -1}])
    def test_what_cannot_work_is_refused_with_its_name(self, changes: dict[str, Any]) -> None:
        add: Any = tasks.add
        (name,) = changes

        with pytest.raises(InvalidTask, match=f"{name} of task '{tasks.add.module_path}' must"):
            add.using(**changes)
