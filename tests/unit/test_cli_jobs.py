"""``taskito jobs``: list, show, cancel, retry, by the database file alone."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from taskito import Queue
from taskito.cli._text import ago, columns, last_line, span
from tests.support.command import Terminal, command
from tests.unit.conftest import StartWorker

Out = pytest.CaptureFixture[str]
Finish = Callable[..., str]


@pytest.fixture(autouse=True)
def database(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commands find the queue without a flag."""
    monkeypatch.setenv("TASKITO_DB_PATH", queue.db_path)


@pytest.fixture
def finish(queue: Queue, start_worker: StartWorker) -> Finish:
    """Run one job to its end; its id. No worker is left."""

    def finish(function: Callable[[], object], task: str = "t") -> str:
        queue.task(name=task, max_retries=0)(function)
        job = queue.enqueue(task)
        worker = start_worker()
        job.wait()
        queue.shutdown(wait=True)
        worker.join()
        return job.id

    return finish


def fail() -> None:
    message = "no route\nto \x1b[31mhost"
    raise ConnectionError(message)


class TestList:
    def test_is_a_table_newest_first(self, queue: Queue, capsys: Out) -> None:
        first = queue.enqueue("resize", queue="images")
        second = queue.enqueue("mail")
        assert command("jobs", "list") == 0
        head, *rows = capsys.readouterr().out.splitlines()
        assert head.split() == ["ID", "TASK", "QUEUE", "STATUS", "RETRIES", "CREATED", "ERROR"]
        assert [row.split()[:5] for row in rows] == [
            [second.id, "mail", "default", "pending", "0/3"],
            [first.id, "resize", "images", "pending", "0/3"],
        ]
        assert len({row.index("pending") for row in rows} | {head.index("STATUS")}) == 1

    def test_an_error_is_one_harmless_line(self, finish: Finish, capsys: Out) -> None:
        finish(fail)
        command("jobs", "list", "--status", "dead")
        row = capsys.readouterr().out.splitlines()[1]
        assert row.endswith("to  [31mhost")
        assert "0/0" in row

    def test_filters(self, queue: Queue, finish: Finish, capsys: Out) -> None:
        jobs = {
            "task": queue.enqueue("resize").id,
            "queue": queue.enqueue("t", queue="images").id,
            "metadata": queue.enqueue("t", metadata={"user": 7, "x": "y"}).id,
            "error": finish(fail, "u"),
        }

        def found(*argv: str) -> list[str]:
            assert command("jobs", "list", "--json", *argv) == 0
            return [job["id"] for job in json.loads(capsys.readouterr().out)["jobs"]]

        assert found("--task", "resize") == [jobs["task"]]
        assert found("--queue", "images") == [jobs["queue"]]
        assert found("--metadata", '"user":7') == [jobs["metadata"]]
        assert found("--metadata", '{"user": 7}') == [jobs["metadata"]]
        assert found("--metadata", '{"user": 8}') == []
        assert found("--error", "ConnectionError") == [jobs["error"]]
        assert found("--status", "dead") == [jobs["error"]]
        assert len(found("--since", "1h")) == 4
        assert found("--since", "0") == []

    def test_pages_follow_the_cursor(self, queue: Queue, capsys: Out) -> None:
        ids = [queue.enqueue("t").id for _ in range(3)]
        command("jobs", "list", "--limit", "2")
        *rows, last = capsys.readouterr().out.splitlines()
        assert last.startswith("next page: --cursor ")
        command("jobs", "list", "--limit", "2", "--json", "--cursor", last.split()[-1])
        page = json.loads(capsys.readouterr().out)
        assert [row.split()[0] for row in rows[1:]] == [ids[2], ids[1]]
        assert [job["id"] for job in page["jobs"]] == [ids[0]]
        assert page["next_cursor"] is None

    def test_json_is_what_the_api_says(self, queue: Queue, capsys: Out) -> None:
        job = queue.enqueue("t")
        command("jobs", "list", "--json")
        assert json.loads(capsys.readouterr().out) == {
            "jobs": [job.to_dict()],
            "next_cursor": None,
        }

    def test_quiet_leaves_the_data(self, queue: Queue, capsys: Out) -> None:
        command("jobs", "list", "--quiet")
        assert capsys.readouterr().out == ""
        queue.enqueue_many("t", [()] * 2)
        command("jobs", "list", "--quiet", "--limit", "1")
        assert len(capsys.readouterr().out.splitlines()) == 2

    @pytest.mark.parametrize("argv", [["--status", "lost"], ["--limit", "-1"], ["--since", "x"]])
    def test_a_bad_value_is_a_usage_error(self, argv: list[str]) -> None:
        assert command("jobs", "list", *argv) == 2

    def test_a_foreign_cursor_is_an_error(self, queue: Queue, capsys: Out) -> None:
        queue.enqueue("t")
        assert command("jobs", "list", "--cursor", "xyz", "--json") == 1
        captured = capsys.readouterr()
        assert captured.out == ""
        assert set(json.loads(captured.err)) == {"error", "hint"}

    def test_a_reader_who_has_seen_enough_is_no_error(self, queue: Queue) -> None:
        queue.enqueue("t")
        reading, writing = os.pipe()
        os.close(reading)
        with os.fdopen(writing, "wb") as output:
            done = subprocess.run(
                [sys.executable, "-m", "taskito", "jobs", "list"],
                stdout=output,
                stderr=subprocess.PIPE,
                check=False,
            )
        assert (done.returncode, done.stderr) == (1, b"")

    def test_no_file_appears(self, tmp_path: Path) -> None:
        assert command("jobs", "list", "--db", "none.db") == 1
        assert not (tmp_path / "none.db").exists()


