"""Every address of the dashboard: who may ask, by which method, and what comes back."""

import re
from pathlib import Path

import pytest
from werkzeug.test import Client

from taskito import Queue
from taskito_dashboard import create_app
from taskito_dashboard.routes import TABLE
from taskito_dashboard.routing import Route

ROUTES = list(TABLE.routes)
TOKEN = "s3cret"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
UNKNOWN = "01a213be-92ec-71cc-a138-889512eab6a9"
METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"}


def path_of(route: Route) -> str:
    path = route.path.replace("<file>", "style.css").replace("<id>", UNKNOWN)
    return re.sub("<name:name>", "some%2Fname", path)


def pattern_of(route: Route) -> re.Pattern[str]:
    path = re.sub("<name:name>", ".+", route.path)
    return re.compile(re.sub(r"<\w+>", "[^/]+", path))


def label(route: Route) -> str:
    return f"{route.method} {route.path}"


@pytest.fixture(params=["", "/a", "/a/b"])
def prefix(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class TestEveryRoute:
    """Each test asks for all addresses, as making a dashboard for each takes long."""

    def test_without_a_token_only_open_ones_answer(self, queue: Queue) -> None:
        client = Client(create_app(queue, token=TOKEN))
        for route in ROUTES:
            response = client.open(path_of(route), method=route.method)

            is_refused = route.role != "open" or route.path == "/login"
            assert (response.status_code in {401, 429}) == is_refused, label(route)

    def test_with_the_token_none_is_refused(self, queue: Queue) -> None:
        client = Client(create_app(queue, token=TOKEN))
        for route in ROUTES:
            if route.path != "/login":
                response = client.open(path_of(route), method=route.method, headers=BEARER)

                # What is unknown is told so, a form without fields is not enough.
                assert response.status_code in {200, 303, 400, 404}, label(route)

    def test_a_read_only_dashboard_refuses_what_acts_and_nothing_else(self, queue: Queue) -> None:
        client = Client(create_app(queue, read_only=True))
        for route in ROUTES:
            response = client.open(path_of(route), method=route.method)

            assert (response.status_code == 403) == (route.role == "admin"), label(route)

    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Origin": "http://localhost:9999"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
        ],
        ids=str,
    )
    def test_a_page_of_another_site_can_write_nothing(
        self, client: Client, headers: dict[str, str]
    ) -> None:
        for route in ROUTES:
            response = client.open(path_of(route), method=route.method, headers=headers)

            assert (response.status_code == 403) == (route.method != "GET"), label(route)

    def test_no_method_but_its_own_is_answered(self, client: Client) -> None:
        for route in ROUTES:
            path = path_of(route)
            allowed = {other.method for other in ROUTES if pattern_of(other).fullmatch(path)}
            if "GET" in allowed:
                allowed.add("HEAD")
            for method in METHODS - allowed:
                response = client.open(path, method=method)

                assert response.status_code == 405, (method, path)
                assert set(response.headers["Allow"].split(", ")) == allowed, path

    def test_head_has_the_headers_of_get_and_no_body(self, client: Client) -> None:
        for route in ROUTES:
            if route.method == "GET":
                full, bare = (client.open(path_of(route), method=m) for m in ("GET", "HEAD"))

                assert bare.status_code == full.status_code, label(route)
                assert bare.mimetype == full.mimetype, label(route)
                assert bare.data == b"", label(route)

    def test_every_answer_has_the_headers_that_protect(self, client: Client) -> None:
        for route in ROUTES:
            response = client.open(path_of(route), method=route.method)

            policy = response.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert not [name for name, _ in response.headers if name.startswith("Access-Control")]

    def test_no_page_has_a_script_or_style_of_its_own(self, client: Client, queue: Queue) -> None:
        job = queue.enqueue("add", (1, 2))
        for path in [*map(path_of, ROUTES), f"/jobs/{job.id}"]:
            response = client.get(path)
            if response.mimetype == "text/html":
                assert not re.findall(r"<style|\sstyle=|\son[a-z]+=|javascript:", response.text), (
                    path
                )
                scripts = re.findall(r"<script[^>]*>([^<]*)", response.text)
                assert not any(scripts), path

    def test_whatever_changes_something_needs_the_right_to(self) -> None:
        for route in ROUTES:
            if route.method != "GET":
                assert route.role == "admin" or route.path in {"/login", "/logout"}, label(route)


