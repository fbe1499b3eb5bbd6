"""Conditional requests: nothing is made or sent again that is known to be the same."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from werkzeug.test import Client, TestResponse

from taskito import Queue
from taskito_dashboard import app, create_app, keeping
from taskito_dashboard.rendering import THEME_COOKIE
from taskito_dashboard.routes import TABLE
from taskito_dashboard.source import Source

PATHS = sorted(
    route.path
    for route in TABLE.routes
    if route.method == "GET" and route.kind in {"json", "page"} and "<" not in route.path
)
ENQUEUE = "import sys, taskito; taskito.Queue(sys.argv[1]).enqueue('add', (1, 2))"


@pytest.fixture(autouse=True)
def moment(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Stop the clock that ages pages, and give what moves it on."""
    now = [1_000_000_000_000]
    monkeypatch.setattr(Source, "now", property(lambda _self: now[0]))

    def move(ms: int) -> None:
        now[0] += ms

    return move


def again(client: Client, path: str, response: TestResponse) -> TestResponse:
    return client.get(path, headers={"If-None-Match": response.headers["ETag"]})


@pytest.mark.parametrize("path", PATHS)
class TestEveryPageAndDocument:
    def test_it_is_sent_again_only_after_a_commit(
        self, client: Client, queue: Queue, path: str
    ) -> None:
        queue.enqueue("add", (1, 2))
        # Pages that store schedules of this program do that once.
        client.get(path)
        first = client.get(path)
        same = again(client, path, first)
        assert (first.status_code, same.status_code) == (200, 304)
        assert same.data == b""
        assert same.headers["ETag"] == first.headers["ETag"]

        queue.enqueue("add", (1, 2))
        changed = again(client, path, first)
        assert changed.status_code == 200
        assert changed.headers["ETag"] != first.headers["ETag"]


class TestShared:
    """Pages that ask for themselves, as htmx does."""

    @pytest.fixture(autouse=True)
    def long(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(keeping, "SHORTEST_S", 3600.0)
        monkeypatch.setattr(keeping, "LONGEST_S", 3600.0)

    @staticmethod
    def look(client: Client, path: str = "/jobs", tag: str = "") -> TestResponse:
        return client.get(path, headers={"HX-Request": "true", "If-None-Match": tag})

    def test_an_answer_is_made_once_for_all_who_look(self, client: Client, queue: Queue) -> None:
        first = self.look(client)
        queue.enqueue("add", (1, 2))
        other = self.look(client)
        assert (other.data, other.headers["ETag"]) == (first.data, first.headers["ETag"])
        assert other.headers["Content-Type"] == first.headers["Content-Type"]
        assert self.look(client, tag=first.headers["ETag"]).status_code == 304

    def test_who_comes_by_a_link_sees_how_it_is(self, client: Client, queue: Queue) -> None:
        first = self.look(client)
        queue.enqueue("add", (1, 2))
        now = client.get("/jobs")
        assert now.data != first.data
        assert self.look(client, tag=now.headers["ETag"]).status_code == 304

    def test_no_page_goes_back_to_how_it_was(self, client: Client, queue: Queue) -> None:
        self.look(client)
        queue.enqueue("add", (1, 2))
        now = client.get("/jobs")
        queue.enqueue("add", (3, 4))
        assert self.look(client).data == now.data

    def test_who_did_something_sees_it_at_once(self, client: Client, queue: Queue) -> None:
        queue.enqueue("add", (1, 2))
        first = self.look(client, "/queues")
        client.post("/queues/default/pause")
        assert "Resume" in self.look(client, "/queues").text
        assert "Resume" not in first.text

    def test_other_wishes_and_places_have_answers_of_their_own(self, client: Client) -> None:
        first = self.look(client)
        client.set_cookie(THEME_COOKIE, "dark")
        assert self.look(client).data != first.data
        assert self.look(client, "/jobs?filter=state:dead").data != first.data

    def test_it_is_not_shared_for_long(
        self, client: Client, queue: Queue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = self.look(client)
        queue.enqueue("add", (1, 2))
        monkeypatch.setattr(keeping, "LONGEST_S", -1.0)
        assert self.look(client).data != first.data


class TestChange:
    def test_a_commit_of_another_process_counts(
        self, client: Client, queue: Queue, tmp_path: Path
    ) -> None:
        queue.stats()
        first = client.get("/api/stats")
        path = str(tmp_path / "jobs.db")
        subprocess.run([sys.executable, "-c", ENQUEUE, path], check=True, timeout=20)

        changed = again(client, "/api/stats", first)
        assert changed.status_code == 200
        assert changed.json is not None
        assert changed.json["pending"] == 1

    def test_a_database_in_memory_changes_as_well(self) -> None:
        with Queue(":memory:") as queue:
            client = Client(create_app(queue))
            first = client.get("/api/stats")
            assert again(client, "/api/stats", first).status_code == 304
            queue.enqueue("add")
            assert again(client, "/api/stats", first).status_code == 200

    def test_an_unchanged_page_reads_nothing(
        self, client: Client, queue: Queue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        queue.enqueue("add")
        first = client.get("/")

        def fail(*_args: object) -> None:
            pytest.fail("the queue was asked")

        for name in ("stats", "list_queues", "workers", "list_jobs"):
            monkeypatch.setattr(Queue, name, fail)
        assert again(client, "/", first).status_code == 304

    def test_what_ages_is_sent_again_after_a_while(
        self, client: Client, queue: Queue, moment: Callable[[int], None]
    ) -> None:
        queue.enqueue("add")
        page, stats = client.get("/"), client.get("/api/stats")
        moment(app.BUCKET_MS)

        # A page says how long a job waits; a count stays as it is.
        assert again(client, "/", page).status_code == 200
        assert again(client, "/api/stats", stats).status_code == 304

    def test_another_theme_is_another_page(self, client: Client) -> None:
        first = client.get("/jobs")
        client.get("/theme?set=dark&back=/jobs")

        changed = again(client, "/jobs", first)
        assert changed.status_code == 200
        assert 'data-theme="dark"' in changed.text
        assert "Cookie" in changed.headers["Vary"]

    def test_a_tag_of_another_dashboard_fits_nothing(self, queue: Queue) -> None:
        one, other = Client(create_app(queue)), Client(create_app(queue))

        assert again(other, "/api/stats", one.get("/api/stats")).status_code == 200

    def test_processes_forked_from_one_are_told_apart(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Their counters may be equal by chance, as each counts for its own connection."""
        first = client.get("/api/stats")
        monkeypatch.setattr("taskito_dashboard.source.os.getpid", lambda: 1)

        assert again(client, "/api/stats", first).status_code == 200

    def test_files_of_the_page_are_kept_under_an_address_with_their_version(
        self, client: Client
    ) -> None:
        page = client.get("/").text
        link = page.partition('rel="stylesheet" href="')[2].partition('"')[0]
        response = client.get(link)

        assert "?v=" in link
        assert response.mimetype == "text/css"
        assert "immutable" in response.headers["Cache-Control"]
