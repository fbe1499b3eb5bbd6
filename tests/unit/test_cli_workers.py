"""``taskito workers``: who works, and sending one away."""

import json
import os
import platform
import threading
from collections.abc import Callable
from typing import Any

import pytest

from taskito import Queue
from tests.support.command import command
from tests.support.until import until
from tests.unit.conftest import StartWorker

Out = pytest.CaptureFixture[str]
PLACE = f"{platform.node()}:{os.getpid()}"


@pytest.fixture(autouse=True)
def database(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commands find the queue without a flag."""
    monkeypatch.setenv("TASKITO_DB_PATH", queue.db_path)


@pytest.fixture
def start(queue: Queue, start_worker: StartWorker) -> Callable[..., threading.Thread]:
    """Start a worker and wait until it is on the roster."""

    def start(*args: object, **kwargs: object) -> threading.Thread:
        before = len(queue.workers())
        thread = start_worker(*args, **kwargs)
        until(lambda: len(queue.workers()) > before)
        return thread

    return start


class TestList:
    def test_is_a_line_for_each(self, start: Callable[..., threading.Thread], capsys: Out) -> None:
        start("mail", workers=3)
        assert command("workers", "list") == 0
        head, row = capsys.readouterr().out.splitlines()
        assert head.split()[1:] == (
            ["WORKER", "STATUS", "QUEUES", "SLOTS", "RUNNING", "JOBS", "MEMORY", "VERSION", "SEEN"]
        )
        assert row.split()[1:7] == [PLACE, "active", "mail", "3", "0", "0"]

    def test_json_has_more_than_the_api(
        self, queue: Queue, start: Callable[..., threading.Thread], capsys: Out
    ) -> None:
        start()
        assert command("workers", "list", "--json") == 0
        (row,) = json.loads(capsys.readouterr().out)
        (told,) = queue.workers()
        assert row.keys() - told.keys() == {"rss", "ended"}

    def test_none_is_said(self, queue: Queue, capsys: Out) -> None:
        queue.stats()
        assert command("workers", "list") == 0
        assert capsys.readouterr().out == "no worker runs\n"


class TestDrain:
    @pytest.mark.parametrize(
        "named",
        [
            lambda row: row["worker_id"],
            lambda row: row["worker_id"][:30],
            lambda _row: PLACE,
        ],
        ids=["id", "how it begins", "host and process"],
    )
    def test_ends_the_worker(
        self,
        queue: Queue,
        start: Callable[..., threading.Thread],
        capsys: Out,
        named: Callable[[dict[str, Any]], str],
    ) -> None:
        thread = start()
        (row,) = queue.workers()
        assert command("workers", "drain", named(row)) == 0
        assert capsys.readouterr().out == f"{PLACE} finishes 0 running jobs and leaves\n"
        thread.join(30)
        assert not thread.is_alive()
        assert queue.workers() == []

    def test_json_says_which(
        self, queue: Queue, start: Callable[..., threading.Thread], capsys: Out
    ) -> None:
        start()
        (row,) = queue.workers()
        assert command("workers", "drain", PLACE, "--json") == 0
        told = json.loads(capsys.readouterr().out)
        assert told == {"worker_id": row["worker_id"], "draining": True}

    def test_one_of_several_must_be_meant(
        self, queue: Queue, start: Callable[..., threading.Thread], capsys: Out
    ) -> None:
        start()
        start()
        assert command("workers", "drain", PLACE) == 1
        told = capsys.readouterr().err
        assert f"2 workers are meant by '{PLACE}'" in told
        assert all(row["worker_id"] in told for row in queue.workers())
        assert all(row["status"] == "active" for row in queue.workers())

    @pytest.mark.parametrize("name", ["nobody", ""])
    def test_it_must_be_there(
        self, start: Callable[..., threading.Thread], capsys: Out, name: str
    ) -> None:
        start()
        assert command("workers", "drain", name) == 3
        assert "hint: see: taskito workers list" in capsys.readouterr().err
