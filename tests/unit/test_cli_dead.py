"""``taskito dead``: list, retry, delete, purge, by the database file alone."""

import json
import sys
from collections.abc import Callable

import pytest

from taskito import Queue
from taskito.cli._progress import Progress
from tests.support.command import Terminal, command
from tests.unit.conftest import StartWorker

Out = pytest.CaptureFixture[str]


@pytest.fixture
def letters(
    queue: Queue, start_worker: StartWorker, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], list[str]]:
    """Three dead letters, one of them in another queue; their ids now, newest first."""
    monkeypatch.setenv("TASKITO_DB_PATH", queue.db_path)
    queue.task(name="divide", max_retries=0)(lambda: 1 / 0)
    jobs = [queue.enqueue("divide", queue=name) for name in ("default", "mail", "default")]
    worker = start_worker()
    for job in jobs:
        job.wait()
    queue.shutdown(wait=True)
    worker.join()
    return lambda: [letter["id"] for letter in queue.dead_letters()]


Letters = Callable[[], list[str]]


def say(answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(answer))


class TestList:
    def test_is_a_table_in_pages(self, letters: Letters, capsys: Out) -> None:
        assert command("dead", "list", "--limit", "2") == 0
        head, *rows, last = capsys.readouterr().out.splitlines()
        assert head.split() == ["ID", "JOB", "TASK", "QUEUE", "RETRIES", "DIED", "ERROR"]
        assert all(row.endswith("ZeroDivisionError: division by zero") for row in rows)
        command("dead", "list", "--json", "--cursor", last.removeprefix("next page: --cursor "))
        page = json.loads(capsys.readouterr().out)
        ids = [row.split()[0] for row in rows] + [item["id"] for item in page["dead_letters"]]
        assert ids == letters()

    def test_json_is_what_the_api_says(self, queue: Queue, letters: Letters, capsys: Out) -> None:
        command("dead", "list", "--queue", "mail", "--task", "divide", "--json")
        assert json.loads(capsys.readouterr().out) == {
            "dead_letters": queue.dead_letters(queue="mail"),
            "next_cursor": None,
        }
        assert len(letters()) == 3

    @pytest.mark.usefixtures("letters")
    def test_nothing_there_is_no_error(self, capsys: Out) -> None:
        assert command("dead", "list", "--queue", "nowhere") == 0
        assert capsys.readouterr().out == "no dead letters\n"


class TestRetry:
    def test_one(self, queue: Queue, letters: Letters, capsys: Out) -> None:
        first, second, third = letters()
        assert command("dead", "retry", second) == 0
        job = queue.get_job(capsys.readouterr().out.strip())
        assert job is not None
        assert job.status == "pending"
        assert letters() == [first, third]

    def test_all_of_a_queue(self, queue: Queue, letters: Letters, capsys: Out) -> None:
        assert command("dead", "retry", "--all", "--queue", "mail", "--yes", "--json") == 0
        new = json.loads(capsys.readouterr().out)["new_job_ids"]
        assert [job.id for job in queue.list_jobs("pending")] == new
        assert (len(new), len(letters())) == (1, 2)

    def test_all_up_to_a_limit(self, letters: Letters, capsys: Out) -> None:
        newest = letters()[0]
        assert command("dead", "retry", "--all", "--limit", "2", "--yes") == 0
        assert len(capsys.readouterr().out.split()) == 2
        assert letters() == [newest]

    @pytest.mark.parametrize("argv", [[], ["x", "--all"], ["x", "--limit", "1"]])
    @pytest.mark.usefixtures("letters")
    def test_one_or_all_is_a_usage_question(self, argv: list[str]) -> None:
        assert command("dead", "retry", *argv) == 2


class TestDelete:
    def test_the_job_stays(self, queue: Queue, letters: Letters, capsys: Out) -> None:
        gone = letters()[1]
        assert command("dead", "delete", gone, "--json") == 0
        assert json.loads(capsys.readouterr().out) == {"deleted": True}
        assert (gone in letters(), queue.stats()["dead"]) == (False, 3)


class TestPurge:
    def test_keeps_the_young(self, letters: Letters, capsys: Out) -> None:
        assert command("dead", "purge", "--yes") == 0
        assert capsys.readouterr().out == "removed 0 dead letters\n"
        assert len(letters()) == 3

    def test_with_filters(self, queue: Queue, letters: Letters, capsys: Out) -> None:
        argv = ("--older-than", "0s", "--queue", "mail", "--task", "divide", "--yes", "--json")
        while queue.dead_letters(queue="mail"):  # died in this very millisecond
            assert command("dead", "purge", *argv) == 0
        assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"purged": 1}
        assert len(letters()) == 2


@pytest.mark.parametrize("verb", [["purge", "--older-than", "0"], ["retry", "--all"]])
class TestConfirmation:
    def test_without_a_terminal_it_takes_yes(
        self, verb: list[str], letters: Letters, capsys: Out
    ) -> None:
        assert command("dead", *verb) == 2
        assert "hint: add --yes" in capsys.readouterr().err
        assert len(letters()) == 3

    @pytest.mark.parametrize("answer", ["n\n", "\n", ""])
    def test_all_but_yes_is_a_no(
        self, verb: list[str], answer: str, letters: Letters, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        say(answer, monkeypatch)
        assert command("dead", *verb) == 1
        assert len(letters()) == 3

    def test_yes_goes_on(
        self, verb: list[str], letters: Letters, monkeypatch: pytest.MonkeyPatch, capsys: Out
    ) -> None:
        say("y\n", monkeypatch)
        assert command("dead", *verb, "--queue", "mail") == 0
        assert "in queue 'mail'" in capsys.readouterr().err
        assert len(letters()) == 2


@pytest.mark.parametrize("verb", ["retry", "delete"])
@pytest.mark.usefixtures("letters")
def test_an_unknown_letter_is_not_found(verb: str, capsys: Out) -> None:
    assert command("dead", verb, "nonsense", "--json") == 3
    assert "nonsense" in json.loads(capsys.readouterr().err)["error"]


class TestProgress:
    def test_starts_after_a_second_and_leaves_nothing(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        terminal = Terminal()
        monkeypatch.setattr(sys, "stderr", terminal)
        instants = iter([0.0, 0.9, 1.0, 1.05])
        with Progress("deleted", total=2000, clock=lambda: next(instants)) as progress:
            progress(10)
            assert terminal.getvalue() == ""
            progress(1000)
            progress(1001)
        assert terminal.getvalue() == f"\r\x1b[K[{'#' * 10}{'-' * 10}] deleted 1,000\r\x1b[K"

    def test_needs_a_terminal(self, capsys: Out) -> None:
        instants = iter([0.0, 2.0])
        with Progress("deleted", clock=lambda: next(instants)) as progress:
            progress(1)
        assert capsys.readouterr().err == ""
