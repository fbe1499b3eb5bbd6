"""``taskito failures``: groups, by the database file alone."""

import json
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from taskito import Queue
from taskito._groups import Groups, document
from taskito.bulk import Bulk
from taskito.testing import ManualWorker
from taskito.testing._manual import manual_worker
from tests.support.command import Terminal, command
from tests.support.until import until

Out = pytest.CaptureFixture[str]


@pytest.fixture
def faults(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the task says when it fails; empty when it completes."""
    monkeypatch.setenv("TASKITO_DB_PATH", queue.db_path)
    said = ["SMTP timeout"]

    @queue.task(name="send", max_retries=0)
    def send(user: int) -> int:
        if said:
            raise ConnectionError(f"{said[0]} of user {user}")
        return user

    return said


@pytest.fixture
def worker(queue: Queue, faults: list[str]) -> Iterator[ManualWorker]:
    """A worker that a test steps, after three jobs died of the same."""
    assert faults
    with manual_worker(queue) as worker:
        for user in (1, 22, 333):
            queue.enqueue("send", (user,))
        worker.run()
        yield worker


@pytest.fixture
def group(queue: Queue, worker: ManualWorker) -> Callable[[], str]:
    """The fingerprint of the only group."""
    assert worker.now

    def only() -> str:
        [found] = Groups(queue._database).all()
        return found.fingerprint

    return only


Only = Callable[[], str]


class Asking:
    """A command in a thread of its own."""

    def __init__(self, *words: str) -> None:
        self._codes: list[int] = []
        self._thread = threading.Thread(target=lambda: self._codes.append(command(*words)))
        self._thread.start()

    def code(self) -> int:
        """Its exit code, when it is through."""
        self._thread.join()
        return self._codes[0]


class TestLook:
    def test_a_list_is_a_table(self, group: Only, capsys: Out) -> None:
        assert command("failures", "list") == 0
        head, row = capsys.readouterr().out.splitlines()
        assert head.split()[:5] == ["GROUP", "STATE", "TASK", "DEAD", "RETRYING"]
        assert row.split()[:5] == [group(), "open", "send", "3", "0"]
        assert row.endswith("ConnectionError: SMTP timeout of user {N}")
        assert command("failures", "list", "--task", "other") == 0
        assert capsys.readouterr().out == "no failures\n"

    def test_json_has_the_keys_of_the_api(self, queue: Queue, group: Only, capsys: Out) -> None:
        assert command("failures", "list", "--state", "open", "--json") == 0
        [found] = Groups(queue._database).all()
        assert json.loads(capsys.readouterr().out) == {"failures": [document(found)]}
        assert command("failures", "show", group(), "--json") == 0
        told = json.loads(capsys.readouterr().out)
        assert told.items() >= document(found).items()
        assert told["message"] == "SMTP timeout of user 333"
        assert [job["preview"] for job in told["jobs"]] == ["333", "22", "1"]

    def test_one_is_shown_with_its_error_and_jobs(self, group: Only, capsys: Out) -> None:
        assert command("failures", "show", group()[:6].upper()) == 0
        text = capsys.readouterr().out
        assert group() in text
        assert "Traceback (most recent call last)" in text
        assert "send(333)" in text

    def test_what_is_not_there_or_not_clear_is_told(
        self, queue: Queue, worker: ManualWorker, faults: list[str], capsys: Out
    ) -> None:
        assert command("failures", "show", "xyz") == 3
        assert "hint: see: taskito failures list" in capsys.readouterr().err
        texts = iter("abcdefghijklmnopqrstuvwxyz")
        groups = Groups(queue._database)
        while len({found.fingerprint[0] for found in groups.all()}) == len(groups.all()):
            faults[0] = f"said {next(texts)}"
            queue.enqueue("send", (1,))
            worker.run()
        first = [found.fingerprint[0] for found in groups.all()]
        twice = next(letter for letter in first if first.count(letter) > 1)
        assert command("failures", "show", twice) == 2
        assert f"groups begin with '{twice}'" in capsys.readouterr().err


class TestRetry:
    def test_all_dead_jobs_of_the_group(
        self, queue: Queue, worker: ManualWorker, faults: list[str], group: Only, capsys: Out
    ) -> None:
        fingerprint = group()
        faults[0] = "something else"
        queue.enqueue("send", (4,))
        worker.run()
        assert command("failures", "retry", fingerprint, "--yes", "--json") == 0
        told = json.loads(capsys.readouterr().out)
        assert (told["canary"], told["done"], told["state"]) == (None, 3, "done")
        assert told["filter"] == f"fp:{fingerprint} state:dead"
        assert queue.count_jobs("pending") == 3
        assert len(queue.dead_letters()) == 1

    def test_it_asks_and_can_only_look(
        self, queue: Queue, group: Only, capsys: Out, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert command("failures", "retry", group(), "--dry-run") == 0
        assert "would retry 3 jobs" in capsys.readouterr().out
        assert command("failures", "retry", group()) == 2
        assert "hint: add --yes" in capsys.readouterr().err
        monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
        assert command("failures", "retry", group()) == 1
        assert f"Retry 3 jobs of group {group()} (send: Conn" in capsys.readouterr().err
        assert queue.count_jobs("pending") == 0

    def test_a_canary_that_completes_lets_the_others_go(
        self, queue: Queue, worker: ManualWorker, faults: list[str], group: Only, capsys: Out
    ) -> None:
        faults.clear()
        asking = Asking("failures", "retry", group(), "--canary", "1", "--yes", "--json")
        until(lambda: queue.count_jobs("pending") == 1)
        assert len(queue.dead_letters()) == 2
        worker.run()
        assert asking.code() == 0
        told = json.loads(capsys.readouterr().out)
        assert (told["canary"], told["done"], told["state"]) == (1, 3, "done")
        assert queue.dead_letters() == []

    def test_a_line_says_that_it_waits(
        self,
        worker: ManualWorker,
        faults: list[str],
        group: Only,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        faults.clear()
        terminal = Terminal()
        monkeypatch.setattr(sys, "stderr", terminal)
        asking = Asking("failures", "retry", group(), "--canary", "1", "--yes")
        until(lambda: "] retried 1, canary …" in terminal.getvalue())
        worker.run()
        assert asking.code() == 0

    def test_a_canary_that_fails_holds_the_others(
        self, queue: Queue, worker: ManualWorker, group: Only, capsys: Out
    ) -> None:
        asking = Asking("failures", "retry", group(), "--canary", "1", "--yes")
        until(lambda: queue.count_jobs("pending") == 1)
        [canary] = queue.list_jobs("pending")
        worker.run()
        assert asking.code() == 1
        assert f"stopped before the last job: the canary failed: {canary.id}" in (
            capsys.readouterr().err
        )
        assert len(queue.dead_letters()) == 3

    def test_a_canary_that_nobody_runs_is_given_up(
        self, queue: Queue, group: Only, capsys: Out
    ) -> None:
        flags = ("--canary", "2", "--canary-wait", "0", "--yes")
        assert command("failures", "retry", group(), *flags) == 1
        assert "the canary was not through after 0 s" in capsys.readouterr().err
        assert queue.count_jobs("pending") == 2

    def test_nobody_waits_for_a_canary_that_is_all(
        self, queue: Queue, group: Only, capsys: Out
    ) -> None:
        assert command("failures", "retry", group(), "--canary", "9", "--yes", "--json") == 0
        told = json.loads(capsys.readouterr().out)
        assert (told["done"], told["state"]) == (3, "done")
        assert queue.count_jobs("pending") == 3

    def test_a_group_without_dead_jobs_is_not_found(self, group: Only, capsys: Out) -> None:
        fingerprint = group()
        assert command("failures", "discard", fingerprint, "--yes") == 0
        assert capsys.readouterr().out == "removed 3 dead letters\n"
        assert command("failures", "retry", fingerprint, "--yes") == 3
        assert "the group has no dead job" in capsys.readouterr().err

    def test_jobs_that_match_have_a_canary_too(
        self, queue: Queue, worker: ManualWorker, faults: list[str], capsys: Out
    ) -> None:
        faults.clear()
        asking = Asking("jobs", "retry", "task:send", "--canary", "2", "--yes", "--json")
        until(lambda: queue.count_jobs("pending") == 2)
        worker.run()
        assert asking.code() == 0
        assert json.loads(capsys.readouterr().out)["done"] == 3


class TestJudge:
    def test_each_word_is_stored_and_written_down(
        self, queue: Queue, group: Only, capsys: Out
    ) -> None:
        for word, state in (("silence", "silenced"), ("resolve", "resolved"), ("open", "open")):
            assert command("failures", word, group()) == 0
            assert capsys.readouterr().out.startswith(f"{state}: group {group()}")
            [found] = Groups(queue._database).all()
            assert found.state == state
            assert Bulk(queue).deeds(1)[0].deed == word
        assert command("failures", "silence", group(), "--json") == 0
        assert json.loads(capsys.readouterr().out)["state"] == "silenced"

    def test_discarding_asks(self, queue: Queue, group: Only, capsys: Out) -> None:
        assert command("failures", "discard", group()) == 2
        assert "hint: add --yes" in capsys.readouterr().err
        assert command("failures", "discard", group(), "--yes", "--json") == 0
        assert json.loads(capsys.readouterr().out) == {"deleted": 3}
        deed = Bulk(queue).deeds(1)[0]
        assert (deed.deed, deed.subject, deed.count) == ("discard", group(), 3)
        assert queue.count_jobs("dead") == 3
