"""What surrounds the life of an application, and the Queue as a dependency."""

import asyncio
import gc
import sqlite3
import threading
import weakref
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request, WebSocket

from taskito import ConfigurationError, Queue, StorageError
from taskito.contrib.fastapi import JobRef, QueueDep, TaskitoRouter, get_queue, taskito_lifespan
from tests.fastapi.conftest import serving
from tests.support.until import until


def open_files(name: str) -> int:
    """How many descriptors of this process lead to files with that in their names."""
    found = Path("/proc/self/fd")
    links = [link for link in found.iterdir() if link.is_symlink()]
    return sum(name in str(link.readlink()) for link in links if link.exists())


def shop(**options: Any) -> FastAPI:
    app = FastAPI(**options)

    @app.get("/path")
    async def path(q: QueueDep) -> str:
        return q.db_path

    return app


class TestLifespan:
    def test_opens_the_database_and_releases_it(self, tmp_path: Path) -> None:
        queue = Queue(tmp_path / "opened.db")
        assert not (tmp_path / "opened.db").exists()
        with serving(shop(lifespan=taskito_lifespan(queue))) as client:
            assert (tmp_path / "opened.db").exists()
            assert open_files("opened.db-bell") > 0
            assert client.get("/path").json() == queue.db_path
        assert open_files("opened.db-bell") == 0

    def test_an_application_can_be_started_again(self, queue: Queue) -> None:
        app = shop(lifespan=taskito_lifespan(queue))
        app.include_router(TaskitoRouter(queue))
        ids = []
        for _ in range(2):
            with serving(app) as client:
                job = queue.enqueue("unknown")
                ids.append(job.id)
                with client.stream("GET", f"/jobs/{job.id}/progress") as stream:
                    lines = stream.iter_lines()
                    assert [next(lines), next(lines), next(lines)].count("") == 1
                    job.cancel()
                    list(lines)
        assert [queue.get_job(job_id) is not None for job_id in ids] == [True, True]

    @pytest.mark.usefixtures("worker")
    def test_leaves_a_worker_alone_that_somebody_else_has_started(self, queue: Queue) -> None:
        @queue.task
        def add(a: int, b: int) -> int:
            return a + b

        for _ in range(2):
            with serving(FastAPI(lifespan=taskito_lifespan(queue))):
                assert add.delay(1, 2).result() == 3
        assert add.delay(3, 4).result() == 7

    def test_keeps_what_is_in_memory(self) -> None:
        queue = Queue(":memory:")
        app = FastAPI(lifespan=taskito_lifespan(queue))
        for _ in range(2):
            with serving(app):
                queue.enqueue("unknown")
        assert queue.stats()["pending"] == 2
        queue.close()

    def test_an_application_whose_database_cannot_be_used_does_not_start(
        self, tmp_path: Path
    ) -> None:
        (tmp_path / "broken.db").write_text("this is no database, however long one looks at it")
        queue = Queue(tmp_path / "broken.db")
        enter = taskito_lifespan(queue)

        async def start() -> None:
            async with enter(FastAPI()):
                pytest.fail("it started")

        with pytest.raises(StorageError, match=r"broken\.db"):
            asyncio.run(start())

    def test_composes_with_others(self, queue: Queue) -> None:
        order: list[str] = []

        def named(name: str, state: dict[str, str] | None) -> Any:
            @asynccontextmanager
            async def lifespan(_app: FastAPI) -> AsyncGenerator[dict[str, str] | None]:
                order.append(f"enter {name}: {'pending' in queue.stats()}")
                yield state
                order.append(f"leave {name}: {'pending' in queue.stats()}")

            return lifespan

        lifespan = taskito_lifespan(
            queue, named("a", {"a": "1", "b": "1"}), named("none", None), named("b", {"b": "2"})
        )
        app = shop(lifespan=lifespan)

        @app.get("/state")
        async def state(request: Request) -> list[str]:
            return [request.state.a, request.state.b]

        with serving(app) as client:
            assert client.get("/state").json() == ["1", "2"]
        assert order == [
            *("enter a: True", "enter none: True", "enter b: True"),
            *("leave b: True", "leave none: True", "leave a: True"),
        ]

    def test_one_that_fails_to_start_leaves_those_before_it(self, queue: Queue) -> None:
        left: list[str] = []

        @asynccontextmanager
        async def first(_app: FastAPI) -> AsyncGenerator[None]:
            yield
            left.append("first")

        @asynccontextmanager
        async def second(_app: FastAPI) -> AsyncGenerator[None]:
            raise OSError("no broker")
            yield

        async def start() -> None:
            async with taskito_lifespan(queue, first, second, run_worker=True)(FastAPI()):
                pytest.fail("it started")

        with pytest.raises(OSError, match="no broker"):
            asyncio.run(start())
        assert left == []  # its own error is thrown into it
        assert queue.workers() == []

    def test_starts_no_worker_unless_told_to(self, queue: Queue) -> None:
        before = threading.active_count()
        with serving(FastAPI(lifespan=taskito_lifespan(queue))):
            assert queue.workers() == []
            names = [thread.name for thread in threading.enumerate()]
            assert not any(name.startswith("taskito") for name in names)
        assert threading.active_count() <= before

    def test_runs_a_worker_if_told_to_and_drains_it(self, queue: Queue) -> None:
        started, leave = threading.Event(), threading.Event()

        @queue.task
        def slow() -> str:
            started.set()
            leave.wait(30)
            return "done"

        with serving(FastAPI(lifespan=taskito_lifespan(queue, run_worker=True))):
            job = slow.delay()
            assert started.wait(30)
            threading.Timer(0.5, leave.set).start()  # while the application ends
        assert job.result(0) == "done"
        assert queue.workers() == []

    def test_ends_streams_of_servers_that_tell_applications_first(self, queue: Queue) -> None:
        """Some let the application end before its last requests have."""
        app = FastAPI(lifespan=taskito_lifespan(queue))
        app.include_router(TaskitoRouter(queue))
        job = queue.enqueue("unknown")

        async def scenario() -> str:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
                async with app.router.lifespan_context(app):
                    stream = asyncio.create_task(client.get(f"/jobs/{job.id}/progress"))
                    waiting = asyncio.create_task(client.get(f"/jobs/{job.id}/result?timeout=300"))
                    # For both to reach the point at which they wait, which nothing shows.
                    await asyncio.sleep(0.2)
                    assert not stream.done()
                    assert not waiting.done()
                async with asyncio.timeout(30):
                    assert (await waiting).json()["status"] == "pending"
                    return (await stream).text

        assert asyncio.run(scenario()).startswith('data: {"status": "pending"')

    def test_nothing_is_kept_of_event_loops_that_are_gone(self, queue: Queue) -> None:
        loops: list[weakref.ref[asyncio.AbstractEventLoop]] = []

        @asynccontextmanager
        async def remember(_app: FastAPI) -> AsyncGenerator[None]:
            loops.append(weakref.ref(asyncio.get_running_loop()))
            yield

        app = FastAPI(lifespan=taskito_lifespan(queue, remember))
        app.include_router(TaskitoRouter(queue))
        job = queue.enqueue("unknown")
        job.cancel()
        with serving(app) as client:
            client.get(f"/jobs/{job.id}/progress").raise_for_status()
        until(lambda: gc.collect() >= 0 and loops[0]() is None)


