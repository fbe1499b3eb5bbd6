"""``taskito purge``, ``check`` and ``snapshot``."""

import json
import sys
from pathlib import Path

import pytest

from taskito import Queue
from tests.support.command import Terminal, command

Out = pytest.CaptureFixture[str]

APP = """
from taskito import Queue
queue = Queue("jobs.db")

@queue.task(name="greet")
def greet(name):
    raise AssertionError(name)
"""


@pytest.fixture(autouse=True)
def database(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASKITO_DB_PATH", queue.db_path)


def cancelled(queue: Queue, task: str = "t", in_queue: str = "default") -> str:
    job = queue.enqueue(task, queue=in_queue)
    job.cancel()
    return job.id


class TestPurge:
    def test_keeps_the_young_and_other_statuses(self, queue: Queue, capsys: Out) -> None:
        cancelled(queue)
        assert command("purge", "--yes") == 0
        assert command("purge", "--yes", "--status", "cancelled") == 0
        assert capsys.readouterr().out == "deleted 0 jobs\n" * 2
        assert queue.stats()["cancelled"] == 1

    def test_by_queue_and_task(self, queue: Queue, capsys: Out) -> None:
        mail = cancelled(queue, "t", "mail")
        cancelled(queue, "t")
        cancelled(queue, "u", "mail")
        argv = ["--status", "cancelled", "--older-than", "0", "--queue", "mail", "--task", "t"]
        while queue.get_job(mail):  # it ended in this very millisecond
            assert command("purge", *argv, "--yes", "--json") == 0
        assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"purged": 1}
        assert queue.stats()["cancelled"] == 2

    def test_asks_with_the_number(
        self, queue: Queue, monkeypatch: pytest.MonkeyPatch, capsys: Out
    ) -> None:
        job = cancelled(queue)
        assert command("purge") == 2
        monkeypatch.setattr(sys, "stdin", Terminal("no\n"))
        assert command("purge", "--status", "cancelled", "--older-than", "12h") == 1
        question = "Delete the cancelled jobs that ended more than 12 h ago, of 1 at all? [y/N] "
        assert question in capsys.readouterr().err
        assert queue.get_job(job) is not None

    def test_unfinished_jobs_are_a_usage_error(self) -> None:
        assert command("purge", "--status", "pending", "--yes") == 2


class TestCheck:
    @pytest.fixture(autouse=True)
    def program(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "checked_app.py").write_text(APP)
        monkeypatch.setattr(sys, "path", list(sys.path))
        monkeypatch.delitem(sys.modules, "checked_app", raising=False)

    def test_nothing_wrong(self, queue: Queue, capsys: Out) -> None:
        queue.enqueue("greet", ["Ada"])
        assert command("check", "--app", "checked_app:queue") == 0
        assert capsys.readouterr().out == "all that waits can run\n"

    def test_issues_are_an_error(self, queue: Queue, capsys: Out) -> None:
        lost = queue.enqueue("great", ["Ada"])
        wrong = queue.enqueue("greet", [])
        assert command("check", "--app", "checked_app:queue") == 1
        head, first, second = capsys.readouterr().out.splitlines()
        assert head.split() == ["PROBLEM", "JOB", "TASK", "QUEUE", "MESSAGE"]
        assert first.split()[:3] == ["unknown_task", lost.id, "great"]
        assert second.split()[:3] == ["bad_arguments", wrong.id, "greet"]

    def test_json_is_what_the_api_says(self, queue: Queue, capsys: Out) -> None:
        queue.enqueue("great")
        assert command("check", "--app", "checked_app:queue", "--json") == 1
        first_issue = json.loads(capsys.readouterr().out)[0]
        assert " ".join(first_issue) == "job_id schedule task_name queue problem message"

    def test_needs_the_program(self) -> None:
        assert command("check") == 2


class TestSnapshot:
    def test_is_a_database(self, queue: Queue, capsys: Out) -> None:
        queue.enqueue("t")
        assert command("snapshot", "copy.db", "--json") == 0
        assert json.loads(capsys.readouterr().out) == {"path": "copy.db"}
        with Queue("copy.db") as copy:
            assert copy.stats() == queue.stats()

    def test_replaces_a_file_only_when_told(self, queue: Queue, capsys: Out) -> None:
        queue.enqueue("t")
        Path("copy.db").write_text("mine")
        assert command("snapshot", "copy.db") == 1
        assert "copy.db" in capsys.readouterr().err
        assert Path("copy.db").read_text() == "mine"
        assert command("snapshot", "copy.db", "--overwrite") == 0
        assert capsys.readouterr().out == "wrote copy.db\n"
