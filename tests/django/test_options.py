"""``OPTIONS`` of the backend."""

from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from taskito import Queue
from taskito.contrib.django.backend import TaskitoBackend
from taskito.testing._manual import ManualWorker
from tests.django.project.shop import tasks
from tests.django.project.tasks_api import (
    TaskResultStatus,
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
        settings = {"default": {"BACKEND": BACKEND, "OPTIONS": options}}
        with override_settings(TASKS=settings):
            result = tasks.add.enqueue(1)
            backend = task_backends["default"]
            assert isinstance(backend, TaskitoBackend)
            other = backend.queue
            assert other.get_job(result.id) is not None
            other.close()

        assert queue.get_job(result.id) is None
