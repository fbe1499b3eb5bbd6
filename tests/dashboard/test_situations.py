"""Five questions in sixteen situations, each made in a real database and read off the overview.

Is anything wrong? Which queue waits, how long? What fails most, since when? What runs now? Will the
backlog drain, when? A parser reads the page as text: a sentence with a number and its unit, a link,
and something to press or to type.
"""

import re
import sqlite3
from contextlib import closing, contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.test import Client

from taskito import Queue
from taskito_dashboard import source
from taskito_dashboard.rules import upkeep
from tests.dashboard.asking import page

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

MINUTE = 60_000


class Said(HTMLParser):
    """What the page says, by the id of the section, and what can be done about each problem."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.sections: dict[str, str] = {}
        self.problems: list[dict[str, Any]] = []
        self._section = ""
        self._depth = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "section":
            self._section = given.get("id") or ""
        if "problem" in (given.get("class") or "").split():
            self.problems.append({"text": "", "links": [], "presses": [], "commands": 0})
        if self._section == "problems" and self.problems:
            problem = self.problems[-1]
            if tag == "a":
                problem["links"].append(given["href"])
            if tag == "form":
                problem["presses"].append(given["action"])
            if given.get("class") == "command":
                problem["commands"] += 1

    def handle_endtag(self, tag: str) -> None:
        if tag == "section":
            self._section = ""

    def handle_data(self, data: str) -> None:
        # However long the test takes, minutes stay what they are.
        text = re.sub(r"(\d min) \d+ s", r"\1", " ".join(data.replace("\u202f", " ").split()))
        if not text or not self._section:
            return
        before = self.sections.get(self._section, "")
        self.sections[self._section] = f"{before} {text}".strip()
        if self._section == "problems" and self.problems:
            problem = self.problems[-1]
            problem["text"] = f"{problem['text']} {text}".strip()


class Scene:
    """A queue in some situation."""

    def __init__(self, queue: Queue, client: Client, file: Path) -> None:
        self.queue = queue
        self._client = client
        self._file = file

    def alter(self, statement: str, *values: object) -> None:
        """Change rows behind the library's back, as only time would."""
        with closing(sqlite3.connect(self._file)) as database, database:
            changed = database.execute(statement, values).rowcount
        assert changed, statement

    @contextmanager
    def worker(self) -> "Generator[Callable[[], None]]":
        """A live worker, and what lets it run all that is due."""
        with self.queue._stepping() as worker:

            def work() -> None:
                while worker.run_next():
                    pass

            yield work

    def said(self) -> Said:
        return Said(page(self._client, "/"))

    def press(self, path: str, **form: str) -> None:
        assert self._client.post(path, data=form).status_code == 303

    def problem(self, begin: str) -> dict[str, Any]:
        """The one problem that is told, with a link and something to do."""
        said = self.said()
        found = [entry for entry in said.problems if entry["text"].startswith(begin)]
        assert len(found) == 1, [entry["text"] for entry in said.problems]
        assert found[0]["links"]
        return found[0]


@pytest.fixture
def scene(queue: Queue, client: Client, tmp_path: Path) -> Scene:
    return Scene(queue, client, tmp_path / "jobs.db")


def test_quiet(scene: Scene) -> None:
    with scene.worker() as work:
        scene.queue.enqueue("add", (1, 2))
        work()
        said = scene.said()

    assert said.problems == []
    assert said.sections["problems"] == "All quiet. 1 slot, 0 waiting, no dead letters."
    assert re.fullmatch(
        "Ready 0 none due Running 0 of 1 slot Done / min 1 p95 run [0-9.]+ m?s "
        "Failed / min 0 0.0 % Retrying 0 none waits Dead 0 0 groups · \\+0 today",
        said.sections["tiles"],
    )
    assert "Nothing runs." in said.sections["running"]


def test_no_worker_for_a_queue(scene: Scene) -> None:
    scene.queue.enqueue_many("add", [(n, n) for n in range(3)], queue="reports")
    with scene.worker():
        scene.alter("UPDATE worker SET queues = '[\"default\"]'")
        scene.alter("UPDATE job SET run_at = run_at - ?", 4 * MINUTE)
        problem = scene.problem("No worker listens to queue reports — 3 jobs wait, oldest 4 min.")
        queues = scene.said().sections["queues"]

    assert problem["links"] == ["/queues/reports"]
    assert "taskito worker --app MODULE:QUEUE --queues reports" in problem["text"]
    assert "reports 3 4 min 0 0 no worker" in queues


