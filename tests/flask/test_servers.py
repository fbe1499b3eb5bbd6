"""Real web servers, a real worker, and real requests."""

import re
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine

from tests.flask.programs.shop import Base
from tests.flask.support import STARTING
from tests.support.processes import Program, Site
from tests.support.until import until

pytestmark = pytest.mark.timeout(300)  # a few processes with a few libraries each

SHOP = "tests.flask.programs.shop:create_app()"


class Shop:
    """One shop: its settings, its processes and its address."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.made = site.home / "made"
        self.env: dict[str, str] = {
            "FLASK_TASKITO_DB_PATH": str(site.database),
            "FLASK_SQLALCHEMY_DATABASE_URI": f"sqlite:///{site.home}/shop.db",
            "SHOP_INSTANCE": str(site.home),
            "SHOP_MADE": str(self.made),
            "HOME": str(site.home),  # where gunicorn keeps its control socket
        }
        engine = create_engine(self.env["FLASK_SQLALCHEMY_DATABASE_URI"])
        Base.metadata.create_all(engine)
        engine.dispose()

    def flask(self, *argv: str) -> Program:
        return self.site.run("-m", "flask", "--app", SHOP, *argv, env=self.env)

    def worker(self) -> Program:
        """Start a worker; it may not be up yet when this returns."""
        return self.flask("taskito", "worker", "--workers", "2")

    def gunicorn(self, *argv: str, env: Mapping[str, str] | None = None) -> "Server":
        options = ["--bind", "127.0.0.1:0", "--workers", "2", *argv]
        server = self.site.run("-m", "gunicorn", *options, SHOP, env={**self.env, **(env or {})})
        return Server(server, r"Listening at: (http://127\.0\.0\.1:\d+)")


class Server:
    """A web server, reached by real requests, each on a connection of its own."""

    def __init__(self, program: Program, where: str) -> None:
        self.program = program

        def address() -> str:
            assert program.is_running(), program.report()
            found = re.search(where, program.err)
            return found[1] if found else ""

        self.address = until(address, within=STARTING)

    def get(self, path: str) -> Any:
        answer = httpx.get(self.address + path, timeout=STARTING)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str) -> Any:
        answer = httpx.post(self.address + path, timeout=STARTING)
        assert answer.status_code == 202, answer.text
        return answer.json()

    def workers(self) -> set[int]:
        """Ids of both processes that answer requests."""
        pids: set[int] = set()

        def both() -> bool:
            pids.add(self.get("/process")["pid"])
            return len(pids) == 2

        until(both, within=STARTING)
        return pids

    def order_from_both(self) -> list[str]:
        """Place orders until both processes have stored jobs; their ids."""
        pids: set[int] = set()
        jobs: list[str] = []

        def both() -> bool:
            placed = self.post("/orders")
            pids.add(placed["pid"])
            jobs.append(placed["job"])
            return len(pids) == 2

        until(both, within=STARTING)
        return jobs

    def result_of(self, job: str) -> Any:
        def ended() -> Any:
            found = self.get(f"/jobs/{job}")
            assert found["status"] == "complete", found
            return found["result"]

        return until(ended, within=STARTING)

    def stop(self) -> None:
        """End it as an init system does."""
        self.program.send(signal.SIGTERM)
        assert self.program.wait(STARTING) == 0, self.program.report()


def open_files(pid: int, database: Path) -> set[str]:
    """What a process holds of a database: ``""`` for the file, ``-wal`` and so on beside it."""
    found: set[str] = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            found.add(str(descriptor.readlink()))
    return {path.removeprefix(str(database)) for path in found if path.startswith(str(database))}


def is_connected(pid: int, database: Path) -> bool:
    """Whether a process has a connection to a database, rather than spare descriptors."""
    maps = Path(f"/proc/{pid}/maps").read_text()
    return "-wal" in open_files(pid, database) or f"{database}-shm" in maps


def native_threads(pid: int) -> list[str]:
    return [path.read_text().strip() for path in Path(f"/proc/{pid}/task").glob("*/comm")]


@pytest.fixture
def shop(site: Site) -> Shop:
    return Shop(site)


def test_an_order_is_packed_by_a_worker_in_a_process_of_its_own(shop: Shop) -> None:
    worker = shop.worker()
    server = shop.gunicorn()

    for job in server.order_from_both():
        before, after = server.result_of(job)
        assert before == after == job

    server.stop()
    worker.send(signal.SIGTERM)
    assert worker.wait(STARTING) == 0


def test_a_failed_job_leaves_no_session_to_the_next(shop: Shop) -> None:
    shop.worker()
    server = shop.gunicorn()
    broken = shop.site.queue.enqueue("tests.flask.programs.shop.break_down", max_retries=0)
    broken.wait(timeout=STARTING)
    assert broken.status == "dead"

    assert server.result_of(server.post("/orders")["job"])
    server.stop()


def test_nothing_is_open_across_a_fork(shop: Shop) -> None:
    database = shop.site.database
    server = shop.gunicorn("--preload", env={"SHOP_EARLY": "1"})
    pids = server.workers()
    assert len(shop.made.read_text().split()) == 1, "the factory ran before the fork"
    assert shop.site.queue.count_jobs(task_name="early") == 1, "and used the queue"

    assert not is_connected(server.program.pid, database)
    for pid in pids:
        assert not {"", "-wal", "-shm"} & open_files(pid, database), "held across the fork"
        assert not is_connected(pid, database)
    server.order_from_both()
    for pid in pids:
        assert {"", "-wal", "-shm"} <= open_files(pid, database), "what is looked for is found"
        assert is_connected(pid, database)
    server.stop()


def test_processes_that_were_forked_after_the_queue_was_used_go_on_using_it(shop: Shop) -> None:
    shop.worker()
    server = shop.gunicorn("--preload", env={"SHOP_EARLY": "1"})

    for job in server.order_from_both():
        assert server.result_of(job) == [job, job]
    server.stop()


def test_web_processes_start_neither_threads_nor_workers(shop: Shop) -> None:
    server = shop.gunicorn("--preload", env={"SHOP_EARLY": "1"})
    pids = server.workers()
    server.order_from_both()

    for pid in pids:
        assert len(native_threads(pid)) == 1, native_threads(pid)
    for _ in range(4):
        assert server.get("/process")["threads"] == ["MainThread"]
    assert shop.site.queue.workers() == []
    server.stop()


def test_web_processes_end_cleanly_after_they_used_the_queue(shop: Shop) -> None:
    server = shop.gunicorn("--preload", "--graceful-timeout", "600")
    pids = server.workers()
    server.order_from_both()

    server.program.send(signal.SIGTERM)
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), within=STARTING)
    assert server.program.wait(STARTING) == 0
    assert "Traceback" not in server.program.err
    # One for each order and its announcement, whoever enqueued it.
    assert shop.site.queue.stats()["pending"] % 2 == 0


def test_the_reloader_makes_the_application_twice_and_starts_nothing(shop: Shop) -> None:
    program = shop.site.run(
        *("-m", "flask", "--app", SHOP, "--debug", "run", "--port", "0"), env=shop.env
    )
    server = Server(program, r"Running on (http://127\.0\.0\.1:\d+)")
    process = server.get("/process")
    made = [int(line) for line in shop.made.read_text().split()]

    assert set(made) == {program.pid, process["pid"]}
    assert len(made) == 2
    for pid in made:
        assert not open_files(pid, shop.site.database)
        assert not [name for name in native_threads(pid) if name.startswith("taskito")]
    assert not shop.site.database.exists()
    server.post("/orders")
    assert shop.site.queue.workers() == []


def test_the_page_is_served_to_those_who_may_see_it(shop: Shop) -> None:
    pytest.importorskip("taskito_dashboard", reason="it needs a newer Werkzeug")
    server = shop.gunicorn(env={"SHOP_MOUNT": "secret"})

    for path, text in (("/taskito/", "<!DOCTYPE html>"), ("/taskito/api/stats", '"pending"')):
        for headers, status in (({}, 403), ({"X-Staff": "secret"}, 200)):
            answer = httpx.get(server.address + path, headers=headers, timeout=STARTING)
            assert answer.status_code == status
            assert (text in answer.text) == (status == 200)
    server.stop()
