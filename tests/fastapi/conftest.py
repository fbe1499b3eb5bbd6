"""Servers for tests: uvicorn in a thread, and in processes of its own."""

import json
import re
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from taskito import Queue
from taskito.contrib.fastapi import TaskitoRouter
from tests.support.processes import Program, Site, open_site
from tests.support.until import until
from tests.support.working import working

Serve: TypeAlias = Callable[[FastAPI], httpx.Client]
PATIENCE = 60
"""Seconds that anything a server of its own does may take on a busy machine."""
NOBODY = "01a21380-dba1-753b-addf-f5286503ed60"
"""The id of no job."""
web = httpx.Client(timeout=PATIENCE, limits=httpx.Limits(max_keepalive_connections=0))
"""Asks servers in processes of their own, each time over a new connection."""
_ADDRESS = re.compile(r"(?:running on|Listening at:) (http://127\.0\.0\.1:\d+)")


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    with Queue(tmp_path / "jobs.db", workers=2, drain_timeout=5, durability="normal") as queue:
        yield queue


@pytest.fixture
def worker(queue: Queue) -> Iterator[None]:
    """Run a worker in a thread until the test ends."""
    with working(queue):
        yield


@contextmanager
def serving(app: FastAPI) -> Generator[httpx.Client]:
    """Serve an application from a thread; end it as uvicorn ends, lifespan included."""
    config = uvicorn.Config(app, port=0, log_level="warning", lifespan="on")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started or not thread.is_alive(), within=PATIENCE)
    assert server.started
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
    assert not thread.is_alive(), "the server did not end"


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve applications until the test ends; gives a client for each."""
    with ExitStack() as stack:
        yield lambda app: stack.enter_context(serving(app))


@pytest.fixture
def client(queue: Queue, serve: Serve) -> httpx.Client:
    """Asks the routes of a queue."""
    app = FastAPI()
    app.include_router(TaskitoRouter(queue), prefix="/tasks")
    client = serve(app)
    client.base_url = client.base_url.join("/tasks/")
    return client


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with open_site(tmp_path, durability="normal") as site:
        yield site


def started(program: Program, within: float = PATIENCE) -> str:
    """The address of a server in a process of its own, once it answers there."""

    def address() -> str:
        assert program.is_running(), program.report()
        found = _ADDRESS.search(program.err)
        assert found, program.err
        web.get(f"{found[1]}/ping", timeout=5).raise_for_status()
        return found[1]

    def answers() -> str:
        try:
            return address()
        except httpx.HTTPError as error:
            raise AssertionError(str(error)) from error

    return until(answers, within=within)


def uvicorn_of(site: Site, *options: str, **env: str) -> Program:
    """Start ``uvicorn`` with the shop."""
    argv = ["-m", "uvicorn", "tests.fastapi.shop:app", "--port", "0", *options]
    return site.run(*argv, env=env)


def events_of(text: str) -> list[Any]:
    """The documents of a stream, each line being as it must."""
    *blocks, rest = text.split("\n\n")
    assert rest == ""
    assert all(block.startswith("data: {") and "\n" not in block for block in blocks)
    return [json.loads(block.removeprefix("data: ")) for block in blocks]


def answer(response: httpx.Response, status: int = 200) -> Any:
    """The document of an answer, which must have that status."""
    assert response.status_code == status, response.text
    return response.json()
