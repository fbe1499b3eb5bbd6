"""The pages of tasks and queues: numbers, drawings, settings, and what leads on."""

import re
from html import unescape

import pytest
from werkzeug.test import Client

from taskito import Queue
from taskito.testing._manual import manual_worker
from taskito_dashboard import create_app
from taskito_dashboard.app import Application
from taskito_dashboard.security import Guard, Rules
from taskito_dashboard.sketches import histogram, stacked
from taskito_dashboard.source import Source
from tests.dashboard.asking import Work, page, words
from tests.dashboard.test_queue_page import section


def row(html: str, name: str) -> str:
    """The row of a table that begins with a link to something."""
    rows: list[str] = re.findall(r"<tr>.*?</tr>", html, re.DOTALL)
    found = [part for part in rows if f">{name}</a>" in part]
    assert len(found) == 1, name
    return found[0]


def cells(html: str) -> list[str]:
    return [words(cell) for cell in re.findall(r"<td.*?</td>", html, re.DOTALL)]


class TestSketches:
    def test_what_failed_lies_below_what_was_done(self) -> None:
        buckets = [
            {"at": 120, "done": 9, "failed": 1},
            {"at": 360, "done": 5, "failed": 0},
        ]
        assert stacked(buckets, range(0, 400, 120)) == [
            (1, "failed", 18.0, 2.0),
            (1, "complete", 0.0, 18.0),
            (3, "complete", 10.0, 10.0),
        ]
        assert stacked([], range(0, 400, 120)) == []

    def test_a_single_failure_among_many_can_be_seen(self) -> None:
        (failed, done) = stacked([{"at": 0, "done": 9999, "failed": 1}], range(0, 1, 1))
        assert failed == (0, "failed", 19.0, 1.0)
        assert done[2] >= 0

    def test_a_histogram_goes_from_the_shortest_to_the_longest(self) -> None:
        counts = [0] * 48
        counts[1], counts[3] = 1, 3
        first, second, third = histogram(counts)
        assert (first.begin, second.begin, third.end) == (1.0, 2**0.5, 2**1.5)
        assert [one.number for one in (first, second, third)] == [1, 0, 3]
        assert (third.share, third.height, first.height) == (0.75, 100.0, 33.3)
        assert histogram([0] * 48) == []

    def test_its_ends_are_open(self) -> None:
        counts = [0] * 48
        counts[0] = counts[47] = 1
        stretches = histogram(counts)
        assert (stretches[0].begin, stretches[-1].end) == (0.0, None)


class TestTasks:
    def test_a_row_tells_waits_runs_settings_and_the_last_hour(
        self, client: Client, queue: Queue
    ) -> None:
        queue.task(name="slow", queue="mail", max_retries=4, timeout=90, rate_limit="100/m")(int)
        with manual_worker(queue) as worker:
            queue.enqueue("slow")
            queue.enqueue("slow", queue="other")
            queue.enqueue("slow", delay=9999)
            worker.advance(30)
            worker.run()
            found = row(page(client, "/tasks"), "slow")
        told = cells(found)
        assert told[1] == "mail + 1"
        assert told[2:4] == ["2", "0.0 %"]
        assert re.fullmatch(r"\d\d\.\d s · \d\d\.\d s", told[4])
        assert told[7:] == ["1 / 0 / 0", "4", "1 min 30 s", "100/m", "0"]
        assert 'aria-label="2 attempts in the last hour, 0 failed"' in found
        assert found.count('<rect class="complete"') == 1

    def test_an_open_breaker_is_beside_the_name(self, client: Client, queue: Queue) -> None:
        task = queue.task(name="breaks", max_retries=0, circuit_breaker={"threshold": 1})(
            lambda: 1 / 0
        )
        task.delay()
        with queue._stepping() as worker:
            worker.run_next()
            assert cells(row(page(client, "/tasks"), "breaks"))[0] == "breaks open"

    def test_without_a_program_limits_are_those_a_worker_announced(self, queue: Queue) -> None:
        queue.task(name="few", max_concurrent=2)(int).delay()
        with queue._stepping() as worker:
            worker.run_next()
        with Queue(queue.db_path) as bare:
            client = Client(Application(Source(bare, decodes=False), Guard(Rules())))
            told = cells(row(page(client, "/tasks"), "few"))
            settings = words(section(page(client, "/tasks/few"), "limits"))
        assert told[8:] == ["–", "–", "2 at once", "0"]  # noqa: RUF001 - what tables have
        assert "Retries 3 the newest job" in settings
        assert "Timeout 5 min the newest job" in settings
        assert "At once 2 the worker that started last" in settings


