"""The Flask extension, with real applications, queues and workers."""

import gc
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, current_app, g

from taskito import Queue
from taskito_flask import Taskito
from tests.support.until import until


def make_app(tmp_path: Path, name: str = "app") -> Flask:
    return Flask(name, instance_path=str(tmp_path / name))


@pytest.fixture
def taskito() -> Taskito:
    return Taskito()


@pytest.fixture
def app(tmp_path: Path, taskito: Taskito) -> Iterator[Flask]:
    app = make_app(tmp_path)
    taskito.init_app(app)
    yield app
    app.extensions["taskito"].queue.close()


def work_until(queue: Queue, *ids: str) -> None:
    """Run a worker in a thread until the jobs have ended."""
    worker = threading.Thread(target=queue.run_worker, daemon=True)
    worker.start()

    def all_ended() -> bool:
        jobs = [queue.get_job(job_id) for job_id in ids]
        return all(job and job.status in {"complete", "dead", "cancelled"} for job in jobs)

    try:
        until(all_ended, within=10)
    finally:
        queue.shutdown(wait=True)
        worker.join(timeout=10)


class TestInitApp:
    def test_it_opens_no_file(self, app: Flask) -> None:
        assert not Path(app.instance_path).exists()

    def test_the_database_is_in_the_instance_folder_unless_set(
        self, tmp_path: Path, taskito: Taskito
    ) -> None:
        default, configured = make_app(tmp_path, "default"), make_app(tmp_path, "configured")
        configured.config["TASKITO_DB_PATH"] = str(tmp_path / "elsewhere.db")

        for app in (default, configured):
            taskito.init_app(app)

        assert default.extensions["taskito"].queue.db_path == str(tmp_path / "default/taskito.db")
        assert configured.extensions["taskito"].queue.db_path == str(tmp_path / "elsewhere.db")

    def test_the_constructor_does_the_same(self, tmp_path: Path) -> None:
        app = make_app(tmp_path)

        assert Taskito(app).queue is app.extensions["taskito"].queue

    def test_settings_reach_the_queue(self, tmp_path: Path, taskito: Taskito) -> None:
        app = make_app(tmp_path)
        app.config["TASKITO_WORKERS"] = -1

        with pytest.raises(ValueError, match="TASKITO_WORKERS"):
            taskito.init_app(app)

    def test_twice_with_one_app_is_an_error(self, app: Flask, taskito: Taskito) -> None:
        with pytest.raises(RuntimeError, match=r"'app' already has(.|\n)*hint: .* once"):
            taskito.init_app(app)

    def test_an_app_that_nobody_holds_is_freed(self, tmp_path: Path, taskito: Taskito) -> None:
        app = make_app(tmp_path)
        taskito.init_app(app)
        alive = weakref.ref(app)

        del app
        gc.collect()

        assert alive() is None


class TestDeclare:
    def test_a_task_stays_a_function(self, taskito: Taskito) -> None:
        @taskito.task
        def double(x: int) -> int:
            """Twice."""
            return 2 * x

        assert double(4) == 8
        assert double.__doc__ == "Twice."
        assert double.name.endswith("double")

    def test_options_and_name_are_those_of_the_queue(
        self, tmp_path: Path, taskito: Taskito
    ) -> None:
        @taskito.task("mail.send", max_retries=7, queue="mail")
        def send() -> None: ...

        taskito.init_app(make_app(tmp_path))
        with taskito.queue as queue:
            job = queue.get_job(send.delay().id)

            assert job is not None
            assert (job.task_name, job.queue) == ("mail.send", "mail")
            assert job.to_dict()["max_retries"] == 7

    def test_an_unknown_option_is_refused_at_once(self, taskito: Taskito) -> None:
        mistake: dict[str, Any] = {"retries": 7}

        with pytest.raises(TypeError, match="retries"):
            taskito.task(**mistake)

    def test_a_coroutine_function_runs_in_the_context_of_the_app(
        self, app: Flask, taskito: Taskito
    ) -> None:
        @taskito.task
        async def name() -> str:
            return current_app.import_name

        job = name.delay()
        work_until(taskito.queue, job.id)

        found: object = job.result(timeout=5)
        assert found == app.import_name

    def test_a_task_declared_after_the_app_belongs_to_it_too(
        self, app: Flask, taskito: Taskito
    ) -> None:
        @taskito.task
        def late() -> str:
            return "in time"

        job = late.delay()
        work_until(taskito.queue, job.id)

        assert app.extensions["taskito"].queue is taskito.queue
        assert job.result(timeout=5) == "in time"

    def test_arguments_that_do_not_fit_the_function_are_refused(
        self, app: Flask, taskito: Taskito
    ) -> None:
        @taskito.task
        def send(address: str) -> None: ...

        with pytest.raises(TypeError):
            send.delay("a", "b")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        assert app.extensions["taskito"].queue.stats()["pending"] == 0