def test_unknown_task(scene: Scene) -> None:
    scene.queue.enqueue("nowhere.send")
    with scene.worker():
        problem = scene.problem("No worker knows task nowhere.send — 1 job waits.")

    assert problem["links"] == ["/tasks/nowhere.send"]
    assert "Import the module that defines it" in problem["text"]
    assert problem["commands"] == 1


def test_oldest_ready_job_too_old(scene: Scene) -> None:
    scene.queue.enqueue("add", (1, 2), queue="emails")
    with scene.worker():
        scene.alter("UPDATE job SET run_at = run_at - ?", 2 * MINUTE)
        problem = scene.problem(
            "Jobs are late in queue emails — 1 job waits, oldest 2 min; never drains at this rate."
        )
        tiles = scene.said().sections["tiles"]

    assert problem["links"] == ["/queues/emails"]
    assert "Ready 1 oldest 2 min · never drains at this rate" in tiles


def test_backlog_that_never_drains(scene: Scene) -> None:
    scene.queue.enqueue_many("add", [(n, n) for n in range(150)])
    with scene.worker():
        scene.alter("UPDATE job SET run_at = run_at - ?", 2 * MINUTE)
        problem = scene.problem(
            "The backlog grows — 150 jobs wait, 30 more each minute, 0 done each minute: "
            "never drains at this rate."
        )

    assert problem["links"] == ["/queues"]
    assert problem["commands"] == 1


def test_backlog_that_drains(scene: Scene) -> None:
    scene.queue.enqueue_many("add", [(n, n) for n in range(20)])
    with scene.queue._stepping() as worker:
        for _ in range(15):
            worker.run_next()
        scene.alter("UPDATE job SET created_at = created_at - ?", 10 * MINUTE)
        said = scene.said()

    # None came and 15 were done in five minutes, 5 are left.
    assert "Ready 5 oldest" in said.sections["tiles"]
    assert "drains in 1 min" in said.sections["tiles"]


def test_task_that_fails_three_times_as_often(scene: Scene) -> None:
    with scene.worker() as work:
        for _ in range(6):
            scene.queue.enqueue("fail", ("SMTP timeout",))
        work()
        problem = scene.problem(
            "Task fail fails 100.0 % — of the attempts of the last 15 min; "
            "it did not run in the day before; mostly RuntimeError: SMTP timeout"
        )
        fails = scene.said().sections["letters"]

    assert "mostly RuntimeError: SMTP timeout" in problem["text"]
    assert re.fullmatch("/failures/[0-9a-f]{16}", problem["links"][0])
    assert fails.startswith("What fails most")
    assert "fail 6 0 " in fails
    assert "RuntimeError: SMTP timeout" in fails


def test_new_failure(scene: Scene) -> None:
    with scene.worker() as work:
        scene.queue.enqueue("fail", ("no such host",))
        work()
        problem = scene.problem("New failure of task fail — 1 job failed, the first")

    assert problem["text"].endswith("RuntimeError: no such host Failures")
    assert re.fullmatch("/failures/[0-9a-f]{16}", problem["links"][0])


def test_failure_that_a_deployment_brought(scene: Scene) -> None:
    with scene.worker() as work:
        scene.queue.enqueue("fail", ("no such host",))
        work()
        scene.alter("UPDATE failure_group SET first_seen = first_seen - ?", 30 * MINUTE)
        scene.queue.mark("v1.4")
        scene.queue.enqueue("fail", ("no such file",))
        work()
        problem = scene.problem("New failure of task fail — 1 job failed since v1.4, the first")

    assert "no such file" in problem["text"]


def test_failure_that_was_silenced_just_now(scene: Scene) -> None:
    with scene.worker() as work:
        scene.queue.enqueue("fail", ("no such host",))
        work()
        (link,) = scene.problem("New failure of task fail")["links"]
        scene.press(link, deed="silence")

        assert scene.said().problems == []


def test_open_breaker(scene: Scene) -> None:
    settings = {"threshold": 1, "cooldown": 3600}
    scene.queue.task(name="frail", circuit_breaker=settings, max_retries=0)(divmod)
    with scene.worker() as work:
        scene.queue.enqueue("frail", (1, 0))
        work()
        scene.alter("UPDATE breaker SET opened_at = opened_at - 180000")
        problem = scene.problem(
            "Circuit breaker open for task frail — opened 3 min ago; its jobs wait."
        )

    assert problem["links"] == ["/failures?task=frail"]


def test_schedule_that_missed_its_slot(scene: Scene) -> None:
    @scene.queue.periodic("0 3 * * *", name="nightly")
    def nightly() -> None:
        raise NotImplementedError

    with scene.worker():
        scene.queue.enqueue("add", (1, 2))
        scene.alter(
            "UPDATE schedule SET next_run = (SELECT heartbeat_at FROM worker) - ?", 5 * MINUTE
        )
        problem = scene.problem("Missed schedule nightly — was to run 5 min ago.")

    assert problem["links"] == ["/schedules"]
    assert problem["presses"] == ["/schedules/nightly/trigger"]


