"""The pytest plugin, used as a program's tests use it."""

import importlib
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

pytest_plugins = ["pytester"]
importlib.import_module("taskito_core")  # for good: pytester forgets what its runs load

RunTests: TypeAlias = Callable[..., pytest.RunResult]
# The plugin by its module, so that it need not be installed; without the plugins of our tests.
PLUGINS = ("-p", "no:taskito", "-p", "taskito.pytest_plugin", "-p", "no:randomly")
APP = """
from taskito import Queue

queue = Queue("own.db")

@queue.task(name="greet")
def greet(name):
    return f"hello, {name}"
"""


@pytest.fixture
def run_tests(pytester: pytest.Pytester) -> RunTests:
    """Run tests in this process; ``ini`` is ``taskito_app``."""

    def run(source: str, *args: str, app: str = "") -> pytest.RunResult:
        pytester.makepyfile(source)
        pytester.makeini(f"[pytest]\ntaskito_app = {app}" if app else "[pytest]")
        return pytester.runpytest_inprocess(*PLUGINS, *args)

    return run


class TestPlugin:
    def test_pytest_finds_it(self) -> None:
        project = Path(__file__).parents[2] / "packages" / "taskito" / "pyproject.toml"
        entry_points = tomllib.loads(project.read_text())["project"]["entry-points"]
        assert entry_points["pytest11"] == {"taskito": "taskito.pytest_plugin"}

    def test_loading_it_loads_neither_the_engine_nor_what_fixtures_need(self) -> None:
        code = (
            "import sys, pytest\n"
            "before = set(sys.modules)\n"
            "import taskito.pytest_plugin\n"
            "new = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
            "print(new & {'taskito_core', 'cloudpickle', 'asyncio', 'argparse', 'sqlite3'})\n"
            "print('taskito.cli' in sys.modules)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False
        )
        assert (done.stdout, done.stderr) == ("set()\nFalse\n", "")

    def test_its_fixtures_are_documented_and_none_is_automatic(self, run_tests: RunTests) -> None:
        result = run_tests("def test(request): assert request.fixturenames == ['request']")
        result.assert_outcomes(passed=1)
        result = run_tests("", "--fixtures")
        result.stdout.fnmatch_lines(
            [
                "taskito_queue -- *",
                "    Give a real queue*",
                "taskito_worker -- *",
                "    Give a wor*",
            ]
        )

    @pytest.mark.timeout(180)  # three processes that start up
    def test_each_worker_of_xdist_has_databases_of_its_own(self, pytester: pytest.Pytester) -> None:
        pytester.makeini("[pytest]\ntaskito_app = app:queue")
        pytester.makepyfile(
            app=APP,
            test_app="""
            import pytest
            from app import greet

            @pytest.mark.parametrize("name", range(8))
            def test(taskito_queue, taskito_worker, name):
                job = greet.delay(name)
                assert taskito_worker.run() == [job]
                assert job.result(timeout=0) == f"hello, {name}"
            """,
        )
        result = pytester.runpytest_subprocess(*PLUGINS, "-p", "xdist", "-n", "2")
        result.assert_outcomes(passed=8)
        result.stdout.no_fnmatch_line("*own.db*")
        assert not (pytester.path / "own.db").exists()