class TestShow:
    def test_says_all_with_every_error(self, finish: Finish, capsys: Out) -> None:
        job = finish(fail)
        assert command("jobs", "show", job) == 0
        out = capsys.readouterr().out
        facts = dict(line.split(maxsplit=1) for line in out.splitlines()[:6])
        assert (facts["id"], facts["task"], facts["status"]) == (job, "t", "dead")
        assert "\nattempt 0 failed 20" in out
        assert "ConnectionError: no route" in out
        assert "\x1b" not in out

    def test_json_adds_errors_and_edges(self, queue: Queue, capsys: Out) -> None:
        parent = queue.enqueue("t")
        child = queue.enqueue("t", depends_on=[parent.id])
        command("jobs", "show", child.id, "--json")
        assert json.loads(capsys.readouterr().out) == {
            **child.to_dict(),
            "errors": [],
            "dependencies": [parent.id],
            "dependents": [],
        }

    def test_the_payload_is_never_decoded(self, tmp_path: Path, capsys: Out) -> None:
        class Secret:
            def dumps(self, _value: object) -> bytes:
                return b"\x00 no pickle"

            def loads(self, data: bytes) -> object:
                raise AssertionError(data)

        with Queue(tmp_path / "jobs.db", serializer=Secret()) as queue:
            job = queue.enqueue("t")
        assert command("jobs", "show", job.id) == command("jobs", "retry", job.id) - 1 == 0
        assert job.id in capsys.readouterr().out


class TestCancel:
    def test_a_pending_job(self, queue: Queue, capsys: Out) -> None:
        job = queue.enqueue("t")
        assert command("jobs", "cancel", job.id, "--json") == 0
        assert json.loads(capsys.readouterr().out) == {
            "cancelled": True,
            "cancel_requested": False,
        }
        assert job.status == "cancelled"

    def test_a_running_job_is_asked(
        self, queue: Queue, start_worker: StartWorker, capsys: Out
    ) -> None:
        started, go_on = threading.Event(), threading.Event()

        @queue.task(name="long")
        def long() -> None:
            started.set()
            go_on.wait()

        job = long.delay()
        start_worker()
        assert started.wait(30)
        assert command("jobs", "cancel", job.id) == 0
        assert f"asked {job.id}" in capsys.readouterr().out
        go_on.set()
        assert job.wait(30)

    def test_a_finished_job_is_an_error(self, queue: Queue, capsys: Out) -> None:
        job = queue.enqueue("t")
        job.cancel()
        assert command("jobs", "cancel", job.id) == 1
        assert f"Error: job {job.id} is cancelled\nhint: " in capsys.readouterr().err


