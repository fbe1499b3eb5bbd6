"""What Django's tasks promise about signals, also in test mode."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.dispatch import Signal

from taskito import Queue
from taskito.contrib.django.backend import TaskitoBackend
from taskito.testing._manual import ManualWorker
from tests.django.project.shop import tasks
from tests.django.project.tasks_api import (
    AnyResult,
    TaskResultStatus,
    default_task_backend,
    task_enqueued,
    task_finished,
    task_started,
)

READY, RUNNING = TaskResultStatus.READY, TaskResultStatus.RUNNING
SUCCESSFUL, FAILED = TaskResultStatus.SUCCESSFUL, TaskResultStatus.FAILED


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

    def test_a_job_that_was_enqueued_by_name_has_no_result(self, queue: Queue) -> None:
        with queue.test_mode() as results:
            queue.enqueue(tasks.add.module_path, [1])
            job = queue.enqueue(tasks.who_am_i.module_path, ["ann"])

        assert results[0].return_value == 1
        assert "there is no task context" in (job.error or "")
