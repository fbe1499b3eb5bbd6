"""The application in servers of its own: streams, clients that go, shutdown, forks, workers."""

import json
import signal
import sqlite3
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fastapi.conftest import PATIENCE, events_of, started, uvicorn_of, web
from tests.support.processes import Program, Site
from tests.support.until import until

pytestmark = pytest.mark.timeout(300)  # a few interpreters have to start, one after the other


def shop_worker(site: Site) -> Program:
    program = site.taskito("worker", "--app", "tests.fastapi.shop:queue")
    until(lambda: site.status_of(program) == "active", within=PATIENCE)
    return program


def stopped(program: Program, number: signal.Signals = signal.SIGTERM) -> None:
    """Stop a server; it must end as it does when it has nothing to do."""
    program.send(number)
    status = program.wait(PATIENCE)
    # uvicorn raises the signal again when it has stopped; its older versions end as click does.
    assert status in (0, -number) or program.err.endswith("\nAborted!\n"), program.report()
    assert "Traceback" not in program.err, program.report()
    assert "Cancel" not in program.err, program.report()


class Follower(threading.Thread):
    """A client that reads a stream to its end."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.url = url
        self.text = ""
        self.error: Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            with web.stream("GET", self.url, timeout=PATIENCE) as response:
                for part in response.iter_text():
                    self.text += part
        except Exception as error:
            self.error = error

    def has_begun(self) -> bool:
        assert self.error is None, self.error
        return "\n\n" in self.text


class TestRequests:
    def test_enqueue_and_follow_a_job_of_another_process(self, site: Site) -> None:
        address = started(uvicorn_of(site))
        shop_worker(site)
        with httpx.Client(base_url=address, timeout=PATIENCE) as client:
            response = client.post("/orders", params={"a": 1, "b": 2})
            assert response.status_code == 202
            place = response.headers["Location"]
            assert place == f"{address}/tasks/jobs/{response.json()['id']}"
            assert client.get(f"{place}/result?timeout=60").json()["result"] == 3

            gate = site.gate()
            job = site.queue.enqueue("report", (str(gate),))
            text = ""
            with client.stream("GET", f"/tasks/jobs/{job.id}/progress") as stream:
                for part in stream.iter_text():
                    text += part
                    if '"progress": 50' in text:
                        gate.unlink(missing_ok=True)
            events = events_of(text)
            assert events[0]["status"] in {"pending", "running"}
            assert {"status": "running", "progress": 50} in events
            assert events[-1] == {"status": "complete", "progress": 50}

    def test_that_wait_take_no_thread_each(self, site: Site) -> None:
        address = started(uvicorn_of(site))
        job = site.queue.enqueue("unknown")
        url = f"{address}/tasks/jobs/{job.id}"
        followers = [Follower(f"{url}/{what}") for what in ("result?timeout=300", "progress") * 25]
        until(lambda: all(each.has_begun() for each in followers[1::2]), within=PATIENCE)
        busy: dict[str, Any] = web.get(f"{address}/ping").json()
        assert len(busy["threads"]) < 20
        assert web.get(f"{address}/tasks/stats").json()["pending"] == 2
        site.queue.cancel_job(job.id)
        for follower in followers:
            follower.join(PATIENCE)
            assert not follower.is_alive()
            assert follower.error is None
        for follower in followers[::2]:
            assert json.loads(follower.text)["status"] == "cancelled"

    @pytest.mark.parametrize("what", ["progress", "result?timeout=300"])
    def test_of_clients_that_go_are_given_up(self, site: Site, what: str) -> None:
        server = uvicorn_of(site)
        address = started(server)
        job = site.queue.enqueue("unknown")

        def busy() -> list[str]:
            found: list[str] = web.get(f"{address}/ping").json()["tasks"]
            return found

        quiet = len(busy())
        with httpx.Client(timeout=1) as client, suppress(httpx.ReadTimeout):
            with client.stream("GET", f"{address}/tasks/jobs/{job.id}/{what}") as response:
                assert next(response.iter_lines()).startswith("data: ")
            assert what == "progress"
        until(lambda: len(busy()) == quiet, within=PATIENCE)
        until(
            lambda: "taskito-herald" not in web.get(f"{address}/ping").json()["threads"],
            within=PATIENCE,
        )
        stopped(server)


class TestShutdown:
    @pytest.mark.parametrize("env", [{}, {"SHOP_BARE": "1"}], ids=["lifespan", "no lifespan"])
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_ends_streams_and_answers_those_who_wait(
        self, site: Site, number: signal.Signals, env: dict[str, str]
    ) -> None:
        server = uvicorn_of(site, **env)
        address = started(server)
        job = site.queue.enqueue("unknown")
        stream = Follower(f"{address}/tasks/jobs/{job.id}/progress")
        waiting = Follower(f"{address}/tasks/jobs/{job.id}/result?timeout=300")
        until(stream.has_begun, within=PATIENCE)
        until(
            lambda: "taskito-herald" in web.get(f"{address}/ping").json()["threads"],
            within=PATIENCE,
        )
        stopped(server, number)
        for follower in (stream, waiting):
            follower.join(PATIENCE)
            assert follower.error is None
        assert {event["status"] for event in events_of(stream.text)} == {"pending"}
        assert json.loads(waiting.text)["status"] == "pending"

    def test_leaves_signals_as_they_were(self, site: Site) -> None:
        server = uvicorn_of(site)
        address = started(server)
        job = site.queue.enqueue("unknown")
        stream = Follower(f"{address}/tasks/jobs/{job.id}/progress")
        until(stream.has_begun, within=PATIENCE)
        site.queue.cancel_job(job.id)
        stream.join(PATIENCE)
        stopped(server)  # by uvicorn's own handler again

    def test_with_nothing_open_is_clean(self, site: Site) -> None:
        server = uvicorn_of(site)
        started(server)
        stopped(server)
        assert site.queue.workers() == []


class TestSeveralProcesses:
    def test_of_uvicorn_share_the_database(self, site: Site) -> None:
        server = uvicorn_of(site, "--workers", "2")
        address = started(server)
        shop_worker(site)
        pids, ids = processes_of(address, 2), set[str]()
        for n in range(20):
            ids.add(web.post(f"{address}/orders", params={"a": n, "b": n}).json()["id"])
        assert len(ids) == 20
        results = [
            web.get(f"{address}/tasks/jobs/{job_id}/result?timeout=60", timeout=2 * PATIENCE).json()
            for job_id in ids
        ]
        assert sorted(found["result"] for found in results) == [2 * n for n in range(20)]
        assert len(site.queue.workers()) == 1  # that of the test
        server.send(signal.SIGTERM)
        server.wait(PATIENCE)
        for pid in pids:
            assert not Path("/proc", str(pid)).exists()
        assert "Traceback" not in server.err

    @pytest.mark.parametrize("kind", ["uvicorn.workers.UvicornWorker", "asgi"])
    def test_of_gunicorn_may_share_what_was_used_before_the_fork(
        self, site: Site, kind: str
    ) -> None:
        """The module enqueues a job while it is imported, by the parent of both processes."""
        server = site.run(
            *("-W", "ignore::DeprecationWarning", "-m", "gunicorn", "tests.fastapi.shop:app"),
            *("--bind", "127.0.0.1:0", "--workers", "2", "--preload", "--worker-class", kind),
            *("--graceful-timeout", "600", "--control-socket", str(site.home / "control")),
        )
        address = started(server)
        imported = site.queue.list_jobs(task_name="imported")
        assert [job.metadata for job in imported] == [str(server.pid)]
        pids, ids = processes_of(address, 2), set[str]()
        assert server.pid not in pids

        def enqueue(count: int) -> None:
            for n in range(count):
                answer = web.post(f"{address}/orders", params={"a": n, "b": n})
                ids.add(answer.json()["id"])

        threads = [threading.Thread(target=enqueue, args=(25,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        assert len(ids) == 100
        assert site.queue.count_jobs(task_name="add") == 100
        assert site.queue.workers() == []
        connection = sqlite3.connect(site.database)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.close()

        job = site.queue.enqueue("unknown")
        stream = Follower(f"{address}/tasks/jobs/{job.id}/progress")
        until(stream.has_begun, within=PATIENCE)
        server.send(signal.SIGTERM)
        assert server.wait(PATIENCE) == 0  # long before the end of its grace
        stream.join(PATIENCE)
        assert "Traceback" not in server.err, server.report()

    def test_with_a_worker_each_fire_schedules_once(self, site: Site) -> None:
        server = uvicorn_of(site, "--workers", "4", SHOP_WORKER="1")
        started(server)
        until(lambda: len(site.queue.workers()) == 4, within=PATIENCE)
        until(lambda: site.queue.count_jobs("complete", task_name="tick") >= 4, within=PATIENCE)
        server.send(signal.SIGTERM)
        server.wait(PATIENCE)
        until(lambda: site.queue.workers() == [], within=PATIENCE)
        connection = sqlite3.connect(f"file:{site.database}?mode=ro", uri=True)
        fires = connection.execute(
            "SELECT fire_time FROM jobs WHERE schedule_name = 'tick'"
        ).fetchall()
        connection.close()
        assert len(fires) == len(set(fires)) >= 4
        assert "Traceback" not in server.err, server.report()


def processes_of(address: str, count: int) -> set[int]:
    """The ids of the processes that answer there, when so many have."""
    found: set[int] = set()

    def all_of_them() -> bool:
        found.add(web.get(f"{address}/ping").json()["pid"])
        return len(found) == count

    until(all_of_them, within=PATIENCE)
    return found
