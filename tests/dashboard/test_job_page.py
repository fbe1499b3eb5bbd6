"""The page of one job: what leads in each state, and what can be done."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import pytest
from werkzeug.test import Client

from taskito import Queue
from taskito.bulk import Bulk
from taskito.context import current_job
from taskito_dashboard import create_app
from taskito_dashboard.prospects import ahead, compared, turn
from tests.dashboard.asking import UNKNOWN, Work, get, page, post, words
from tests.support.until import until

MINUTE = 60_000
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def plain(text: str) -> str:
    return text.replace("\u202f", " ")


def sections(html: str) -> list[str]:
    """The ids of the cards of a page, in order."""
    return re.findall(r'<section (?:class="card" )?id="([^"]*)"', html)


class TestProspects:
    @pytest.mark.parametrize(
        ("progress", "begun_at", "told"),
        [
            (50, 0, "50 % / min · about 1 min left"),
            (5, 0, "5.0 % / min · about 19 min left"),
            (40, 50_000, "4.0 % / s · about 15.0 s left"),
            (0, 0, ""),
            (None, 0, ""),
            (100, 0, ""),
            (50, None, ""),
            (50, MINUTE, ""),
        ],
    )
    def test_the_rest_takes_as_long_as_what_is_done(
        self, progress: int | None, begun_at: int | None, told: str
    ) -> None:
        assert plain(ahead(progress, begun_at, MINUTE)) == told

    def test_whose_turn_it_is_when(self) -> None:
        assert plain(turn(340, 1700)) == "about 12.0 s at the present rate"
        assert turn(340, 0) == ""

    def test_a_run_is_compared_with_those_of_its_task(self) -> None:
        day = {"p50": 1100.0, "p95": 4000.0}
        assert (
            plain(compared(2300, day)) == "ran 2.3 s; its task 1.1 s (p50) to 4.0 s (p95) in 24 h"
        )
        assert plain(compared(2300, {})) == "ran 2.3 s"
        assert compared(None, day) == ""


class TestWaiting:
    def test_one_that_is_scheduled_can_be_run_now(
        self, client: Client, queue: Queue, work: Work
    ) -> None:
        job = queue.enqueue("add", (1, 2), delay=3600)
        html = page(client, f"/jobs/{job.id}")
        assert "Run now" in words(html)
        answer = client.post(f"/jobs/{job.id}/run-now", data={"back": f"/jobs/{job.id}"})
        assert "1 job due now." in words(page(client, answer.location))
        assert "Run now" not in words(page(client, f"/jobs/{job.id}"))
        work()

        assert job.status == "complete"
        assert client.post(f"/jobs/{job.id}/run-now").status_code == 409
        assert client.post(f"/jobs/{UNKNOWN}/run-now").status_code == 404
        deeds = [deed.subject for deed in Bulk(queue).deeds() if deed.deed == "run-now"]
        assert deeds == [job.id]

    def test_a_retry_can_be_run_now_by_the_api(
        self, client: Client, queue: Queue, work: Work
    ) -> None:
        job = queue.enqueue("fail", ("x",), max_retries=1)
        work()
        assert "for retry 1 of 1" in words(page(client, f"/jobs/{job.id}"))
        assert post(client, f"/api/jobs/{job.id}/run-now") == {"due": True}
        refused = post(client, f"/api/jobs/{job.id}/run-now", status=409)
        assert (refused["due"], refused["error"]) == (False, f"job {job.id} is pending")
        post(client, f"/api/jobs/{UNKNOWN}/run-now", status=404)
        work()

        assert job.status == "dead"

    def test_one_that_waits_for_others_cannot_be_run_now(
        self, client: Client, queue: Queue
    ) -> None:
        first = queue.enqueue("add", (1, 2), delay=60)
        job = queue.enqueue("add", (1, 2), depends_on=first.id, delay=3600)
        html = page(client, f"/jobs/{job.id}")

        assert "Run now" not in words(html)
        assert f'href="/jobs/{first.id}"' in html
        assert client.post(f"/jobs/{job.id}/run-now").status_code == 409

    def test_reasons_lead_to_where_something_can_be_done(
        self, client: Client, queue: Queue
    ) -> None:
        queue.pause("emails")
        job = queue.enqueue("add", (1, 2), queue="emails")
        html = page(client, f"/jobs/{job.id}")

        assert "queue 'emails' is paused Queue" in words(html)
        assert html.count('<a href="/queues/emails">Queue</a>') == 1
        assert "no worker runs Workers" in words(html)

    def test_its_turn_is_estimated_from_what_is_done(
        self, client: Client, queue: Queue, work: Work
    ) -> None:
        queue.enqueue_many("add", [(n, n) for n in range(10)])
        work()
        jobs = queue.enqueue_many("add", [(n, n) for n in range(3)])
        text = words(page(client, f"/jobs/{jobs[2].id}"))

        # Ten in five minutes, two are before it.
        assert "2 jobs are before it in its line: about 1 min at the present rate." in text


class TestRunning:
    @pytest.fixture
    def holding(self, queue: Queue) -> Iterator[Callable[[], str]]:
        gate = Event()

        @queue.task(name="hold", timeout=60)
        def hold() -> None:
            current_job.update_progress(40)
            current_job.log("halfway")
            assert gate.wait(30)

        thread = Thread(target=queue.run_worker)

        def start() -> str:
            thread.start()
            return hold.delay().id

        yield start
        gate.set()
        queue.shutdown()
        thread.join()

    def test_progress_and_logs_lead(self, client: Client, holding: Callable[[], str]) -> None:
        job_id = holding()
        html = until(lambda: told(client, job_id), within=20)

        assert sections(html)[:3] == ["progress", "logs", "timeline"]
        text = words(html)
        assert re.search(r"Progress for [\d.,]+ m?s of 1.min 40 % 40 % ", text)
        assert re.search(r"% / s · about [\d.]+.m?s left", text)
        assert "Cancel" in text
        assert re.search(r"Worker \S+:\d+", text)


def told(client: Client, job_id: str) -> str:
    html = page(client, f"/jobs/{job_id}")
    assert "left" in words(html)
    assert "halfway" in html
    return html


class TestEnded:
    def test_the_result_of_a_complete_one_leads(
        self, client: Client, queue: Queue, work: Work
    ) -> None:
        @queue.task(name="measure")
        def measure(where: str) -> dict[str, object]:
            return {"where": where, "seen": [1, 2]}

        job = measure.delay("north")
        work()
        html = page(client, f"/jobs/{job.id}")

        assert sections(html)[:2] == ["result", "timeline"]
        assert "where 'north' seen […] 2 0 1 1 2" in words(html)
        assert re.search(r"Result ran [\d.]+ m?s; its task ", words(html))
        assert "Delete…" in words(html)
        assert "from enqueue to completion" in words(html)

    def test_what_a_dead_one_failed_of_leads(
        self, client: Client, queue: Queue, work: Work
    ) -> None:
        job = queue.enqueue("fail", ("boom",), max_retries=0)
        work()
        html = page(client, f"/jobs/{job.id}")

        assert sections(html)[:2] == ["timeline", "attempt-0-1"]
        assert "Failed RuntimeError" in words(html)
        assert "Retries 0 of 0 left" in words(html)
        assert re.search(r"Worker \S+:\d+", words(html))


class TestDetails:
    def test_arguments_are_a_tree_without_what_is_secret(
        self, client: Client, queue: Queue
    ) -> None:
        job = queue.enqueue(
            "add", ([1, 2],), {"password": "hunter2", "to": {"name": "ana"}}, metadata={"n": 7}
        )
        html = page(client, f"/jobs/{job.id}")

        assert "Arguments 0 […] 2 0 1 1 2 password *** to {…} 1 name 'ana' As text" in words(html)
        assert "Notes n 7 As text" in words(html)
        assert "hunter2" not in html

    def test_without_a_preview_they_are_decoded(self, tmp_path: Path) -> None:
        with Queue(tmp_path / "blind.db", previews=False) as queue:
            job = queue.enqueue("add", (1,), {"to": ["ana"]})
            text = words(page(Client(create_app(queue)), f"/jobs/{job.id}"))

        assert 'Arguments 0 1 to […] 1 0 "ana" As text' in text

    def test_the_trace_is_named(self, client: Client, queue: Queue, tmp_path: Path) -> None:
        job = queue.enqueue("add", (1, 2))
        headers = f'{{"traceparent": "00-{TRACE}-00f067aa0ba902b7-01", "tenant": "eu"}}'
        with closing(sqlite3.connect(tmp_path / "jobs.db")) as database, database:
            database.execute("UPDATE job SET headers = ?", [headers])
        text = words(page(client, f"/jobs/{job.id}"))

        assert f"Trace {TRACE}" in text
        assert "traceparent" not in text
        assert "tenant eu" in text
        assert get(client, f"/api/jobs/{job.id}")["headers"]["tenant"] == "eu"
