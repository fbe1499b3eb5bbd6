"""``manage.py taskito_worker``: real processes, really killed."""

import signal

import pytest

from taskito import Queue
from tests.django.project.shop import tasks
from tests.django.project.shop.views import files_of
from tests.django.project.tasks_api import AnyResult
from tests.django.support import PATIENCE, Project
from tests.support.until import until

# Several processes of Django, one after the other, on a busy machine.
pytestmark = pytest.mark.timeout(300)


def told(result: AnyResult) -> tuple[str, int, list[str], list[str]]:
    """What the database says about a result."""
    result.refresh()
    errors = [error.exception_class_path for error in result.errors]
    return str(result.status), result.attempts, errors, result.worker_ids


def said(project: Project, result: AnyResult) -> str:
    """What a receiver of ``task_finished`` in some worker noted."""
    file = project.home / f"told.{result.id}"
    return file.read_text() if file.exists() else "nothing yet"


def started(project: Project, name: str) -> list[int]:
    """Processes that have begun to run ``hold(name)``."""
    files = project.home.glob(f"{name}.*.started")
    return [int(file.name.split(".")[1]) for file in files]


class TestWork:
    def test_it_runs_what_another_process_enqueued(self, project: Project) -> None:
        plain, coroutine = tasks.add.enqueue(1, b=2), tasks.attempt_later.enqueue()
        failing = tasks.fail_once.enqueue()
        project.worker()

        assert project.ended(plain.id).status == "complete"
        assert project.ended(coroutine.id).status == "complete"
        assert project.ended(failing.id).status == "dead"
        [worker] = {row["worker_id"] for row in project.queue.workers()}
        assert told(plain) == ("SUCCESSFUL", 1, [], [worker])
        assert told(coroutine) == ("SUCCESSFUL", 1, [], [worker])
        path = f"{tasks.__name__}.OutOfStockError"
        assert told(failing) == ("FAILED", 1, [path], [worker])

    def test_results_of_many_are_complete_when_they_have_ended(self, project: Project) -> None:
        results = [tasks.fail_once.enqueue() if n % 5 else tasks.add.enqueue(n) for n in range(300)]
        project.worker()

        for result in results:
            project.ended(result.id)
            result.refresh()
            assert result.attempts == 1
            assert result.is_finished
            for error in result.errors:
                assert error.exception_class is tasks.OutOfStockError

    def test_it_says_what_it_serves_and_ends_at_a_signal(self, project: Project) -> None:
        worker = project.worker("--queues", "mail, default", "--workers", "1")
        until(lambda: "ready in" in worker.out, within=PATIENCE)
        worker.send(signal.SIGTERM)

        assert worker.wait(PATIENCE) == 0
        assert "1 thread" in worker.out
        assert "queues    mail default\n" in worker.out
        assert "tests.django.project.shop.tasks.add" in worker.out
        assert "Traceback" not in worker.err

    def test_a_second_signal_hands_back_at_once(self, project: Project) -> None:
        (project.home / "g.gate").touch()
        result = tasks.hold.enqueue("g")
        worker = project.worker("--drain-timeout", "600")
        until(lambda: started(project, "g"), within=PATIENCE)
        worker.send(signal.SIGINT)
        until(lambda: "finishing running jobs" in worker.err, within=PATIENCE)
        worker.send(signal.SIGINT)

        assert worker.wait(PATIENCE) == 128 + signal.SIGINT
        assert told(result) == ("READY", 0, [], [])

    def test_an_unknown_backend_is_named(self, project: Project) -> None:
        done = project.manage("taskito_worker", "--backend", "nope", status=1)

        assert "TASKS has no entry 'nope'" in done.err
        assert "hint: it has: default, quick, apart" in done.err

    def test_a_backend_with_its_own_database_has_its_own_worker(self, project: Project) -> None:
        worker = project.start("taskito_worker", "--backend", "apart")
        until(lambda: "ready in" in worker.out, within=PATIENCE)

        assert str(project.home / "apart.db") in worker.out
        assert not (project.home / "taskito.db").exists()
        with Queue(project.home / "apart.db", serializer=project.queue.serializer) as queue:
            job = queue.enqueue(tasks.apart.module_path)
            assert job.result(timeout=PATIENCE) == "done"

    def test_a_timeout_is_an_error_of_the_task(self, project: Project) -> None:
        result = tasks.sleep_long.enqueue()
        project.worker()

        assert project.ended(result.id).status == "dead"
        status, attempts, errors, _ = told(result)
        assert (status, attempts, errors) == (
            "FAILED",
            1,
            ["taskito.exceptions.TaskTimeoutError"],
        )


class TestRecover:
    def test_a_killed_worker_costs_no_retry_and_the_task_succeeds(self, project: Project) -> None:
        (project.home / "g.gate").touch()
        result = tasks.hold.enqueue("g")
        first = project.worker()
        until(lambda: started(project, "g") == [first.pid], within=PATIENCE)
        [first_id] = {row["worker_id"] for row in project.queue.workers()}
        second = project.worker()

        first.kill()

        until(lambda: len(started(project, "g")) == 2, within=PATIENCE)
        [second_id] = {row["worker_id"] for row in project.queue.workers()}
        assert told(result) == (
            "RUNNING",
            2,
            ["taskito.exceptions.WorkerLostError"],
            [first_id, second_id],
        )
        (project.home / "g.gate").unlink()
        done = project.ended(result.id)
        assert done.retry_count == 0
        assert told(result) == (
            "SUCCESSFUL",
            2,
            ["taskito.exceptions.WorkerLostError"],
            [first_id, second_id],
        )
        assert second.is_running()

    def test_a_task_that_kills_its_worker_is_told_as_failed_by_another(
        self, project: Project
    ) -> None:
        result = tasks.die.enqueue()
        assert project.start("taskito_worker").wait(PATIENCE) == 9
        project.worker()

        assert project.ended(result.id).status == "dead"
        lost = "taskito.exceptions.WorkerLostError"
        status, attempts, errors, workers = told(result)
        assert (status, attempts, errors) == ("FAILED", 1, [lost])
        assert workers != [row["worker_id"] for row in project.queue.workers()]
        until(lambda: said(project, result) == "FAILED WorkerLostError", within=PATIENCE)


class TestConnections:
    def test_a_job_uses_the_database_of_the_project(self, project: Project) -> None:
        project.manage("migrate", "--run-syncdb", "-v", "0")
        results: list[AnyResult] = [
            tasks.confirm.enqueue(project.order("ann")),
            tasks.confirm_later.enqueue(project.order("bob")),
            tasks.fail_once.enqueue(),
        ]
        worker = project.worker()

        until(lambda: project.orders() == [("ann", True), ("bob", True)], within=PATIENCE)
        ends = ["SUCCESSFUL None", "SUCCESSFUL None", "FAILED OutOfStockError"]
        until(lambda: [said(project, result) for result in results] == ends, within=PATIENCE)
        shop = str(project.home / "shop.sqlite3")
        until(lambda: shop not in files_of(worker.pid), within=PATIENCE)
