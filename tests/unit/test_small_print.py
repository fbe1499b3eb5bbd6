"""Single sentences of the promises that belong nowhere else."""

import hmac
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from taskito import (
    JobNotFoundError,
    JsonSerializer,
    Queue,
    ResultTimeout,
    SignatureError,
    SignedSerializer,
    Snooze,
)
from taskito.testing import ManualWorker
from taskito.testing._manual import manual_worker
from tests.support.command import Terminal, command
from tests.support.until import until
from tests.unit.conftest import StartWorker


@pytest.fixture
def worker(queue: Queue) -> Iterator[ManualWorker]:
    with manual_worker(queue) as worker:
        yield worker


class TestCancel:
    def test_a_request_is_only_for_running_jobs(self, queue: Queue, worker: ManualWorker) -> None:
        task = queue.task(name="t")(int)
        pending, done = task.options(delay=60).delay(), task.delay()
        worker.run()
        assert not queue.cancel_running_job(pending.id)
        assert not queue.cancel_running_job(done.id)
        assert not queue.cancel_running_job("nobody")
        assert (pending.status, done.status) == ("pending", "complete")

    def test_a_handle_cancels_what_waits_and_asks_what_runs(
        self, queue: Queue, worker: ManualWorker
    ) -> None:
        @queue.task(name="t")
        def cancel_itself() -> tuple[bool, bool]:
            job = queue.list_jobs("running")[0]
            return job.cancel(), queue.cancel_job(job.id)

        job = cancel_itself.delay()
        worker.run()
        assert job.result(0) == (True, False)
        assert not job.cancel()


class TestProgress:
    def test_is_allowed_in_every_status(self, queue: Queue, worker: ManualWorker) -> None:
        fail = queue.task(name="fail", max_retries=0)(lambda: 1 / 0).delay()
        done = queue.task(name="t")(int).delay()
        worker.run()
        for job, status in ((fail, "dead"), (done, "complete")):
            assert job.status == status
            queue.update_progress(job.id, 100)
            assert job.progress == 100


