"""``taskito queues`` and ``taskito jobs why``, by the database file alone."""

import json
from dataclasses import asdict

import pytest

from taskito import Queue
from tests.support.command import command

Out = pytest.CaptureFixture[str]

UNKNOWN = "01a207ef-0e53-7688-9529-2e63d115a560"


@pytest.fixture(autouse=True)
def database(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commands find the queue without a flag."""
    monkeypatch.setenv("TASKITO_DB_PATH", queue.db_path)


class TestList:
    def test_is_a_table_by_name(self, queue: Queue, capsys: Out) -> None:
        queue.enqueue_many("t", [()] * 2, queue="mail")
        queue.set_queue_rate_limit("mail", "10 / s")
        queue.set_queue_concurrency("mail", 4)
        queue.pause("archive")
        assert command("queues", "list") == 0
        head, *rows = capsys.readouterr().out.splitlines()
        assert head.split() == (
            ["QUEUE", "STATE", "PENDING", "RUNNING", "DEAD", "OLDEST", "DUE", "WORKERS", "LIMITS"]
        )
        assert rows[0].split() == ["archive", "paused", "0", "0", "0", "-", "0"]
        assert " ".join(rows[1].split()) == "mail open 2 0 0 now 0 10/s, 4 at once"

    def test_none_is_said(self, queue: Queue, capsys: Out) -> None:
        queue.stats()
        assert command("queues", "list") == 0
        assert capsys.readouterr().out == "no queue has jobs, settings or workers\n"
        assert command("queues", "list", "--json") == 0
        assert json.loads(capsys.readouterr().out) == []

    def test_json_is_what_the_api_says(self, queue: Queue, capsys: Out) -> None:
        queue.enqueue("t")
        assert command("queues", "list", "--json") == 0
        assert json.loads(capsys.readouterr().out) == queue.list_queues()


class TestPause:
    def test_a_queue_is_paused_and_resumed(self, queue: Queue, capsys: Out) -> None:
        queue.enqueue("t", queue="mail")
        assert command("queues", "pause", "mail") == 0
        assert (queue.paused_queues(), capsys.readouterr().out) == (["mail"], "paused mail\n")
        assert command("queues", "resume", "mail", "--json") == 0
        assert queue.paused_queues() == []
        assert json.loads(capsys.readouterr().out) == {"name": "mail", "paused": False}

    @pytest.mark.parametrize("verb", ["pause", "resume"])
    def test_it_must_be_known(self, queue: Queue, capsys: Out, verb: str) -> None:
        queue.enqueue("t", queue="mail")
        assert command("queues", verb, "mial") == 3
        told = capsys.readouterr().err
        assert told == "Error: queue not found: mial\nhint: did you mean 'mail'?\n"
        assert command("queues", verb, "zzz") == 3
        assert "hint: see: taskito queues list" in capsys.readouterr().err
        assert queue.paused_queues() == []

    def test_that_of_jobs_that_name_none_is(self, queue: Queue) -> None:
        queue.stats()
        assert command("queues", "pause", "default") == 0
        assert queue.paused_queues() == ["default"]

    def test_no_verb_is_a_usage_error(self, capsys: Out) -> None:
        assert command("queues") == 2
        assert "pause" in capsys.readouterr().err


class TestWhy:
    def test_is_a_line_for_each_reason(self, queue: Queue, capsys: Out) -> None:
        job = queue.enqueue("t", delay=60)
        queue.pause()
        assert command("jobs", "why", job.id) == 0
        assert capsys.readouterr().out.splitlines() == str(job.why()).splitlines()
        assert len(job.why().reasons) == 3

    def test_json_is_what_the_api_says(self, queue: Queue, capsys: Out) -> None:
        job = queue.enqueue("t")
        assert command("jobs", "why", job.id, "--json") == 0
        expected = json.loads(json.dumps(asdict(job.why())))
        assert json.loads(capsys.readouterr().out) == expected

    def test_there_must_be_such_a_job(self, queue: Queue, capsys: Out) -> None:
        queue.stats()
        assert command("jobs", "why", UNKNOWN) == 3
        assert f"job not found: {UNKNOWN}" in capsys.readouterr().err
