"""``taskito jobs logs``: once, and until the job has ended."""

import json
import threading

import pytest

from taskito import Queue, current_job
from tests.support.command import command
from tests.support.until import until
from tests.unit.conftest import StartWorker

Out = pytest.CaptureFixture[str]


def test_lines_are_oldest_first(queue: Queue, start_worker: StartWorker, capsys: Out) -> None:
    @queue.task(name="talk")
    def talk() -> None:
        current_job.log("one")
        current_job.log("two\nlines", level="error", extra={"x": 1})

    job = talk.delay()
    start_worker()
    job.result()
    assert command("jobs", "logs", job.id, "--db", queue.db_path) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("Z  info     one")
    assert second.endswith('Z  error    two lines  {"x":1}')
    command("jobs", "logs", job.id, "--db", queue.db_path, "--json")
    assert json.loads(capsys.readouterr().out) == queue.task_logs(job.id)


def test_follow_prints_each_line_once_until_the_end(
    queue: Queue, start_worker: StartWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    @queue.task(name="talk")
    def talk() -> None:
        current_job.log("before")
        go_on.wait()
        current_job.log("after")

    job = talk.delay()
    start_worker()
    said: list[str] = []
    monkeypatch.setattr("taskito.cli._console.Console.data", lambda _self, text: said.append(text))
    follower = threading.Thread(
        target=command, args=("jobs", "logs", job.id, "--follow", "--db", queue.db_path)
    )
    follower.start()
    until(lambda: len(said) == 1)
    assert follower.is_alive()
    go_on.set()
    follower.join(30)
    assert not follower.is_alive()
    assert [text.split()[-1] for text in said] == ["before", "after"]


def test_follow_and_json_exclude_each_other(queue: Queue) -> None:
    job = queue.enqueue("t")
    assert command("jobs", "logs", job.id, "--follow", "--json", "--db", queue.db_path) == 2