class TestResult:
    def test_without_a_limit_it_waits_until_the_end(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        job = queue.task(name="t")(lambda: 7).options(delay=0.3).delay()
        start_worker()
        assert job.result(timeout=None) == 7
        assert job.wait(None) is True

    def test_a_deadline_names_the_status_and_how_to_go_on(self, queue: Queue) -> None:
        with pytest.raises(ResultTimeout, match="hint: no worker uses this database") as caught:
            queue.enqueue("t").result(timeout=0)
        assert isinstance(caught.value, TimeoutError)


class TestWhy:
    def test_a_job_that_was_put_off_has_no_details(
        self, queue: Queue, worker: ManualWorker
    ) -> None:
        @queue.task(name="t")
        def put_off() -> None:
            raise Snooze(60)

        job = put_off.delay()
        worker.run()
        (reason,) = job.why().reasons
        assert (reason.code, reason.details) == ("snoozed", {})


class TestDeadLetters:
    def test_newest_come_first(self, queue: Queue, worker: ManualWorker) -> None:
        task = queue.task(name="t", max_retries=0)(lambda: 1 / 0)
        jobs = []
        for _ in range(3):
            jobs.append(task.delay())
            worker.run()
            worker.advance(1)
        letters = queue.dead_letters()
        assert [letter["original_job_id"] for letter in letters] == [job.id for job in jobs[::-1]]
        first = queue.dead_letters(2)
        rest = queue.dead_letters(2, cursor=first.next_cursor)
        assert [*first, *rest] == letters
        assert queue.dead_letters(1, 1) == letters[1:2]


class TestTestMode:
    def test_replays_and_retries_of_real_jobs_are_not_intercepted(
        self, queue: Queue, worker: ManualWorker
    ) -> None:
        job = queue.task(name="t", max_retries=0)(lambda: 1 / 0).delay()
        worker.run()
        with queue.test_mode() as results:
            assert queue.replay(job.id).status == "pending"
            assert queue.get_job(queue.retry_dead(queue.dead_letters()[0]["id"])) is not None
            assert results == []
        assert queue.stats()["pending"] == 2


class TestSigned:
    def test_signatures_are_compared_in_constant_time(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        compared: list[tuple[Any, Any]] = []

        def compare(one: Any, other: Any) -> bool:
            compared.append((one, other))
            return False

        monkeypatch.setattr(hmac, "compare_digest", compare)
        serializer = SignedSerializer(JsonSerializer(), b"k" * 16, previous_keys=[b"o" * 16])
        data = serializer.dumps(1)
        with pytest.raises(SignatureError):
            serializer.loads(data)
        assert len(compared) == 2, "every key is tried by the comparison that takes equally long"


class TestErrors:
    def test_a_job_that_is_not_found_is_named_without_quotes(self, queue: Queue) -> None:
        for call in (queue.replay, queue.why):
            with pytest.raises(JobNotFoundError) as caught:
                call("nobody")
            assert str(caught.value) == "job not found: nobody"
            assert isinstance(caught.value, KeyError | RuntimeError | ValueError)


class TestCommands:
    def test_a_purge_shows_how_far_it_is_on_a_terminal(
        self, queue: Queue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for job in queue.enqueue_many("t", [()] * 50):
            job.cancel()
        monkeypatch.setattr("taskito.cli._progress._AFTER_SECONDS", 0.0)
        terminal = Terminal()
        monkeypatch.setattr(sys, "stderr", terminal)
        argv = ["purge", "--status", "cancelled", "--older-than", "0", "--yes"]
        until(lambda: command(*argv, "--db", queue.db_path) == 0 and queue.count_jobs() == 0)
        assert "] deleted " in terminal.getvalue()
        assert terminal.getvalue().endswith("\r\x1b[K")

    def test_a_purge_is_silent_for_its_first_second(
        self, queue: Queue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        queue.enqueue("t").cancel()
        terminal = Terminal()
        monkeypatch.setattr(sys, "stderr", terminal)
        argv = ["purge", "--status", "cancelled", "--older-than", "0", "--yes"]
        assert command(*argv, "--db", queue.db_path) == 0
        assert terminal.getvalue() == ""

    def test_a_database_without_an_app_decodes_nothing(self, tmp_path: Path) -> None:
        class Secret(JsonSerializer):
            def loads(self, data: bytes, /) -> Any:
                raise AssertionError(data)

            def dumps(self, _obj: Any, /) -> bytes:
                return b"\x80\x05."  # what unpickles to an error

        with Queue(tmp_path / "jobs.db", serializer=Secret()) as queue:
            job = queue.enqueue("t")
        for argv in (["jobs", "list"], ["jobs", "show", job.id], ["jobs", "why", job.id]):
            assert command(*argv, "--db", "jobs.db") == 0
        assert command("jobs", "cancel", job.id, "--db", "jobs.db") == 0
        assert command("jobs", "retry", job.id, "--db", "jobs.db") == 0

    @pytest.mark.parametrize("argv", [["worker"], ["check"]])
    def test_some_commands_need_the_program(self, queue: Queue, argv: list[str]) -> None:
        queue.stats()
        assert command(*argv, "--db", queue.db_path) == 2

    def test_the_doctor_sees_workers_that_do_not_answer_and_old_ones(
        self,
        queue: Queue,
        worker: ManualWorker,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        def says(statement: str) -> str:
            with closing(sqlite3.connect(queue.db_path)) as connection:
                connection.execute(statement)
                connection.commit()
            command("doctor", "--db", queue.db_path)
            return capsys.readouterr().out

        assert worker.now
        assert "warn  workers" in says("UPDATE worker SET version = '0.0.1'")
        silent = says("UPDATE worker SET heartbeat_at = heartbeat_at - 60000")
        assert "does not answer" in silent