class TestPrefix:
    def test_links_of_all_pages_stay_below_it(self, queue: Queue, prefix: str) -> None:
        job = queue.enqueue("add", (1, 2))
        queue.enqueue("add", queue="a/b")
        client = Client(create_app(queue))
        pages = [path_of(route) for route in ROUTES if route.kind == "page"]
        for path in [*pages, f"/jobs/{job.id}", "/queues/a%2Fb", "/tasks/add"]:
            response = client.get(path, base_url=f"http://localhost{prefix}")
            text = response.text
            links = re.findall(r'(?:href|src|action)="([^"]*)"', text)
            assert links, path
            for link in links:
                assert link.startswith((f"{prefix}/", "#")), (path, link)
                if not link.startswith("#"):
                    assert not link.startswith("//"), link

    def test_forms_lead_back_below_it(self, queue: Queue, prefix: str) -> None:
        client = Client(create_app(queue))
        queue.enqueue("add")

        base = f"http://localhost{prefix}"
        response = client.post("/queues/default/pause", base_url=base)

        told = response.headers["Location"]
        assert told.startswith(f"{prefix}/queues?did=paused&n=1&of=default&at=")
        assert queue.paused_queues() == ["default"]

    def test_cookies_are_of_its_path(self, queue: Queue, prefix: str) -> None:
        client = Client(create_app(queue, token=TOKEN))

        base = f"http://localhost{prefix}"
        response = client.post("/login", data={"token": TOKEN}, base_url=base)

        assert f"Path={prefix}/;" in response.headers["Set-Cookie"] + ";"
        assert client.get("/api/stats", base_url=base).status_code == 200


class TestUnknown:
    @pytest.mark.parametrize("path", ["/api", "/api/", "/api/none", "/api/v1/none", "/static/no"])
    def test_addresses_for_machines_are_404_in_json(self, client: Client, path: str) -> None:
        response = client.get(path)

        assert response.status_code == 404
        assert response.json is not None
        assert {*response.json} == {"error", "hint"}

    @pytest.mark.parametrize(
        "path", ["/none", "/jobs/", "//", "/index.html", "/apiary", "/é/%00/%3Cb%3E"]
    )
    def test_any_other_path_is_the_page(self, client: Client, path: str) -> None:
        response = client.get(path)

        assert response.status_code == 200
        assert "<!DOCTYPE html>" in response.text
        assert "taskito dashboard" in response.text

    @pytest.mark.parametrize("path", ["/jobs/none", "/queues/none", "/tasks/none"])
    def test_what_is_not_stored_is_a_404_for_people(self, client: Client, path: str) -> None:
        response = client.get(path)

        assert response.status_code == 404
        assert response.mimetype == "text/html"
        assert "<!DOCTYPE html>" in response.text
        assert "none" in response.text


class TestFailing:
    def test_a_file_that_is_no_database_is_an_answer_and_not_a_dropped_connection(
        self, tmp_path: Path
    ) -> None:
        path = tmp_path / "jobs.db"
        path.write_text("this is not a database, and long enough to be taken for one" * 100)
        with Queue(path) as queue:
            client = Client(create_app(queue))
            document, page = client.get("/api/stats"), client.get("/")
            health = client.get("/healthz")

        assert document.status_code == page.status_code == health.status_code == 503
        assert document.json is not None
        assert "jobs.db" in document.json["error"]
        assert health.json == {"status": "unavailable"}
        assert "jobs.db" in page.text
        assert 'http-equiv="refresh"' in page.text

    def test_a_newer_database_says_what_to_do(self, queue: Queue, tmp_path: Path) -> None:
        import sqlite3

        queue.stats()
        queue.close()
        with sqlite3.connect(tmp_path / "jobs.db") as database:
            database.execute("PRAGMA user_version = 9999")
        database.close()
        with Queue(tmp_path / "jobs.db") as again:
            response = Client(create_app(again)).get("/")

        assert response.status_code == 503
        assert "9999" in response.text
        assert "upgrade taskito" in response.text

    @pytest.mark.parametrize("kind", [ZeroDivisionError, TypeError, ValueError])
    def test_a_defect_is_an_answer_and_in_the_log(
        self,
        queue: Queue,
        kind: type[Exception],
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        client = Client(create_app(queue))

        def fail(_self: Queue) -> None:
            raise kind("broken")

        monkeypatch.setattr(Queue, "stats", fail)

        response = client.get("/api/stats")

        assert response.status_code == 500
        assert response.json == {
            "error": f"{kind.__name__} in the dashboard",
            "hint": "the log of the dashboard has the traceback",
        }
        assert f"{kind.__name__}: broken" in caplog.text
        assert "broken" not in client.get("/system").text