class TestRetry:
    def test_a_dead_job_by_its_letter(
        self, queue: Queue, finish: Finish, monkeypatch: pytest.MonkeyPatch, capsys: Out
    ) -> None:
        monkeypatch.setattr("taskito.cli._jobs._PAGE", 1)
        job = finish(fail)
        finish(fail)  # a younger letter, on the first page
        assert command("jobs", "retry", job) == 0
        new = queue.get_job(capsys.readouterr().out.strip())
        assert new is not None
        assert new.status == "pending"
        assert job not in {letter["original_job_id"] for letter in queue.dead_letters()}
        assert len(queue.dead_letters()) == 1
        assert command("jobs", "retry", job) == 1
        assert "has no dead letter any more" in capsys.readouterr().err

    def test_other_finished_jobs_are_replayed(
        self, queue: Queue, finish: Finish, capsys: Out
    ) -> None:
        cancelled = queue.enqueue("v")
        cancelled.cancel()
        for job in (finish(lambda: 1), cancelled.id):
            assert command("jobs", "retry", job, "--json") == 0
            new = json.loads(capsys.readouterr().out)["new_job_id"]
            assert [entry["id"] for entry in queue.replay_history(job)] == [new]

    def test_an_unfinished_job_is_an_error(self, queue: Queue, capsys: Out) -> None:
        job = queue.enqueue("t")
        assert command("jobs", "retry", job.id) == 1
        assert f"Error: job {job.id} is pending\nhint: " in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["show", "logs", "cancel", "retry"])
def test_an_unknown_job_is_not_found(verb: str, queue: Queue, capsys: Out) -> None:
    queue.stats()
    unknown = "01a213be-92ec-71cc-a138-889512eab6a9"
    assert command("jobs", verb, unknown) == 3
    assert f"Error: job not found: {unknown}\nhint: " in capsys.readouterr().err


def test_the_group_alone_is_a_usage_error(capsys: Out) -> None:
    assert command("jobs") == 2
    assert "retry" in capsys.readouterr().err


class TestText:
    @pytest.mark.parametrize(
        ("seconds", "text"),
        [
            (0.2, "now"),
            (59, "59 s ago"),
            (600, "10 min ago"),
            (90_000, "1 d ago"),
            (-7200, "in 2 h"),
        ],
    )
    def test_ages(self, seconds: float, text: str) -> None:
        assert ago(round(1e12 - seconds * 1000), 10**12) == text

    @pytest.mark.parametrize(
        ("seconds", "text"), [(86400, "1 d"), (5400, "90 min"), (1.5, "1.5 s")]
    )
    def test_spans(self, seconds: float, text: str) -> None:
        assert span(seconds) == text

    def test_wide_letters_count_twice(self) -> None:
        table = columns(("a", "b"), [("日本", "x"), ("ab", "yyyyyy")], width=8)
        assert table.splitlines() == ["a     b", "日本  x", "ab    y…"]

    def test_the_end_of_a_traceback_names_the_error(self) -> None:
        assert last_line("Traceback:\n  File x\nKeyError: 'a'\n  a note\n") == "KeyError: 'a'"
        assert last_line(None) == ""

    def test_a_terminal_gets_short_lines(
        self, queue: Queue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        queue.enqueue("t" * 200)
        terminal = Terminal()
        monkeypatch.setattr(sys, "stdout", terminal)
        monkeypatch.setenv("COLUMNS", "60")
        command("jobs", "list")
        assert max(map(len, terminal.getvalue().splitlines())) == 60