class TestResolve:
    def test_without_any_app_it_says_what_to_do(self, taskito: Taskito) -> None:
        with pytest.raises(RuntimeError, match=r"not bound(.|\n)*hint: call init_app"):
            _ = taskito.queue

    def test_the_only_app_needs_no_context(self, app: Flask, taskito: Taskito) -> None:
        assert taskito.queue is app.extensions["taskito"].queue

    def test_of_several_apps_the_current_one_counts(self, tmp_path: Path, taskito: Taskito) -> None:
        @taskito.task
        def ping() -> None: ...

        apps = [make_app(tmp_path, name) for name in ("one", "two")]
        for app in apps:
            taskito.init_app(app)
        for app in apps:
            with app.app_context():
                ping.delay()
                assert taskito.queue is app.extensions["taskito"].queue

        queues = [app.extensions["taskito"].queue for app in apps]
        assert [queue.stats()["pending"] for queue in queues] == [1, 1]
        for queue in queues:
            queue.close()

    def test_several_apps_and_no_context_is_an_error(
        self, tmp_path: Path, taskito: Taskito
    ) -> None:
        apps = [make_app(tmp_path, name) for name in ("one", "two")]
        for app in apps:
            taskito.init_app(app)

        with pytest.raises(RuntimeError, match=r"2 applications(.|\n)*hint: .*app_context"):
            _ = taskito.queue

    def test_an_app_of_another_extension_is_an_error(self, app: Flask, tmp_path: Path) -> None:
        other = Taskito(make_app(tmp_path, "other"))

        with (
            app.app_context(),
            pytest.raises(RuntimeError, match=r"'app' has no queue of this(.|\n)*hint:"),
        ):
            _ = other.queue


class TestRun:
    def test_each_attempt_has_a_fresh_context_of_its_own_app(
        self, app: Flask, taskito: Taskito
    ) -> None:
        torn_down: list[int] = []
        contexts: list[object] = []

        @app.teardown_appcontext
        def note(_: BaseException | None) -> None:
            torn_down.append(g.number)

        @taskito.task(max_retries=0)
        def work(number: int) -> str:
            assert "number" not in g, "the context of another job"
            g.number = number
            contexts.append(g._get_current_object())
            return current_app.name

        with app.app_context():
            g.number = -1
            jobs = work.map([(0,), (1,), (2,)])
            work_until(taskito.queue, *(job.id for job in jobs))
            assert [job.result(timeout=5) for job in jobs] == ["app"] * 3
            assert sorted(torn_down) == [0, 1, 2]
        assert len({id(context) for context in contexts}) == 3

    def test_a_failing_attempt_leaves_its_context_too(self, app: Flask, taskito: Taskito) -> None:
        seen: list[str] = []

        @app.teardown_appcontext
        def note(error: BaseException | None) -> None:
            seen.append(repr(error))

        @taskito.task(max_retries=1, retry_backoff=0)
        def fail() -> None:
            raise ValueError("no")

        job = fail.delay()
        work_until(taskito.queue, job.id)

        assert seen == ["ValueError('no')"] * 2

    def test_a_task_can_enqueue_another(self, app: Flask, taskito: Taskito) -> None:
        @taskito.task
        def second() -> str:
            return current_app.name

        @taskito.task
        def first() -> str:
            return second.delay().id

        job = first.delay()
        work_until(taskito.queue, job.id)
        second_id = job.result(timeout=5)
        work_until(taskito.queue, second_id)
        found = taskito.queue.get_job(second_id)

        assert found is not None
        assert found.result(timeout=5) == app.name
