"""``taskito jobs`` with a filter line: list, cancel, retry, delete, export."""

import csv
import io
import json
from unittest.mock import patch

import pytest

from taskito import Queue
from taskito.bulk import Bulk
from tests.support.command import Terminal, command

Out = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def database(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commands find the queue without a flag."""
    monkeypatch.setenv("TASKITO_DB_PATH", queue.db_path)


class TestList:
    def test_a_filter_says_which(self, queue: Queue, capsys: Out) -> None:
        mail = queue.enqueue("mail", queue="a")
        queue.enqueue("resize", queue="a")
        assert command("jobs", "list", "task:ma*", "queue:a", "--json") == 0
        found = json.loads(capsys.readouterr().out)
        assert [job["id"] for job in found["jobs"]] == [mail.id]
        assert (found["next_cursor"], found["searched"]) == (None, None)
        assert command("jobs", "list", "task:none") == 0
        assert "no such jobs" in capsys.readouterr().out

    def test_pages_lead_on(self, queue: Queue, capsys: Out) -> None:
        jobs = queue.enqueue_many("mail", [()] * 3)
        assert command("jobs", "list", "task:mail", "--limit", "2") == 0
        cursor = capsys.readouterr().out.split("--cursor ")[1].strip()
        assert command("jobs", "list", "task:mail", "--cursor", cursor) == 0
        assert jobs[0].id in capsys.readouterr().out

    def test_a_mistake_is_a_usage_error(self, capsys: Out) -> None:
        assert command("jobs", "list", "state:dea") == 2
        told = capsys.readouterr().err
        assert "unknown state 'dea' at position 7 of the filter" in told
        assert "hint: did you mean 'dead'?" in told
        assert command("jobs", "list", "state:dead", "--task", "a") == 2
        assert "a filter and --task exclude each other" in capsys.readouterr().err


class TestOperate:
    def test_all_that_match_are_cancelled_retried_deleted(self, queue: Queue, capsys: Out) -> None:
        queue.enqueue_many("mail", [()] * 3)
        kept = queue.enqueue("resize")
        assert command("jobs", "cancel", "task:mail", "--yes") == 0
        assert capsys.readouterr().out == "3 cancelled\n"
        assert command("jobs", "retry", "state:cancelled", "--yes", "--json") == 0
        over = json.loads(capsys.readouterr().out)
        assert (over["verb"], over["done"], over["state"]) == ("retry", 3, "done")
        assert "(command line)" in over["who"]
        assert command("jobs", "delete", "task:mail", "--yes") == 0
        assert capsys.readouterr().out == "3 deleted, 3 skipped\n"
        assert queue.count_jobs("pending") == 4
        assert kept.status == "pending"

    def test_nothing_is_done_without_a_yes(
        self, queue: Queue, capsys: Out, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        queue.enqueue("mail")
        assert command("jobs", "cancel", "task:mail") == 2
        assert "hint: add --yes" in capsys.readouterr().err
        monkeypatch.setattr("sys.stdin", Terminal("n\n"))
        assert command("jobs", "cancel", "task:mail") == 1
        assert "Cancel 1 job where its task is mail? [y/N]" in capsys.readouterr().err
        assert queue.count_jobs("pending") == 1

    def test_a_dry_run_shows_what_is_meant(self, queue: Queue, capsys: Out) -> None:
        job = queue.enqueue("mail")
        assert command("jobs", "cancel", "task:mail", "--dry-run") == 0
        told = capsys.readouterr().out
        assert "would cancel 1 job where its task is mail" in told
        assert job.id in told
        assert command("jobs", "cancel", "task:mail", "--dry-run", "--json") == 0
        assert json.loads(capsys.readouterr().out)["count"] == 1
        assert (job.status, Bulk(queue).operations()) == ("pending", [])

    def test_no_match_is_exit_3(self, queue: Queue, capsys: Out) -> None:
        queue.stats()
        assert command("jobs", "retry", "state:dead", "--yes") == 3
        assert "no job matches: jobs where its state is dead" in capsys.readouterr().err

    def test_an_interrupt_ends_the_operation(self, queue: Queue, capsys: Out) -> None:
        queue.enqueue_many("mail", [()] * 3)
        with patch("time.sleep", side_effect=KeyboardInterrupt):
            assert command("jobs", "cancel", "task:mail", "--yes", "--rate", "1/s") == 1
        told = capsys.readouterr()
        assert "1 cancelled" in told.out
        assert "stopped before the last job: stopped by" in told.err
        assert queue.count_jobs("pending") == 2

    @pytest.mark.parametrize("flags", [["--rate", "fast"], ["--rate", "0"], ["--stop-after", "-1"]])
    def test_what_makes_no_sense_is_a_usage_error(self, flags: list[str], capsys: Out) -> None:
        assert command("jobs", "retry", "state:dead", *flags) == 2
        assert "not a" in capsys.readouterr().err


class TestExport:
    def test_all_that_match_are_written(self, queue: Queue, capsys: Out) -> None:
        queue.enqueue_many("mail", [()] * 600)
        queue.enqueue("resize")
        assert command("jobs", "export", "task:mail") == 0
        rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
        assert {row["task_name"] for row in rows} == {"mail"}
        assert len({row["id"] for row in rows}) == 600
        assert command("jobs", "export", "--json") == 0
        assert len(json.loads(capsys.readouterr().out)) == 601
