"""The commands as a part of another program's command line."""

import threading
from pathlib import Path

import pytest

from taskito import Queue
from taskito.cli.hosting import Failure, Host, run_hosted


def host(queue: Queue, asked: list[str | None] | None = None) -> Host:
    def find(app: str | None) -> Queue:
        if asked is not None:
            asked.append(app)
        return queue

    return Host(prog="shop jobs", app_help="the shop", find_queue=find)


def test_commands_work_with_the_queue_of_the_host_and_leave_it_open(
    queue: Queue, capsys: pytest.CaptureFixture[str]
) -> None:
    queue.enqueue("any")
    asked: list[str | None] = []

    assert run_hosted(["info"], host(queue, asked), ends_process=False) == 0
    assert (
        run_hosted(["jobs", "list", "--app", "paris"], host(queue, asked), ends_process=False) == 0
    )

    assert "pending      1" in capsys.readouterr().out
    assert asked == [None, "paris"]
    assert queue.stats()["pending"] == 1


def test_db_replaces_the_file_for_this_command(
    queue: Queue, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Queue(tmp_path / "other.db") as other:
        other.enqueue("any")

    code = run_hosted(["info", "--db", str(tmp_path / "other.db")], host(queue), ends_process=False)

    assert code == 0
    assert "pending      1" in capsys.readouterr().out
    assert queue.stats()["pending"] == 0
    missing = ["info", "--db", str(tmp_path / "none.db")]
    assert run_hosted(missing, host(queue), ends_process=False) == 1


def test_help_speaks_of_the_host_at_every_level(
    queue: Queue, capsys: pytest.CaptureFixture[str]
) -> None:
    for argv in (["-h"], ["jobs", "-h"], ["jobs", "list", "-h"]):
        with pytest.raises(SystemExit):
            run_hosted(argv, host(queue), ends_process=False)
        said = capsys.readouterr().out
        assert said.startswith(" ".join(["usage: shop jobs", *argv[:-1]]))
        assert "the shop" in said


def test_a_host_without_a_queue_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    def find(_: str | None) -> Queue:
        raise Failure("the shop is closed", hint="come tomorrow")

    shop = Host(prog="shop jobs", app_help="", find_queue=find)

    assert run_hosted(["info"], shop, ends_process=False) == 1
    assert capsys.readouterr().err == "Error: the shop is closed\nhint: come tomorrow\n"


def test_exit_is_insisted_on_where_the_process_ends(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    exits: list[int] = []
    monkeypatch.setattr("taskito.cli._EXIT_WITHIN", 0)
    monkeypatch.setattr("os._exit", exits.append)
    left, gate = threading.Event(), threading.Event()

    def stay() -> None:
        left.set()
        gate.wait(30)

    stranger = threading.Thread(target=stay)
    stranger.start()
    left.wait(30)
    try:
        assert run_hosted(["jobs", "show", "none"], host(queue), ends_process=True) == 3
        for thread in threading.enumerate():
            if isinstance(thread, threading.Timer):
                thread.join(30)
    finally:
        gate.set()
        stranger.join()
    assert exits == [3]
