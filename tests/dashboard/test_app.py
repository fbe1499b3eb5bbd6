"""The dashboard's WSGI application on a real queue."""

import base64
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import Client, TestResponse

from taskito import Queue
from taskito_dashboard import create_app
from taskito_dashboard.security import host_of, is_loopback

LOCAL = "http://127.0.0.1:8080"


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    queue = Queue(tmp_path / "jobs.db")
    yield queue
    queue.close()


@pytest.fixture
def client(queue: Queue) -> Client:
    return Client(create_app(queue))


def get(client: Client, path: str, base_url: str = LOCAL) -> TestResponse:
    return client.get(path, base_url=base_url)


class TestPage:
    def test_it_shows_the_counts_of_the_queue(self, client: Client, queue: Queue) -> None:
        for _ in range(3):
            queue.enqueue("unknown_task")

        response = get(client, "/")

        assert response.status_code == 200
        assert response.mimetype == "text/html"
        assert "<!DOCTYPE html>" in response.text
        assert "taskito dashboard" in response.text
        assert '<th scope="row">pending</th><td>3</td>' in response.text
        assert '<th scope="row">total</th><td>3</td>' in response.text

    def test_it_escapes_what_it_did_not_write_itself(self, tmp_path: Path) -> None:
        with Queue(tmp_path / "<script>alert(1)<" / "jobs.db") as queue:
            page = get(Client(create_app(queue)), "/").text

        assert "<script" not in page
        assert "&lt;script&gt;alert(1)&lt;" in page

    def test_its_policy_admits_its_own_style_and_nothing_else(self, client: Client) -> None:
        response = get(client, "/")
        (style,) = re.findall("<style>(.*?)</style>", response.text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        policy = response.headers["Content-Security-Policy"].split("; ")

        assert "default-src 'none'" in policy
        assert f"style-src 'sha256-{digest}'" in policy

    def test_a_head_request_has_the_headers_and_no_body(self, client: Client) -> None:
        response = client.head("/", base_url=LOCAL)

        assert response.status_code == 200
        assert int(response.headers["Content-Length"]) > 0
        assert response.data == b""


class TestApi:
    def test_stats_are_those_of_the_queue(self, client: Client, queue: Queue) -> None:
        queue.enqueue("unknown_task")

        response = get(client, "/api/stats")

        assert response.mimetype == "application/json"
        assert response.json == queue.stats()
        assert queue.stats()["pending"] == 1

    @pytest.mark.parametrize("path", ["/api", "/api/jobs", "/jobs", "/static/../app.py"])
    def test_anything_else_is_a_404_in_json(self, client: Client, path: str) -> None:
        response = get(client, path)

        assert response.status_code == 404
        assert response.json == {
            "error": f"there is no page {path!r}",
            "hint": "try / or /api/stats",
        }

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
    def test_a_method_that_could_write_is_refused(self, client: Client, method: str) -> None:
        response = client.open("/api/stats", method=method, base_url=LOCAL)

        assert response.status_code == 405
        assert response.headers["Allow"] == "GET, HEAD"

    def test_a_queue_that_cannot_be_read_is_an_answer_and_not_a_dropped_connection(
        self, tmp_path: Path
    ) -> None:
        path = tmp_path / "jobs.db"
        path.write_text("this is not a database, and long enough to be taken for one" * 100)
        with Queue(path) as queue:
            response = get(Client(create_app(queue)), "/api/stats")

        assert response.status_code == 503
        assert response.json is not None
        assert "jobs.db" in response.json["error"]


class TestRefuseForeignHosts:
    @pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "localhost", "LOCALHOST", "[::1]"])
    def test_every_loopback_name_is_served(self, client: Client, host: str) -> None:
        assert get(client, "/api/stats", f"http://{host}:9000").status_code == 200

    @pytest.mark.parametrize(
        "host",
        ["example.com", "192.168.1.4", "0.0.0.0", "localhost.example.com", "127.0.0.1.example.com"],
    )
    def test_a_foreign_name_is_refused_before_anything_is_read(
        self, client: Client, host: str
    ) -> None:
        response = get(client, "/api/stats", f"http://{host}:8080")

        assert response.status_code == 403
        assert response.json == {
            "error": f"host {host!r} is not a loopback name",
            "hint": "open the page as http://127.0.0.1 on the machine it runs on",
        }

    @pytest.mark.parametrize(
        ("header", "name"),
        [("a:1", "a"), ("a", "a"), ("[::1]:80", "[::1]"), ("[::1]", "[::1]"), ("", "")],
    )
    def test_the_port_is_no_part_of_the_name(self, header: str, name: str) -> None:
        assert host_of(header) == name

    def test_a_missing_host_is_foreign(self) -> None:
        assert not is_loopback("")
