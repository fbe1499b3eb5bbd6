"""Queues, schedules, counts, metrics and probes through the JSON API."""

import re
import sys

import pytest
from werkzeug.test import Client

from taskito import Queue
from taskito_dashboard.routes import TABLE
from tests.dashboard.asking import Work, get

HOSTILE = "a/b %?#é<script>alert(1)</script>&\"'"
QUOTED = "a%2Fb%20%25%3F%23%C3%A9%3Cscript%3Ealert(1)%3C%2Fscript%3E%26%22%27"


class TestQueues:
    def test_they_are_listed_as_the_queue_tells(self, client: Client, queue: Queue) -> None:
        queue.enqueue("add", queue="emails")
        queue.pause("media")

        assert get(client, "/api/queues") == queue.list_queues()
        assert [row["name"] for row in get(client, "/api/queues")] == ["emails", "media"]

    @pytest.mark.parametrize(
        ("name", "quoted"), [("emails", "emails"), (HOSTILE, QUOTED), ("a/pause", "a%2Fpause")]
    )
    def test_any_name_is_paused_limited_and_resumed(
        self, client: Client, queue: Queue, name: str, quoted: str
    ) -> None:
        base = f"/api/queues/{quoted}"

        assert client.post(f"{base}/pause").json == {"paused": True}
        assert queue.paused_queues() == [name]
        limits = {"rate_limit": "5/s", "max_concurrent": 3}
        row = client.put(f"{base}/limits", json=limits).json
        assert row is not None
        assert (row["name"], row["rate_limit"], row["max_concurrent"]) == (name, "5/s", 3)
        assert client.post(f"{base}/resume").json == {"paused": False}
        assert queue.paused_queues() == []

    def test_an_absent_limit_stays_and_null_clears(self, client: Client, queue: Queue) -> None:
        path = "/api/queues/emails/limits"
        client.put(path, json={"rate_limit": "5/s", "max_concurrent": 3})

        client.put(path, json={"rate_limit": None})
        (row,) = queue.list_queues()
        assert (row["rate_limit"], row["max_concurrent"]) == (None, 3)

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"rate": "5/s"},
            {"rate_limit": "fast"},
            {"rate_limit": 5},
            {"max_concurrent": 0},
            {"max_concurrent": "3"},
            {"rate_limit": "9/s", "max_concurrent": 0},
        ],
        ids=str,
    )
    def test_a_wrong_limit_changes_nothing(
        self, client: Client, queue: Queue, body: dict[str, object]
    ) -> None:
        path = "/api/queues/emails/limits"
        client.put(path, json={"rate_limit": "5/s", "max_concurrent": 3})
        before = queue.list_queues()

        response = client.put(path, json=body)

        assert response.status_code == 400
        assert response.json is not None
        assert response.json["error"]
        assert queue.list_queues() == before


class TestSchedules:
    def test_one_is_paused_resumed_triggered_and_deleted(
        self, client: Client, queue: Queue
    ) -> None:
        @queue.periodic("0 3 * * *", name=HOSTILE)
        def nightly() -> None:
            raise NotImplementedError

        assert get(client, "/api/periodic") == queue.list_periodic()
        base = f"/api/periodic/{QUOTED}"
        assert client.post(f"{base}/pause").json == {"enabled": False}
        assert queue.list_periodic()[0]["enabled"] is False
        assert client.post(f"{base}/resume").json == {"enabled": True}
        triggered = client.post(f"{base}/trigger").json
        assert triggered is not None
        job = queue.get_job(triggered["job_id"])
        assert job is not None
        assert job.task_name == HOSTILE
        assert client.delete(base).json == {"deleted": True}
        assert queue.list_periodic() == []

    def test_an_unknown_one_is_404(self, client: Client) -> None:
        for name in ("pause", "resume", "trigger"):
            assert client.post(f"/api/periodic/none/{name}").status_code == 404
        assert client.delete("/api/periodic/none").status_code == 404