class TestTask:
    def test_it_says_where_settings_come_from(self, client: Client, queue: Queue) -> None:
        queue.task(name="few", max_concurrent=2, queue="mail")(int)
        html = page(client, "/tasks/few")
        settings = words(section(html, "limits"))
        assert "Queue mail this program" in settings
        assert "At once 2 this program" in settings
        assert 'href="/queues/mail"' in html
        with queue._stepping() as worker:
            queue.enqueue("few")
            worker.run_next()
            settings = words(section(page(client, "/tasks/few"), "limits"))
        assert "At once 2 the worker that started last" in settings

    def test_run_times_are_a_drawing_and_a_table(
        self, client: Client, queue: Queue, work: Work
    ) -> None:
        queue.enqueue_many("add", [(1, 2)] * 3)
        assert 'id="run-times"' not in page(client, "/tasks/add?t=15m")
        work()
        # Another range: what was read for that one is some seconds old.
        found = section(page(client, "/tasks/add?t=1h"), "run-times")
        assert re.search(r'<rect class="running"[^>]* height="100.0"', found)
        table = re.findall(r"<tbody>.*</tbody>", found, re.DOTALL)[0]
        assert sum(int(one[2]) for one in map(cells, table.split("</tr>")) if one) == 3
        assert "As a table" in found

    @pytest.mark.usefixtures("dead")
    def test_failures_of_the_task_lead_to_their_group(self, client: Client) -> None:
        found = section(page(client, "/tasks/fail"), "failures")
        (link,) = re.findall(r'href="(/failures/[0-9a-f]+)"', found)
        assert "RuntimeError: fault {N}" in found
        assert "3 dead" in words(page(client, link))
        assert 'id="failures"' not in page(client, "/tasks/add")

    def test_the_slowest_of_the_newest_jobs_are_told(self, client: Client, queue: Queue) -> None:
        lengths = [1, 9, 3]
        with manual_worker(queue) as worker:

            def run(seconds: int) -> None:
                worker.advance(seconds)

            queue.task(name="takes")(run)
            jobs = [queue.enqueue("takes", (seconds,)) for seconds in lengths]
            queue.enqueue("takes", (0,), delay=9999)
            worker.run()
            found = section(page(client, "/tasks/takes"), "slowest")
        ids = re.findall(r'<tr id="job-([^"]+)"', found)
        assert ids == [jobs[1].id, jobs[2].id, jobs[0].id]
        assert "Slowest jobs of the newest 4" in words(found)

    def test_a_job_of_long_ago_is_not_looked_for_among_all(
        self, client: Client, queue: Queue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("taskito_dashboard.source.MOST_RECENT", 2)
        with manual_worker(queue) as worker:
            old = queue.enqueue("fail", ("x",))
            for _ in range(4):
                worker.advance(1)
                queue.enqueue("add", (1, 2))
            text = page(client, "/tasks/fail")
        assert old.id not in section(text, "recent")
        assert "None among the newest 100,000 jobs." in section(text, "recent")
        assert "Pending 1" in words(text)


class TestQueues:
    def test_a_row_tells_what_waits_comes_and_is_done(self, client: Client, queue: Queue) -> None:
        with manual_worker(queue) as worker:
            queue.enqueue_many("add", [(1, 2)] * 10, queue="mail")
            worker.run()
            queue.enqueue_many("add", [(1, 2)] * 5, queue="mail")
            queue.enqueue("add", (1, 2), queue="mail", delay=9999)
            queue.enqueue_many("add", [(1, 2)] * 10, queue="other")
            queue.set_queue_concurrency("mail", 3)
            worker.advance(20)
            html = page(client, "/queues")
        mail = cells(row(html, "mail"))
        assert mail[1:3] == ["waiting", "5 · 20.0 s"]
        assert mail[3:7] == ["1", "0/3", "3", "2"]
        assert mail[7] == "never"
        assert cells(row(html, "other"))[5:8] == ["2", "0", "never"]

    def test_states_are_words(self, client: Client, queue: Queue) -> None:
        queue.enqueue("add", (1, 2))
        assert cells(row(page(client, "/queues"), "default"))[1] == "no worker"
        with queue._stepping():
            assert cells(row(page(client, "/queues"), "default"))[1] == "waiting"
            queue.pause("default")
            assert cells(row(page(client, "/queues"), "default"))[1] == "paused"
        queue.set_queue_concurrency("mail", 1)
        assert cells(row(page(client, "/queues"), "mail"))[1] == "idle"

    def test_a_running_queue_is_at_work_or_full(self, client: Client, queue: Queue) -> None:
        told: list[str] = []

        @queue.task(name="looks")
        def looks() -> None:
            told.append(cells(row(page(client, "/queues"), "default"))[1])
            queue.set_queue_concurrency("default", 1)
            told.append(cells(row(page(client, "/queues"), "default"))[1])

        looks.delay()
        with queue._stepping() as worker:
            worker.run_next()
        assert told == ["working", "full"]

    def test_ready_jobs_are_cancelled_as_an_operation(self, client: Client, queue: Queue) -> None:
        queue.enqueue_many("add", [(1, 2)] * 3, queue="a b")
        queue.enqueue("add", (1, 2), queue="a b", delay=9999)
        (link,) = re.findall(r'href="([^"]*)">Cancel ready…', page(client, "/queues"))
        assert link in page(client, "/queues/a%20b")
        asked = page(client, unescape(link))
        assert "Cancel 3 jobs" in words(asked)
        sent = {"verb": "cancel", "filter": 'queue:"a b" state:ready'}
        client.post("/operations", data=sent)
        assert queue.count_jobs("cancelled") == 3
        assert queue.count_jobs("pending") == 1
        assert "Cancel ready…" not in page(client, "/queues")

    def test_a_queue_whose_name_finds_others_has_no_such_button(
        self, client: Client, queue: Queue
    ) -> None:
        queue.enqueue("add", (1, 2), queue="a*")
        queue.enqueue("add", (1, 2), queue="ab")
        html = page(client, "/queues")
        assert "Cancel ready…" not in row(html, "a*")
        assert "Cancel ready…" in row(html, "ab")

    def test_who_may_only_look_has_no_buttons(self, queue: Queue) -> None:
        queue.enqueue("add", (1, 2))
        guest = Client(create_app(queue, read_only=True))
        assert "Cancel ready…" not in page(guest, "/queues")
        assert "Limit…" not in page(guest, "/queues")


class TestQueue:
    def test_tiles_tell_apart_what_waits(self, client: Client, queue: Queue) -> None:
        first = queue.enqueue("add", (1, 2))
        queue.enqueue("add", (1, 2), delay=9999)
        queue.enqueue("add", (1, 2), depends_on=first.id)
        counts = section(page(client, "/queues/default"), "counts")
        told = words(counts)
        assert "Ready 1 oldest" in told
        assert "Scheduled 1 1 wait for other jobs" in told
        assert "In / min 1 stored" in told
        (link,) = re.findall(r'href="([^"]*)"><span class="label">Ready', counts)
        assert first.id in page(client, unescape(link))
