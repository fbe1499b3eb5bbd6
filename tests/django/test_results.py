"""What Django's tasks promise about results, asked of this backend."""

import asyncio
from dataclasses import fields

import pytest
from django.test import override_settings

from taskito import Queue
from taskito.testing._manual import ManualWorker
from tests.django.project.shop import tasks
from tests.django.project.tasks_api import (
    TaskResultDoesNotExist,
    TaskResultMismatch,
    TaskResultStatus,
    default_task_backend,
)

READY, RUNNING = TaskResultStatus.READY, TaskResultStatus.RUNNING
SUCCESSFUL, FAILED = TaskResultStatus.SUCCESSFUL, TaskResultStatus.FAILED
BACKEND = "taskito.contrib.django.backend.TaskitoBackend"


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

    def test_a_key_of_a_job_is_not_the_id_of_a_result(self, queue: Queue) -> None:
        job = queue.enqueue(tasks.add.module_path, [1], idempotency_key="order-7")

        assert default_task_backend.get_result(job.id).id == job.id

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
        settings = {"default": {"BACKEND": BACKEND, "QUEUES": ["default"]}}

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