class TestCounts:
    def test_they_are_what_the_queue_tells(
        self, client: Client, queue: Queue, dead: list[str], work: Work
    ) -> None:
        queue.enqueue("add", (1, 2))
        work()
        with queue._stepping():
            assert get(client, "/api/workers") == queue.workers()
            assert isinstance(get(client, "/api/workers")[0]["queues"], list)

        assert get(client, "/api/stats") == queue.stats()
        assert queue.stats()["dead"] == len(dead)
        assert get(client, "/api/metrics") == queue.metrics()
        assert get(client, "/api/metrics?task=add&since=60.5").keys() == {"add"}
        assert get(client, "/api/circuit-breakers") == queue.circuit_breakers()

    def test_logs_are_filtered(self, client: Client, queue: Queue, work: Work) -> None:
        from taskito import current_job

        @queue.task(name="speaks")
        def speaks() -> None:
            current_job.log("one")
            current_job.log("two", level="error", extra={"a": 1})

        speaks.delay()
        work()
        assert get(client, "/api/logs") == queue.query_logs()
        assert len(get(client, "/api/logs")) == 2
        assert len(get(client, "/api/logs?limit=1")) == 1
        assert [line["message"] for line in get(client, "/api/logs?level=error")] == ["two"]
        assert get(client, "/api/logs?task=other") == []

    @pytest.mark.parametrize("since", ["-1", "nan", "inf", "x", "1e99"])
    def test_a_duration_that_is_none_is_refused(self, client: Client, since: str) -> None:
        for path in ("/api/metrics", "/api/logs"):
            response = client.get(f"{path}?since={since}")
            assert response.status_code == 400
            assert response.json is not None
            assert response.json["error"] == f"since is {since!r}"


class TestProbes:
    def test_health(self, client: Client) -> None:
        assert get(client, "/healthz") == {"status": "ok"}

    def test_metrics_are_read_by_prometheus(
        self, client: Client, queue: Queue, dead: list[str]
    ) -> None:
        from prometheus_client.parser import text_string_to_metric_families

        queue.enqueue("add", queue='we"ird\n')
        response = client.get("/metrics")

        assert response.status_code == 200
        assert response.mimetype == "text/plain"
        samples = {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(response.text)
            for sample in family.samples
        }
        assert samples["taskito_jobs", "default", "dead"] == len(dead)
        assert samples["taskito_queue_depth", 'we"ird\n'] == 1
        assert samples["taskito_workers", "active"] == 0

    def test_without_the_package_metrics_are_not_implemented(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "prometheus_client", None)
        response = client.get("/metrics")

        assert response.status_code == 501
        assert response.json is not None
        assert response.json["hint"] == "pip install 'taskito[prometheus]'"


class TestDescription:
    def test_it_names_every_route_of_the_api_and_nothing_else(self, client: Client) -> None:
        described = get(client, "/api/v1/openapi.json")
        found = {
            (method.upper(), path)
            for path, methods in described["paths"].items()
            for method in methods
        }
        served = {
            (route.method, re.sub(r"<(?:name:)?(\w+)>", r"{\1}", route.path)[4:])
            for route in TABLE.routes
            if route.path.startswith("/api/") and not route.path.startswith("/api/v1")
        }

        assert described["openapi"] == "3.1.0"
        assert found == served | {("GET", "/openapi.json")}

    def test_operations_can_be_told_apart_and_name_their_parameters(self, client: Client) -> None:
        described = get(client, "/api/v1/openapi.json")
        operations = [
            operation for methods in described["paths"].values() for operation in methods.values()
        ]

        ids = [operation["operationId"] for operation in operations]
        assert len(ids) == len(set(ids))
        assert all(operation["summary"] for operation in operations)
        limit = next(
            param
            for param in described["paths"]["/jobs"]["get"]["parameters"]
            if param["name"] == "limit"
        )
        assert limit["schema"] == {"type": "integer", "minimum": 0, "maximum": 500, "default": 50}

    def test_it_names_the_place_where_it_is_mounted(self, client: Client) -> None:
        response = client.get("/api/v1/openapi.json", base_url="http://localhost/a/b")

        assert response.json is not None
        assert response.json["servers"] == [{"url": "/a/b/api/v1"}]
