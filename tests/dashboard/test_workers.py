"""The page of workers: who works, who is gone, and sending one away."""

import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from werkzeug.test import Client

from taskito import Queue
from taskito.bulk import Bulk
from taskito_dashboard import create_app
from tests.dashboard.asking import UNKNOWN, get, page, post, words
from tests.support.until import until

_LEFT = """
INSERT INTO worker (
    key, hostname, pid, version, queues, tasks, concurrency, started_at, heartbeat_at, ended
) VALUES (?, 'elsewhere', 7, '0.3.0', 'media', '', 4, ?, ?, 41220)
"""


def change(queue: Queue, statement: str, *given: object) -> None:
    with closing(sqlite3.connect(queue.db_path, isolation_level=None)) as database:
        database.execute(statement, given)


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    gate = threading.Event()
    yield gate
    gate.set()


@pytest.fixture
def start(queue: Queue, gate: threading.Event) -> Iterator[Callable[..., threading.Thread]]:
    """What starts a worker that knows ``hold``, and waits until it is on the roster."""

    @queue.task(name="hold")
    def hold(*_: object) -> None:
        gate.wait()

    threads: list[threading.Thread] = []

    def start(**settings: int) -> threading.Thread:
        before = len(queue.workers())
        thread = threading.Thread(target=queue.run_worker, kwargs=settings)
        thread.start()
        threads.append(thread)
        until(lambda: len(queue.workers()) > before)
        return thread

    yield start
    gate.set()
    queue.shutdown(wait=True)
    for thread in threads:
        thread.join()


class TestList:
    def test_says_what_each_runs_and_how_much_it_has_done(
        self, client: Client, queue: Queue, start: Callable[..., threading.Thread]
    ) -> None:
        start()
        queue.enqueue("hold", (1, "two"))
        queue.enqueue("hold", (3,))
        until(lambda: len(get(client, "/api/running")) == 2)
        (worker,) = queue.workers()
        change(queue, "UPDATE worker SET ended = 41220, rss = 96468992")
        said = words(page(client, "/workers"))
        assert f"{worker['hostname']}:{worker['pid']} active" in said
        runs = r"all 2/2 hold\(1, 'two'\) [\d.]+ m?s hold\(3\) [\d.]+ m?s 41,220 92.0 MiB"
        assert re.search(runs, said)

    def test_of_many_calls_the_longest_are_told(
        self, client: Client, queue: Queue, start: Callable[..., threading.Thread]
    ) -> None:
        start(workers=4)
        queue.enqueue_many("hold", [(number,) for number in range(4)])
        until(lambda: len(get(client, "/api/running")) == 4)
        (worker,) = queue.workers()
        html = page(client, "/workers")
        assert "and 2 more" in words(html)
        found = f"/jobs?filter=state%3Arunning+worker%3A{worker['worker_id']}"
        assert f'href="{found}"' in html
        assert page(client, found).count('<tr id="job-') == 4

    def test_one_that_gives_no_sign_of_life_is_stale(
        self, client: Client, queue: Queue, start: Callable[..., threading.Thread]
    ) -> None:
        start()
        change(queue, "UPDATE worker SET heartbeat_at = heartbeat_at - 60000")
        said = words(page(client, "/workers"))
        assert "stale" in said
        assert "stopped or stuck with 0 jobs" in said
        assert "1 min ago" in said

    def test_one_whose_process_is_gone_is_lost_and_cannot_be_drained(
        self, client: Client, queue: Queue
    ) -> None:
        queue.enqueue("add", (1, 2))
        with queue._database as store:
            at = store.now
        change(queue, _LEFT, 5, at, at)
        change(queue, "UPDATE job SET state = 'running', owner = 1, fence = 1, claimed_at = ?", at)
        html = page(client, "/workers")
        said = words(html)
        assert "elsewhere:7 lost" in said
        assert "gone; 1 job returns with the next worker 41,220" in said
        assert ">Drain<" not in html


class TestDrain:
    def test_a_press_ends_the_worker_and_is_written_down(
        self,
        client: Client,
        queue: Queue,
        start: Callable[..., threading.Thread],
        gate: threading.Event,
    ) -> None:
        thread = start()
        job = queue.enqueue("hold")
        until(lambda: get(client, "/api/running"))
        (worker,) = queue.workers()
        answer = client.post(f"/workers/{worker['worker_id']}/drain", data={"back": "/workers"})
        assert answer.status_code == 303
        said = words(page(client, answer.headers["Location"]))
        assert "The worker takes nothing more, finishes what runs, and leaves." in said
        assert "draining" in said
        (deed,) = Bulk(queue).deeds()
        assert (deed.deed, deed.subject) == ("drain", worker["worker_id"])
        gate.set()
        thread.join()
        assert job.status == "complete"
        assert "No worker runs." in page(client, "/workers")

    def test_a_program_asks_for_it_by_id(
        self, client: Client, start: Callable[..., threading.Thread]
    ) -> None:
        thread = start()
        (worker,) = get(client, "/api/workers")
        path = f"/api/workers/{worker['worker_id']}/drain"
        assert post(client, path) == {"draining": True}
        thread.join()
        told = post(client, path, status=404)
        assert told["error"] == f"worker not found: {worker['worker_id']}"
        for unknown in (UNKNOWN, "x"):
            assert post(client, f"/api/workers/{unknown}/drain", status=404)["hint"]
        assert client.post(f"/workers/{UNKNOWN}/drain").status_code == 404

    def test_who_may_only_look_sees_no_button_and_cannot(
        self, queue: Queue, start: Callable[..., threading.Thread]
    ) -> None:
        start()
        looks = Client(create_app(queue, read_only=True))
        (worker,) = queue.workers()
        assert ">Drain<" not in page(looks, "/workers")
        for path in ("/workers", "/api/workers"):
            assert looks.post(f"{path}/{worker['worker_id']}/drain").status_code == 403
        assert queue.workers()[0]["status"] == "active"
