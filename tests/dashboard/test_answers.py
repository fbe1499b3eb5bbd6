"""What answers hold besides what other tests of them ask for: defaults, bytes, and rare fields."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from werkzeug.test import Client

from taskito import Queue, chain, current_job
from tests.dashboard.asking import UNKNOWN, Work, get, post


class TestLists:
    def test_they_are_arrays_of_fifty_unless_told(
        self, client: Client, queue: Queue, work: Work
    ) -> None:
        queue.enqueue_many("fail", [(str(number),) for number in range(51)])
        work()

        for path in ("/api/jobs", "/api/dead-letters"):
            response = client.get(path)
            rows = get(client, path)
            assert isinstance(rows, list)
            assert len(rows) == 50
            older = get(client, f"{path}?cursor={response.headers['X-Next-Cursor']}")
            assert older == get(client, f"{path}?offset=50")
            assert len(older) == 1
            assert len(get(client, f"{path}?limit=500")) == 51
            assert get(client, f"{path}?limit=501", 400)["error"] == "limit is '501'"

    def test_dead_letters_are_found_and_purged_by_queue(
        self, client: Client, dead: list[str]
    ) -> None:
        assert len(get(client, "/api/dead-letters?queue=default")) == len(dead)
        assert get(client, "/api/dead-letters?queue=other") == []
        assert post(client, "/api/dead-letters/purge?queue=other") == {"purged": 0}
        assert post(client, "/api/dead-letters/purge?queue=default") == {"purged": len(dead)}


def test_text_is_sent_as_utf_8_with_its_length_in_bytes(client: Client, queue: Queue) -> None:
    queue.enqueue("add", queue="é…")
    response = client.get("/api/queues")

    assert '"é…"'.encode() in response.data
    assert response.headers["Content-Length"] == str(len(response.data))


def test_a_refusal_is_an_object_with_error_and_hint(client: Client) -> None:
    for method, path, status in [
        ("GET", "/api/jobs?limit=x", 400),
        ("GET", f"/api/jobs/{UNKNOWN}", 404),
        ("POST", f"/api/jobs/{UNKNOWN}/replay", 404),
        ("DELETE", f"/api/dead-letters/{UNKNOWN}", 404),
        ("DELETE", "/api/stats", 405),
    ]:
        response = client.open(path, method=method)
        assert response.status_code == status, path
        assert response.json is not None, path
        assert {*response.json} == {"error", "hint"}, path
        assert response.json["error"], path


class TestJob:
    def test_while_it_runs_it_names_its_worker(
        self, client: Client, queue: Queue, work: Work
    ) -> None:
        told: dict[str, Any] = {}

        @queue.task(name="asks")
        def asks() -> None:
            told["job"] = get(client, f"/api/jobs/{current_job.id}")
            told["workers"] = get(client, "/api/workers")

        asks.delay()
        work()
        (worker,) = told["workers"]
        assert told["job"]["status"] == "running"
        assert told["job"]["worker_id"] == worker["worker_id"]

    def test_of_a_workflow_it_names_that(self, client: Client, queue: Queue, work: Work) -> None:
        @queue.task(name="double")
        def double(number: int) -> int:
            return 2 * number

        chain(double.s(1), double.s()).apply(queue)
        work()
        found = [get(client, f"/api/jobs/{job['id']}") for job in get(client, "/api/jobs")]

        assert len(found) == 2
        assert {job["workflow_id"] for job in found} == {found[-1]["id"]}
        assert get(client, f"/api/jobs/{queue.enqueue('add').id}")["workflow_id"] is None


class TestCounts:
    def test_breakers_are_told_with_their_state(
        self, client: Client, queue: Queue, work: Work
    ) -> None:
        settings = {"threshold": 1, "cooldown": 60}
        queue.task(name="frail", circuit_breaker=settings, max_retries=0)(divmod)
        queue.enqueue("frail", (1, 0))
        work()

        (breaker,) = get(client, "/api/circuit-breakers")
        assert [breaker] == queue.circuit_breakers()
        assert (breaker["task_name"], breaker["state"]) == ("frail", "open")

    def test_logs_and_metrics_are_those_of_the_last_hour_unless_told(
        self, client: Client, queue: Queue, work: Work, tmp_path: Path
    ) -> None:
        @queue.task(name="speaks")
        def speaks() -> None:
            for number in range(101):
                current_job.log(str(number))

        speaks.delay()
        work()
        assert len(get(client, "/api/logs")) == 100
        assert len(get(client, "/api/logs?limit=500")) == 101
        assert "speaks" in get(client, "/api/metrics")
        with closing(sqlite3.connect(tmp_path / "jobs.db")) as database, database:
            database.execute("UPDATE task_log SET logged_at = logged_at - 5400000")
            database.execute("UPDATE metric SET at = at - 5400000")
        for query in ("", "?since=3600"):
            assert get(client, f"/api/logs{query}") == []
            assert get(client, f"/api/metrics{query}") == {}
        assert "speaks" in get(client, "/api/metrics?since=7200")
        assert len(get(client, "/api/logs?since=7200")) == 100