class TestQueue:
    def test_every_test_has_a_fresh_one_outside_of_its_own_directory(
        self, run_tests: RunTests
    ) -> None:
        result = run_tests(
            """
            import pytest
            from pathlib import Path
            from taskito import Queue, QueueClosedError

            seen = []

            @pytest.mark.parametrize("number", [1, 2])
            def test(taskito_queue, tmp_path, number):
                assert type(taskito_queue) is Queue
                assert taskito_queue.stats()["pending"] == 0
                taskito_queue.enqueue("t")
                assert taskito_queue.db_path not in [queue.db_path for queue in seen]
                assert Path(taskito_queue.db_path).is_file()
                assert list(tmp_path.iterdir()) == []
                seen.append(taskito_queue)

            def test_they_are_closed():
                for queue in seen:
                    with pytest.raises(QueueClosedError):
                        queue.stats()
            """
        )
        result.assert_outcomes(passed=3)

    def test_without_the_worker_real_workers_and_the_real_time_are_used(
        self, run_tests: RunTests
    ) -> None:
        result = run_tests(
            """
            import threading, time

            def test(taskito_queue):
                job = taskito_queue.task(name="t")(lambda: "done").delay()
                threading.Thread(target=taskito_queue.run_worker).start()
                assert job.result(timeout=30) == "done"
                assert abs(job.created_at - time.time() * 1000) < 60_000

            def test_the_worker_has_left():
                for thread in threading.enumerate():
                    if "run_worker" in thread.name:
                        thread.join(30)
                        assert not thread.is_alive()
            """
        )
        result.assert_outcomes(passed=2)

    def test_the_queue_of_the_program_is_bound_for_the_test_and_restored(
        self, run_tests: RunTests, pytester: pytest.Pytester
    ) -> None:
        pytester.makepyfile(app=APP)
        result = run_tests(
            """
            import os
            import threading
            import app

            def test_first(taskito_queue):
                assert taskito_queue is app.queue
                assert app.queue.db_path != "own.db"
                app.greet.delay("ann")
                assert app.queue.stats()["pending"] == 1

            def test_second(taskito_queue, taskito_worker):
                assert app.queue.stats()["pending"] == 0
                job = app.greet.delay("bob")
                assert taskito_worker.run() == [job]
                assert job.result(timeout=0) == "hello, bob"
                app.queue.close()

            def test_with_a_thread(taskito_queue):
                threading.Thread(target=app.queue.run_worker, name="worker").start()
                assert app.greet.delay("joe").result(timeout=30) == "hello, joe"

            def test_third():
                for thread in threading.enumerate():
                    if thread.name == "worker":
                        thread.join(30)
                        assert not thread.is_alive()
                assert app.queue.db_path == "own.db"
                assert not os.path.exists("own.db")
                app.greet.delay("eve")
                assert os.path.exists("own.db")
                app.queue.close()
            """,
            app="app:queue",
        )
        result.assert_outcomes(passed=4)

    def test_a_program_beside_the_ini_file_is_found_from_any_directory(
        self, pytester: pytest.Pytester
    ) -> None:
        pytester.makepyfile(app=APP)
        pytester.makeini("[pytest]\ntaskito_app = app:queue")
        tests = pytester.mkdir("tests")
        (tests / "test_app.py").write_text(
            "import sys\n"
            "def test(request, monkeypatch, tmp_path):\n"
            "    monkeypatch.chdir(tmp_path)\n"
            "    queue = request.getfixturevalue('taskito_queue')\n"
            "    assert 'greet' in queue._task_registry\n"
            "    assert str(tmp_path) not in sys.path\n"
        )
        pytester.chdir()
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(tests)
            pytester.runpytest_inprocess(*PLUGINS).assert_outcomes(passed=1)

    @pytest.mark.parametrize(
        ("app", "lines"),
        [
            (
                "app",
                [
                    "*_app: it must be in 'module:attribute' format, got 'app'",
                    "hint: write taskito_app =*",
                ],
            ),
            ("nowhere:queue", ["*taskito_app: could not import module 'nowhere':*"]),
            ("app:queu", ["*module 'app' has no attribute 'queu'", "*hint: *mean 'app:queue'[?]"]),
            ("app:greet", ["*taskito_app: 'app:greet' is not a Queue instance*"]),
        ],
    )
    def test_an_option_that_names_no_queue_is_explained(
        self, run_tests: RunTests, pytester: pytest.Pytester, app: str, lines: list[str]
    ) -> None:
        pytester.makepyfile(app=APP)
        result = run_tests("def test(taskito_queue): ...", app=app)
        result.assert_outcomes(errors=1)
        result.stdout.fnmatch_lines(lines)
        result.stdout.no_fnmatch_line("*--app*")
        result.stdout.no_fnmatch_line("*pytest_plugin.py*")


class TestWorker:
    def test_it_steps_the_time_and_the_jobs_of_the_queue(self, run_tests: RunTests) -> None:
        result = run_tests(
            """
            from taskito.testing import assert_enqueued

            def test_a_refused_mail_is_sent_later(taskito_queue, taskito_worker):
                replies = iter([OSError("refused"), "sent"])

                @taskito_queue.task(name="mail", retry_backoff=60)
                def mail(to):
                    reply = next(replies)
                    if isinstance(reply, OSError):
                        raise reply
                    return reply

                job = mail.delay("ann")
                assert assert_enqueued(mail, ["ann"]) == job
                taskito_worker.run()
                assert job.status == "pending"
                taskito_worker.advance(120)
                assert taskito_worker.run() == [job]
                assert job.result(timeout=0) == "sent"
            """
        )
        result.assert_outcomes(passed=1)

    def test_jobs_stored_by_other_fixtures_before_it_are_kept(self, run_tests: RunTests) -> None:
        result = run_tests(
            """
            import pytest

            @pytest.fixture
            def job(taskito_queue):
                return taskito_queue.task(name="t")(int).delay()

            def test(job, taskito_worker):
                assert taskito_worker.run() == [job]
            """
        )
        result.assert_outcomes(passed=1)

    @pytest.mark.timeout(180)
    def test_ctrl_c_in_a_job_ends_the_tests(self, pytester: pytest.Pytester) -> None:
        pytester.makepyfile(
            """
            import os, signal

            def test(taskito_queue, taskito_worker):
                stop = taskito_queue.task(name="t")(lambda: os.kill(os.getpid(), signal.SIGINT))
                stop.delay()
                taskito_worker.run()

            def test_after_it():
                raise AssertionError("not reached")
            """
        )
        result = pytester.runpytest_subprocess(*PLUGINS)
        assert result.ret == pytest.ExitCode.INTERRUPTED
        result.stdout.fnmatch_lines(["*KeyboardInterrupt*"])
        result.stdout.no_fnmatch_line("*not reached*")
