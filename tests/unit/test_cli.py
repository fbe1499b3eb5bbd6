"""The ``taskito`` command, called in this process."""

import json
import platform
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import taskito
from taskito import Queue
from taskito.cli import _load_queue, _print_stats, main
from taskito.cli._console import Console
from taskito.cli._info import watch

APP = """
from taskito import Queue
queue = Queue("jobs.db", workers=1)
other = "no queue"

@queue.task(queue="mail")
def greet(name):
    return "hello " + name
"""


@pytest.fixture(autouse=True)
def clean_imports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("shop", "broken", "shop_tasks"):
        monkeypatch.delitem(sys.modules, name, raising=False)


@pytest.fixture
def app(tmp_path: Path) -> Path:
    path = tmp_path / "shop.py"
    path.write_text(APP)
    return path


def failing(*argv: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(argv)
    assert isinstance(caught.value.code, int)
    return caught.value.code


class TestHelp:
    def test_no_command_is_a_usage_error(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert failing() == 2
        assert "worker" in capsys.readouterr().err

    @pytest.mark.parametrize("argv", [["-h"], ["info", "-h"]])
    def test_help_is_not_an_error(
        self, argv: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert failing(*argv) == 0
        assert "--app" in capsys.readouterr().out

    @pytest.mark.parametrize("argv", [["nonsense"], ["worker", "--workers", "x"], ["info", "-z"]])
    def test_a_wrong_word_is_a_usage_error(self, argv: list[str]) -> None:
        assert failing(*argv) == 2


class TestVersion:
    @pytest.mark.parametrize("argv", [["--version"], ["info", "--version"]])
    def test_flag(self, argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        assert failing(*argv) == 0
        assert capsys.readouterr().out == f"taskito {taskito.__version__}\n"

    def test_command_lists_what_matters(self, capsys: pytest.CaptureFixture[str]) -> None:
        main(["version"])
        lines = dict(line.split() for line in capsys.readouterr().out.splitlines())
        assert list(lines)[:4] == ["taskito", "core", "SQLite", "Python"]
        assert set(list(lines)[4:]) <= {"taskito-dashboard", "taskito-flask"}
        assert lines["core"] == taskito.__version__
        assert lines["Python"] == platform.python_version()
        main(["--json", "version"])
        facts = json.loads(capsys.readouterr().out)
        assert list(facts)[:4] == ["taskito", "core", "sqlite", "python"]

    @pytest.mark.parametrize("module", ["taskito", "taskito.cli"])
    def test_the_package_runs_as_a_module(self, module: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", module, "--version"], capture_output=True, text=True, check=True
        )
        assert done.stdout == f"taskito {taskito.__version__}\n"


class TestLoad:
    def test_finds_a_queue_in_the_current_directory(self, app: Path) -> None:
        queue = _load_queue(f"{app.stem}:queue")
        assert queue.db_path == "jobs.db"
        assert sys.path[0] == str(app.parent)

    @pytest.mark.parametrize(
        ("path", "message"),
        [
            ("shop", "Error: --app must be in 'module:attribute' format, got 'shop'\nhint: "),
            (":queue", "Error: --app must be in 'module:attribute' format, got ':queue'\nhint: "),
            (
                "shopp:queue",
                (
                    "Error: could not import module 'shopp': No module named 'shopp'\n"
                    "hint: did you mean 'shop'?\n"
                ),
            ),
            (
                "shop:queu",
                "Error: module 'shop' has no attribute 'queu'\nhint: did you mean 'shop:queue'?\n",
            ),
            (
                "shop:other",
                (
                    "Error: 'shop:other' is not a Queue instance (got str)\n"
                    "hint: did you mean 'shop:queue'?\n"
                ),
            ),
        ],
    )
    @pytest.mark.usefixtures("app")
    def test_a_mistake_is_explained(
        self, path: str, message: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as caught:
            _load_queue(path)
        assert caught.value.code == 1
        assert capsys.readouterr().err.startswith(message)
        assert failing("info", "--app", path) == 1
        assert capsys.readouterr().err.startswith(message)

    def test_a_module_that_fails_is_located(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "broken.py").write_text("x = 1\ny = x / 0\n")
        assert failing("--app", "broken:queue", "info") == 1
        error = capsys.readouterr().err
        assert "could not import module 'broken': ZeroDivisionError: division by zero" in error
        assert f"hint: raised at {tmp_path / 'broken.py'}:2" in error

    def test_nothing_to_load_is_a_usage_error(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert failing("info") == 2
        assert "which queue?" in capsys.readouterr().err
        assert failing("worker", "--db", "x.db") == 2
        assert "needs --app" in capsys.readouterr().err

    def test_variables_stand_in_for_flags(
        self, app: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("TASKITO_APP", f"{app.stem}:queue")
        main(["info"])
        monkeypatch.delenv("TASKITO_APP")
        monkeypatch.setenv("TASKITO_DB_PATH", "jobs.db")
        main(["info"])
        assert capsys.readouterr().out.count("total") == 2


class TestInfo:
    EXPECTED = """\
taskito queue statistics
------------------------------
  pending      1
  running      0
  completed    0
  failed       0
  dead         0
  cancelled    1
------------------------------
  total        2
"""

    @pytest.fixture(autouse=True)
    def two_jobs(self, queue: Queue) -> None:
        queue.enqueue("t")
        queue.enqueue("t").cancel()

    @pytest.mark.parametrize(
        "argv", [["--db", "jobs.db", "info"], ["info", "--db", "jobs.db"], ["info", "--quiet"]]
    )
    def test_prints_the_table(
        self,
        argv: list[str],
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setenv("TASKITO_DB_PATH", "jobs.db")
        main(argv)
        assert capsys.readouterr().out == self.EXPECTED

    def test_print_stats_does_too(self, queue: Queue, capsys: pytest.CaptureFixture[str]) -> None:
        _print_stats(queue)
        assert capsys.readouterr().out == self.EXPECTED

    @pytest.mark.parametrize("argv", [["--json", "info"], ["info", "--json"]])
    def test_json_is_the_stats(
        self, argv: list[str], queue: Queue, capsys: pytest.CaptureFixture[str]
    ) -> None:
        main([*argv, "--db", queue.db_path])
        assert json.loads(capsys.readouterr().out) == queue.stats()

    def test_db_replaces_the_path_of_the_app(
        self, app: Path, queue: Queue, capsys: pytest.CaptureFixture[str]
    ) -> None:
        app.write_text(APP.replace("jobs.db", "elsewhere.db"))
        main(["info", "--app", f"{app.stem}:queue", "--db", queue.db_path])
        assert capsys.readouterr().out == self.EXPECTED
        assert not (app.parent / "elsewhere.db").exists()

    @pytest.mark.parametrize("path", ["none.db", ".", ":memory:"])
    def test_a_missing_database_is_not_created(
        self, path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        before = sorted(tmp_path.iterdir())
        assert failing("info", "--db", path) == 1
        assert f"Error: no database file at '{path}'" in capsys.readouterr().err
        assert sorted(tmp_path.iterdir()) == before

    def test_a_foreign_file_is_an_error(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "letter.txt").write_text("Dear database, " * 1000)
        assert failing("info", "--db", "letter.txt") == 1
        assert "Error: " in capsys.readouterr().err
        assert failing("info", "--db", "letter.txt", "--json") == 1
        assert set(json.loads(capsys.readouterr().err)) == {"error", "hint"}

    def test_watch_redraws_with_throughput_until_interrupted(
        self, queue: Queue, capsys: pytest.CaptureFixture[str]
    ) -> None:
        task = queue.task(name="u")(lambda: None)
        rests: list[float] = []

        def rest(seconds: float) -> None:
            rests.append(seconds)
            if len(rests) > 1:
                raise KeyboardInterrupt
            job = task.delay()
            thread = threading.Thread(target=queue.run_worker)
            thread.start()
            job.result()
            queue.shutdown(wait=True)
            thread.join()

        watch(queue, Console(), rest)
        first, second = capsys.readouterr().out.split("taskito queue statistics\n")[1:]
        assert first.endswith("  total        2\n\nRefreshing every 2s... (Ctrl+C to stop)\n")
        assert "  completed    1\n" in second
        assert "\n\n  throughput   " in second
        assert " jobs/s\n\nRefreshing" in second
        assert rests == [2.0, 2.0]

    def test_watch_and_json_exclude_each_other(self) -> None:
        assert failing("info", "--watch", "--json", "--db", "jobs.db") == 2


class TestWorker:
    """In the main thread of a process of its own."""

    @pytest.fixture
    def command(self, app: Path) -> list[str]:
        return [sys.executable, "-m", "taskito", "worker", "--app", f"{app.stem}:queue"]

    def test_prints_what_it_serves_runs_and_drains(
        self, command: list[str], tmp_path: Path
    ) -> None:
        with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            banner = [process.stdout.readline() for _ in range(4)]
            with Queue(tmp_path / "jobs.db") as queue:
                assert queue.enqueue("shop.greet", ["Ada"], queue="mail").result() == "hello Ada"
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
        assert banner[0].startswith(f"taskito {taskito.__version__} · ")
        assert banner[0].endswith(f" · 1 thread · {tmp_path / 'jobs.db'}\n")
        assert banner[1].startswith("queues    default mail ")
        assert banner[2] == "tasks     1: shop.greet\n"
        assert banner[3].startswith("ready in ")

    def test_a_second_signal_exits_with_its_number(
        self, command: list[str], app: Path, tmp_path: Path
    ) -> None:
        app.write_text(
            APP + "\n@queue.task\ndef stuck():\n"
            "    import signal, threading, time\n"
            "    threading.Thread(target=time.sleep, args=(60,), daemon=False).start()\n"
            "    signal.raise_signal(signal.SIGINT)\n"
            "    signal.raise_signal(signal.SIGTERM)\n"
            "    time.sleep(60)\n"
        )
        with Queue(tmp_path / "jobs.db") as queue:
            job = queue.enqueue("shop.stuck")
            done = subprocess.run(
                [*command, "--quiet"], cwd=tmp_path, capture_output=True, timeout=20, check=False
            )
            assert done.returncode == 128 + signal.SIGTERM
            assert (done.stdout, done.stderr) == (b"", b"")
            assert job.status == "pending"

    def test_json_is_one_document_and_names_are_trimmed(
        self, command: list[str], tmp_path: Path
    ) -> None:
        arguments = ["--json", "--queues", " a , b,", "--workers", "2", "--drain-timeout", "1m"]
        with subprocess.Popen(
            [*command, *arguments], cwd=tmp_path, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            facts = json.loads(process.stdout.readline())
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
        assert facts["queues"] == ["a", "b"]
        assert facts["workers"] == 2
        assert facts["tasks"] == ["shop.greet"]

    def test_bad_numbers_are_errors(self, app: Path, capsys: pytest.CaptureFixture[str]) -> None:
        app_flag = f"--app={app.stem}:queue"
        assert failing("worker", app_flag, "--workers", "-1") == 1
        assert "Error: workers must be between 0" in capsys.readouterr().err
        assert failing("worker", app_flag, "--drain-timeout", "soon") == 2
