"""``taskito doctor``: one line each for what was looked at."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from taskito import Queue
from taskito._readers import LONG_LOG
from taskito.cli import _examine
from tests.support.command import command
from tests.support.until import until
from tests.unit.conftest import StartWorker

Out = pytest.CaptureFixture[str]


def told(capsys: Out, *, code: int = 0) -> dict[str, list[tuple[str, str]]]:
    """What the doctor says, by subject."""
    assert command("doctor", "--db", "jobs.db", "--json") == code
    by_check: dict[str, list[tuple[str, str]]] = {}
    for finding in json.loads(capsys.readouterr().out):
        assert list(finding) == ["status", "check", "message", "remedy"]
        assert (finding["remedy"] is None) == (finding["status"] == "ok")
        by_check.setdefault(finding["check"], []).append((finding["status"], finding["message"]))
    return by_check


def test_all_is_well(queue: Queue, capsys: Out) -> None:
    queue.stats()
    assert {said[0] for lines in told(capsys).values() for said in lines} == {"ok"}
    command("doctor", "--db", "jobs.db")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[:2]] == [["ok", "file"], ["ok", "permissions"]]
    command("doctor", "--db", "jobs.db", "--quiet")
    assert capsys.readouterr().out == ""


def test_jobs_without_a_worker(queue: Queue, capsys: Out) -> None:
    queue.enqueue("t")
    assert told(capsys)["workers"] == [("warn", "none is at work and jobs wait")]


def test_what_no_worker_serves(queue: Queue, start_worker: StartWorker, capsys: Out) -> None:
    queue.task(name="known")(print)
    queue.enqueue("known", queue="reports")
    queue.enqueue("unknown", queue="mail")
    queue.enqueue("later", queue="later", delay=100)
    start_worker("mail")
    until(queue.workers)
    said = told(capsys)
    assert said["workers"] == [("ok", "1 at work")]
    assert said["queues"] == [("warn", "no worker serves 'reports', where jobs wait")]
    assert said["tasks"] == [("warn", "no worker knows 'unknown', whose jobs wait")]


def test_a_paused_queue_with_work_is_paused_and_not_late(
    queue: Queue, monkeypatch: pytest.MonkeyPatch, capsys: Out
) -> None:
    job = queue.enqueue("t", queue="mail")
    monkeypatch.setattr("taskito.cli._doctor.milliseconds", lambda: job.created_at + 3_700_000)
    queue.pause("mail")
    queue.pause("idle")
    said = told(capsys)
    assert said["paused"] == [("warn", "1 jobs wait in 'mail', which is paused")]
    assert said["backlog"] == [("ok", "no job has been due for long")]


def test_a_job_that_is_late(queue: Queue, monkeypatch: pytest.MonkeyPatch, capsys: Out) -> None:
    job = queue.enqueue("t")
    monkeypatch.setattr("taskito.cli._doctor.milliseconds", lambda: job.created_at + 3_700_000)
    assert told(capsys)["backlog"] == [("warn", "the oldest job has been due for 61 min")]


def test_damage(queue: Queue, tmp_path: Path, capsys: Out) -> None:
    queue.enqueue_many("t" * 500, [()] * 500)
    assert command("snapshot", "copy.db", "--db", "jobs.db") == 0
    queue.close()
    for file in tmp_path.glob("jobs.db*"):
        file.unlink()
    data = bytearray((tmp_path / "copy.db").read_bytes())
    middle = len(data) // 2 // 4096 * 4096
    data[middle : middle + 8192] = b"\xff" * 8192
    (tmp_path / "jobs.db").write_bytes(data)
    (tmp_path / "jobs.db").chmod(0o600)
    capsys.readouterr()
    assert [status for status, _ in told(capsys, code=1)["integrity"]] == ["fail"]


def test_a_file_that_is_no_database(tmp_path: Path, capsys: Out) -> None:
    (tmp_path / "jobs.db").write_text("Dear database, " * 1000)
    assert [status for status, _ in told(capsys, code=1)["database"]] == ["fail"]


def test_a_missing_file_is_not_created(tmp_path: Path, capsys: Out) -> None:
    (tmp_path / "doctored.py").write_text("from taskito import Queue\nqueue = Queue('none.db')\n")
    sys.modules.pop("doctored", None)
    assert command("doctor", "--app", "doctored:queue") == 1
    assert capsys.readouterr().out.startswith("fail  file        there is none at ")
    assert not (tmp_path / "none.db").exists()


def test_a_bad_place(queue: Queue, monkeypatch: pytest.MonkeyPatch, capsys: Out) -> None:
    queue.stats()
    Path("jobs.db").chmod(0o644)
    monkeypatch.setattr(_examine, "_LEAST_FREE", 2**70)
    monkeypatch.setattr(_examine, "_file_system", lambda _file: "nfs4")
    said = told(capsys, code=1)
    assert said["permissions"] == [("warn", "other users may open it (mode 644)")]
    assert said["file system"] == [("fail", "nfs4 is a network file system")]
    assert said["space"][0][0] == "warn"


def test_who_keeps_the_log_long(queue: Queue, tmp_path: Path, capsys: Out) -> None:
    queue.stats()
    queue.close()
    os.truncate(tmp_path / "jobs.db-wal", LONG_LOG + 1)
    reading = "db = sqlite3.connect('jobs.db'); db.execute('BEGIN')"
    program = f"import sqlite3; {reading}; print(*db.execute('SELECT 1 FROM jobs')); input()"
    with subprocess.Popen(
        [sys.executable, "-c", program],
        text=True,
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "\n"
        ((status, message),) = told(capsys)["log"]
        reader.communicate("\n")
    assert status == "warn"
    assert message.startswith("64.0 MB in the write-ahead log, which cannot begin anew: process ")
    assert f"process {reader.pid} ({sys.executable} -c import sqlite3; " in message
    assert message.endswith(" reads the database")
    # The last one to leave has moved it.
    assert told(capsys)["log"] == [("ok", "0.0 MB in the write-ahead log")]