class TestGetQueue:
    def test_without_a_lifespan_says_what_to_do(self) -> None:
        app = shop()
        with pytest.raises(ConfigurationError, match=r"hint: use FastAPI\(lifespan="):
            asyncio.run(self.ask(app))

    @staticmethod
    async def ask(app: FastAPI) -> Any:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            return (await client.get("/path")).json()

    def test_takes_what_is_set_on_the_application(self, queue: Queue) -> None:
        app = shop()
        app.state.taskito_queue = queue
        assert asyncio.run(self.ask(app)) == queue.db_path

    def test_can_be_overridden_as_any_dependency(self, queue: Queue) -> None:
        app = shop()
        app.dependency_overrides[get_queue] = lambda: queue
        assert asyncio.run(self.ask(app)) == queue.db_path

    def test_works_for_web_sockets(self, queue: Queue) -> None:
        app = FastAPI()
        app.state.taskito_queue = queue

        @app.websocket("/socket")
        async def socket(socket: WebSocket, q: QueueDep) -> None:
            await socket.accept()
            await socket.send_text(q.db_path)

        sent: list[Any] = []

        async def receive() -> dict[str, str]:
            return {"type": "websocket.connect"}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "websocket",
            "asgi": {"version": "3.0"},
            "path": "/socket",
            "headers": [],
            "query_string": b"",
            "root_path": "",
            "subprotocols": [],
            "scheme": "ws",
        }
        asyncio.run(app(scope, receive, send))
        texts = [message["text"] for message in sent if message["type"] == "websocket.send"]
        assert texts == [queue.db_path]


def test_a_reference_to_a_job_is_its_id(queue: Queue) -> None:
    job = queue.enqueue("unknown")
    assert JobRef.of(job).model_dump() == {"id": job.id}


def test_the_loop_goes_on_while_the_database_is_locked(queue: Queue) -> None:
    """Enqueuing and cancelling wait for another writer, other requests do not."""
    app = shop(lifespan=taskito_lifespan(queue))
    app.include_router(TaskitoRouter(queue))

    @app.post("/orders")
    async def order(q: QueueDep) -> JobRef:
        return JobRef.of(await q.aenqueue("unknown"))

    with serving(app) as client:
        job = queue.enqueue("unknown")
        other = sqlite3.connect(queue.db_path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        answers: list[int] = []

        def post(path: str) -> None:
            answers.append(client.post(path).status_code)

        writers = [
            threading.Thread(target=post, args=(path,))
            for path in ("/orders", f"/jobs/{job.id}/cancel")
        ]
        for writer in writers:
            writer.start()
        for _ in range(20):
            assert client.get("/path").json() == queue.db_path
        assert answers == []  # still held up
        other.execute("ROLLBACK")
        other.close()
        for writer in writers:
            writer.join(30)
    assert answers == [200, 200]
