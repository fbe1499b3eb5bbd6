"""Web processes enqueue and read. They run nothing, keep nothing open, and end well."""

import json
import re
import signal
import urllib.parse
import urllib.request
from functools import partial
from typing import Any

import pytest

from tests.django.support import PATIENCE, Project
from tests.support.processes import Program
from tests.support.until import until

# Several processes of Django, one after the other, on a busy machine.
pytestmark = pytest.mark.timeout(300)

PRELOADED = [
    *("-m", "gunicorn", "--preload", "--workers", "2", "--bind", "127.0.0.1:0"),
    *("--graceful-timeout", "600"),  # one that hangs is not ended by that within our patience
]
EARLY = {"PROJECT_USES_THE_QUEUE_BEFORE_FORKING": "1"}


def address_of(server: Program, pattern: str) -> str:
    def told() -> str | None:
        assert server.is_running(), server.report()
        found = re.search(pattern, server.err)
        return found and found[1]

    return until(told, within=PATIENCE) or ""


def ask(url: str, **data: str) -> Any:
    """The JSON of a GET, or of a POST if there is data."""
    body = urllib.parse.urlencode(data).encode() if data else None
    with urllib.request.urlopen(url, body, timeout=PATIENCE) as answer:
        return json.loads(answer.read())


def is_done(url: str) -> bool:
    return bool(ask(url) == {"status": "SUCCESSFUL", "attempts": 1})


@pytest.fixture
def shop(project: Project) -> Project:
    """A project with tables."""
    project.manage("migrate", "--run-syncdb", "-v", "0")
    return project


class TestGunicorn:
    @pytest.mark.parametrize("env", [{}, EARLY], ids=["untouched", "used before the fork"])
    def test_a_preloaded_server_works_and_ends_well(
        self, shop: Project, env: dict[str, str]
    ) -> None:
        server = shop.run(*PRELOADED, "tests.django.project.wsgi", env=env)
        base = address_of(server, r"Listening at: (http://127\.0\.0\.1:\d+)")
        before = ask(f"{base}/process/")
        placed = [ask(f"{base}/orders/", customer=name) for name in ("ann", "bob", "eve")]
        shop.worker()
        for order in placed:
            url = f"{base}/orders/?result={order['result']}"
            until(partial(is_done, url), within=PATIENCE)
        after = ask(f"{base}/process/")

        database = {f"{shop.home}/taskito.db{end}" for end in ("", "-wal", "-shm")}
        for process in (before, after):
            assert process["threads"] == ["MainThread"]
            assert env or not database & set(process["files of the parent"])
        assert not database & set(before["files"])
        assert shop.orders() == [("ann", True), ("bob", True), ("eve", True)]

        server.send(signal.SIGTERM)
        assert server.wait(PATIENCE) == 0
        assert "Traceback" not in server.err
        assert [row["pid"] for row in shop.queue.workers()] == [shop.programs[-1].pid]


class TestUvicorn:
    def test_a_coroutine_enqueues_without_a_thread_of_ours(self, shop: Project) -> None:
        server = shop.run("-m", "uvicorn", "--port", "0", "tests.django.project.asgi:application")
        base = address_of(server, r"running on (http://127\.0\.0\.1:\d+)")
        placed = ask(f"{base}/orders/later/?customer=ann")
        shop.worker()

        until(lambda: shop.orders() == [("ann", True)], within=PATIENCE)
        assert shop.ended(placed["result"]).status == "complete"
        assert not [name for name in ask(f"{base}/process/")["threads"] if "taskito" in name]
        server.send(signal.SIGTERM)
        server.wait(PATIENCE)
        assert "Traceback" not in server.err
