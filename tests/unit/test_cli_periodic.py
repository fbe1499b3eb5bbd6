"""``taskito periodic``: list, pause, resume, trigger, next, mostly by the database file alone."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from taskito import Queue
from tests.support.command import command
from tests.support.until import until
from tests.unit.conftest import StartWorker

Out = pytest.CaptureFixture[str]
Json = Callable[..., Any]


@pytest.fixture(autouse=True)
def schedules(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    """Store two schedules, and let commands find them without a flag."""
    monkeypatch.setenv("TASKITO_DB_PATH", queue.db_path)
    queue.periodic("0 9 * * *", "nightly report", timezone="Asia/Tokyo", queue="mail")(print)
    queue.periodic(every=90, name="pulse")(print)
    queue.list_periodic()


@pytest.fixture
def as_json(capsys: Out) -> Json:
    """Run a command that succeeds; the document it prints."""

    def run(*argv: str) -> Any:
        assert command("--json", *argv) == 0
        return json.loads(capsys.readouterr().out)

    return run


def row(queue: Queue, name: str) -> dict[str, Any]:
    (found,) = [row for row in queue.list_periodic() if row["name"] == name]
    return found


class TestList:
    def test_is_a_table(self, capsys: Out) -> None:
        assert command("periodic", "list") == 0
        head, nightly, pulse = capsys.readouterr().out.splitlines()
        assert head.split() == "NAME WHEN TIMEZONE TASK QUEUE STATE NEXT LAST".split()  # noqa: SIM905
        assert nightly.startswith("nightly report  0 9 * * *   Asia/Tokyo  nightly report  mail ")
        assert "no worker" in nightly
        assert pulse.split()[:4] == ["pulse", "every", "90", "s"]
        assert pulse.endswith(" -")

    def test_says_what_is_paused_and_what_a_worker_declares(
        self, queue: Queue, start_worker: StartWorker, capsys: Out
    ) -> None:
        start_worker()
        until(lambda: row(queue, "pulse")["active"])
        queue.pause_periodic("nightly report")
        command("periodic", "list")
        _, nightly, pulse = capsys.readouterr().out.splitlines()
        assert " paused " in nightly
        assert " active " in pulse

    def test_json_has_the_keys_of_the_api(self, queue: Queue, as_json: Json) -> None:
        assert as_json("periodic", "list") == queue.list_periodic()

    def test_without_schedules_says_so(self, tmp_path: Path, capsys: Out) -> None:
        with Queue(tmp_path / "empty.db") as other:
            other.stats()
        assert command("--db", other.db_path, "periodic", "list") == 0
        assert capsys.readouterr().out == "no schedules\n"


class TestControl:
    def test_pause_and_resume(self, queue: Queue, capsys: Out) -> None:
        assert command("periodic", "pause", "pulse") == 0
        assert not row(queue, "pulse")["enabled"]
        assert command("periodic", "resume", "pulse") == 0
        assert row(queue, "pulse")["enabled"]
        assert capsys.readouterr().out == "paused pulse\nresumed pulse\n"

    def test_trigger_prints_the_id_of_the_job(self, queue: Queue, capsys: Out) -> None:
        assert command("periodic", "trigger", "nightly report") == 0
        job = queue.get_job(capsys.readouterr().out.strip())
        assert job is not None
        assert (job.task_name, job.queue) == ("nightly report", "mail")

    def test_json_says_what_is_so_now(self, queue: Queue, as_json: Json) -> None:
        assert as_json("periodic", "pause", "pulse") == {"enabled": False}
        assert as_json("periodic", "resume", "pulse") == {"enabled": True}
        triggered = as_json("periodic", "trigger", "pulse")
        assert triggered == {"job_id": row(queue, "pulse")["last_job_id"]}

    @pytest.mark.parametrize("verb", ["pause", "resume", "trigger", "next"])
    def test_an_unknown_name_is_not_found(self, verb: str, capsys: Out) -> None:
        assert command("periodic", verb, "nobody") == 3
        out, err = capsys.readouterr()
        assert out == ""
        assert "no schedule is named 'nobody'" in err
        assert "hint: " in err

    def test_the_group_alone_is_a_usage_error(self, capsys: Out) -> None:
        assert command("periodic") == 2
        assert "trigger" in capsys.readouterr().err


class TestNext:
    def test_fires_of_an_expression_are_told_in_utc_and_local_time(self, as_json: Json) -> None:
        asked = datetime.now(UTC)
        fires = as_json("periodic", "next", "30 9 * * *", "-n", "3", "--timezone", "Asia/Tokyo")
        assert len(fires) == 3
        first = datetime.fromtimestamp(fires[0]["fire_time"] / 1000, UTC)
        assert asked < first <= datetime.now(UTC) + timedelta(days=1)
        for days, fire in enumerate(fires):
            moment = first + timedelta(days=days)
            assert fire["fire_time"] == moment.timestamp() * 1000
            assert fire["utc"] == f"{moment:%Y-%m-%d}T00:30:00Z"
            assert fire["local"] == f"{moment:%Y-%m-%d}T09:30:00+09:00"

    def test_they_are_a_table(self, capsys: Out) -> None:
        assert command("periodic", "next", "@daily") == 0
        head, *fires = capsys.readouterr().out.splitlines()
        assert head.split() == ["UTC", "UTC"]
        assert len(fires) == 5
        assert " in " in fires[0]

    def test_an_expression_needs_no_queue(
        self, monkeypatch: pytest.MonkeyPatch, capsys: Out
    ) -> None:
        monkeypatch.delenv("TASKITO_DB_PATH")
        assert command("periodic", "next", "* * * * *", "-n", "1") == 0
        assert command("periodic", "next", "pulse") == 2
        assert "which queue?" in capsys.readouterr().err

    def test_a_schedule_is_known_by_its_name_with_or_without_blanks(
        self, queue: Queue, as_json: Json
    ) -> None:
        (fire,) = as_json("periodic", "next", "nightly report", "-n", "1")
        assert fire["fire_time"] == row(queue, "nightly report")["next_run"]
        assert fire["local"].endswith("T09:00:00+09:00")
        first, second = as_json("periodic", "next", "pulse", "-n", "2")
        assert second["fire_time"] - first["fire_time"] == 90_000
        assert first["fire_time"] > time.time() * 1000 - 150_000

    @pytest.mark.parametrize(
        ("argv", "code", "message"),
        [
            (["61 * * * *"], 1, "minute field '61'"),
            (["@reboot"], 1, "no such shortcut"),
            (["@daily", "--timezone", "tokyo"], 1, "did you mean 'Asia/Tokyo'?"),
            (["pulse", "--timezone", "UTC"], 2, "has a time zone of its own"),
            (["@daily", "-n", "-1"], 2, "-1"),
            ([], 2, "RULE"),
        ],
    )
    def test_a_mistake_is_explained(
        self, argv: list[str], code: int, message: str, capsys: Out
    ) -> None:
        assert command("periodic", "next", *argv) == code
        assert message in capsys.readouterr().err

    def test_what_never_fires_again_says_so(self, capsys: Out) -> None:
        rule = ["*/5 2 25-31 3 SUN", "--timezone", "Europe/Berlin"]
        assert command("periodic", "next", *rule) == 0
        assert capsys.readouterr().out == "no fires to come\n"


class TestWorker:
    def test_json_names_the_schedules(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The banner for people is tested with a real process."""
        from taskito.cli._worker import _facts

        queue = Queue(tmp_path / "other.db")
        queue.periodic("@daily", "b", queue="mail")(print)
        queue.periodic("@daily", "a")(print)
        monkeypatch.chdir(tmp_path)
        facts = _facts(queue, [], 1)
        assert facts["schedules"] == ["b", "a"]
        assert facts["queues"] == ["default", "mail"]