def test_worker_lost_with_jobs_in_hand(scene: Scene) -> None:
    scene.queue.enqueue("add", (1, 2))
    with scene.worker():
        scene.alter(
            "UPDATE worker SET hostname = 'vm', pid = 4702, heartbeat_at = heartbeat_at - 300000"
        )
        scene.alter(
            "UPDATE job SET state = 'running', fence = 1, claimed_at = created_at,"
            " owner = (SELECT id FROM worker)"
        )
        problem = scene.problem(
            "No heartbeat from worker vm:4702 — last seen 5 min ago with 1 job in hand."
        )

    assert problem["links"] == ["/workers"]
    assert problem["commands"] == 1


def test_job_over_its_timeout(scene: Scene) -> None:
    job = scene.queue.enqueue("add", (1, 2), timeout=1)
    with scene.worker():
        scene.alter(
            "UPDATE job SET state = 'running', fence = 1, claimed_at = created_at - 61000,"
            " owner = (SELECT id FROM worker)"
        )
        scene.alter("UPDATE lane SET running = 1, pending = 0, ready = 0")
        problem = scene.problem("1 job past the timeout — still counted as running, 1 min")
        claimed = scene.said().sections["running"]

    assert problem["links"] == [f"/jobs/{job.id}"]
    assert problem["presses"] == [f"/jobs/{job.id}/cancel"]
    assert "Nothing has begun; 1 job is claimed." in claimed


def test_jobs_that_wait_for_another_attempt(scene: Scene) -> None:
    with scene.worker() as work:
        scene.queue.enqueue("fail", ("busy",), max_retries=1)
        scene.queue.enqueue("add", (1, 2), delay=3600)
        work()
        tiles = scene.said().sections["tiles"]
        scene.alter("UPDATE job SET run_at = run_at - ? WHERE wait = 'backoff'", 60 * MINUTE)
        due = scene.said().sections["tiles"]

    assert re.search("Retrying 1 next in [0-9.]+ m?s Dead 0 0 groups", tiles)
    assert tiles.startswith("Ready 0 none due")
    # Nobody has made it ready, and it is due all the same.
    assert due.startswith("Ready 1 oldest")
    assert "Retrying 0 none waits" in due


def test_jobs_that_died_today(scene: Scene) -> None:
    with scene.worker() as work:
        for text in ("one", "two"):
            scene.queue.enqueue("fail", (text,))
        work()
        scene.alter("UPDATE job SET dead_letter = 1 WHERE id = (SELECT min(id) FROM job)")
        tiles = scene.said().sections["tiles"]

    assert "Dead 2 2 groups · +1 today" in tiles


def test_clocks_that_differ(scene: Scene) -> None:
    scene.queue.enqueue("add", (1, 2))
    with scene.worker():
        scene.alter("UPDATE worker SET heartbeat_at = heartbeat_at + ?", 5 * MINUTE)
        problem = scene.problem("The clock differs from that of worker ")

    assert problem["links"] == ["/workers"]
    assert problem["commands"] == 1


def test_database_on_a_network_file_system(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "network", lambda _file: "nfs4")
    scene.queue.enqueue("add", (1, 2))
    problem = scene.problem("The database lies on a network file system — nfs4: ")

    assert problem["links"] == ["/system"]
    assert problem["commands"] == 1


def test_paused_queue_with_jobs(scene: Scene) -> None:
    scene.queue.enqueue("add", (1, 2), queue="emails")
    scene.queue.pause("emails")
    with scene.worker():
        scene.alter("UPDATE job SET run_at = run_at - ?", 12 * MINUTE)
        problem = scene.problem("Paused queue emails — 1 job waits, oldest 12 min.")

    assert problem["links"] == ["/queues/emails"]
    assert problem["presses"] == ["/queues/emails/resume"]


@pytest.mark.parametrize(
    ("limit", "value", "begin"),
    [
        ("LONG_LOG", 0, "The write-ahead log is large — "),
        ("LEAST_FREE", 2**62, "The disk is nearly full — "),
        ("MOST_FINISHED", 0, "Finished jobs are never deleted — 1 jobs are kept; "),
    ],
)
def test_trouble_with_the_database(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, limit: str, value: int, begin: str
) -> None:
    with scene.worker() as work:
        scene.queue.enqueue("add", (1, 2))
        work()
        monkeypatch.setattr(upkeep, limit, value)
        problem = scene.problem(begin)

    assert problem["links"] == ["/system"]
    assert problem["commands"] == 1
