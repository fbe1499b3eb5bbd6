"""``manage.py taskito_worker``: real processes, really killed."""

import json
import re
import signal
from pathlib import Path

from tests.django.project.shop import tasks
from tests.django.support import Project
from tests.support.until import until

RESULT = (
    "import json; from tests.django.project.tasks_api import default_task_backend as backend;"
    " r = backend.get_result({!r}); print('result', json.dumps([r.status, r.attempts,"
    " [e.exception_class_path for e in r.errors], r.worker_ids]))"
)


def result_of(project: Project, result_id: str) -> tuple[str, int, list[str], list[str]]:
    """What another process of the project says about a result."""
    done = project.manage("shell", "-v", "0", "-c", RESULT.format(result_id))
    found = re.search(r"^result (.*)$", done.out, re.MULTILINE)
    assert found is not None, done.report()
    status, attempts, errors, workers = json.loads(found[1])
    return status, attempts, errors, workers


def started(project: Project, name: str) -> list[int]:
    """Processes that have begun to run ``hold(name)``."""
    files = project.home.glob(f"{name}.*.started")
    return [int(file.name.split(".")[1]) for file in files]


class TestWork:
    def test_it_runs_what_another_process_enqueued(self, project: Project) -> None:
        plain, coroutine, failing = project.enqueue(
            "add.enqueue(1, b=2)", "attempt_later.enqueue()", "fail_once.enqueue()"
        )
        project.worker()

        assert project.ended(plain).status == "complete"
        assert project.ended(coroutine).status == "complete"
        assert project.ended(failing).status == "dead"
        [worker] = {row["worker_id"] for row in project.queue.workers()}
        assert result_of(project, plain) == ("SUCCESSFUL", 1, [], [worker])
        path = f"{tasks.__name__}.OutOfStockError"
        assert result_of(project, failing) == ("FAILED", 1, [path], [worker])

    def test_it_says_what_it_serves_and_ends_at_a_signal(self, project: Project) -> None:
        worker = project.worker("--queues", "mail, default", "--workers", "1")
        until(lambda: "ready in" in worker.out, within=10)
        worker.send(signal.SIGTERM)

        assert worker.wait(10) == 0
        assert "1 thread" in worker.out
        assert "queues    mail default\n" in worker.out
        assert "tests.django.project.shop.tasks.add" in worker.out
        assert "Traceback" not in worker.err

    def test_a_second_signal_hands_back_at_once(self, project: Project) -> None:
        (project.home / "g.gate").touch()
        [job] = project.enqueue("hold.enqueue('g')")
        worker = project.worker("--drain-timeout", "60")
        until(lambda: started(project, "g"), within=10)
        worker.send(signal.SIGINT)
        until(lambda: "finishing running jobs" in worker.err, within=5)
        worker.send(signal.SIGINT)

        assert worker.wait(10) == 128 + signal.SIGINT
        assert result_of(project, job)[:3] == ("READY", 0, [])

    def test_an_unknown_backend_is_named(self, project: Project) -> None:
        done = project.manage("taskito_worker", "--backend", "nope", status=1)

        assert "TASKS has no entry 'nope'" in done.err
        assert "hint: it has: default, quick, apart" in done.err

    def test_a_backend_with_its_own_database_has_its_own_worker(self, project: Project) -> None:
        project.enqueue("apart.enqueue()")
        worker = project.start("taskito_worker", "--backend", "apart")
        until(lambda: "ready in" in worker.out, within=15)

        assert str(project.home / "apart.db") in worker.out
        assert not (project.home / "taskito.db").exists()

    def test_a_timeout_is_an_error_of_the_task(self, project: Project) -> None:
        [job] = project.enqueue("sleep_long.enqueue()")
        project.worker()

        assert project.ended(job).status == "dead"
        status, attempts, errors, _ = result_of(project, job)
        assert (status, attempts, errors) == (
            "FAILED",
            1,
            ["taskito.exceptions.TaskTimeoutError"],
        )


class TestRecover:
    def test_a_killed_worker_costs_no_retry_and_the_task_succeeds(self, project: Project) -> None:
        (project.home / "g.gate").touch()
        [job] = project.enqueue("hold.enqueue('g')")
        first = project.worker()
        until(lambda: started(project, "g") == [first.pid], within=10)
        [first_id] = {row["worker_id"] for row in project.queue.workers()}
        second = project.worker()

        first.kill()

        until(lambda: len(started(project, "g")) == 2, within=10)
        [second_id] = {row["worker_id"] for row in project.queue.workers()}
        assert result_of(project, job) == (
            "RUNNING",
            2,
            ["taskito.exceptions.WorkerLostError"],
            [first_id, second_id],
        )
        (project.home / "g.gate").unlink()
        done = project.ended(job)
        assert done.retry_count == 0
        assert result_of(project, job) == (
            "SUCCESSFUL",
            2,
            ["taskito.exceptions.WorkerLostError"],
            [first_id, second_id],
        )
        assert second.is_running()


class TestConnections:
    def test_a_job_uses_the_database_of_the_project(self, project: Project) -> None:
        project.manage("migrate", "--run-syncdb", "-v", "0")
        code = (
            "from tests.django.project.shop import tasks; from tests.django.project.shop.models"
            " import Order; print(tasks.confirm.enqueue(Order.objects.create(customer='ann').pk));"
            " print(tasks.confirm_later.enqueue(Order.objects.create(customer='bob').pk))"
        )
        project.manage("shell", "-v", "0", "-c", code)
        worker = project.worker()

        until(lambda: project.orders() == [("ann", True), ("bob", True)], within=15)
        shop = str(project.home / "shop.sqlite3")
        until(lambda: shop not in _files(worker.pid), within=5)


def _files(pid: int) -> list[str]:
    folder = Path(f"/proc/{pid}/fd")
    return [str(fd.readlink()) for fd in folder.iterdir() if fd.is_symlink()]
