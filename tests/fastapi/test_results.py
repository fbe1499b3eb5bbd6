"""Results over HTTP: as JSON whatever they are, and when there is none yet."""

import math
import threading
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path
from typing import Any

import httpx
import pytest

from taskito import Queue
from tests.fastapi.conftest import answer
from tests.support.until import until


class Colour(IntEnum):
    RED = 3


class Mute:
    def __str__(self) -> str:
        raise ValueError("no words")


@pytest.mark.usefixtures("worker")
class TestResults:
    @pytest.mark.parametrize(
        ("value", "shown"),
        [
            (None, None),
            ("text", "text"),
            (7, 7),
            (10**100, 10**100),
            (1.5, 1.5),
            (True, True),
            ([1, (2, 3)], [1, [2, 3]]),
            ({"a": {1: "x"}, None: 2}, {"a": {"1": "x"}, "None": 2}),
            (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02 00:00:00+00:00"),
            ({3}, "{3}"),
            (b"bytes", "b'bytes'"),
            (Path("/etc"), "/etc"),
            (Colour.RED, 3),
            ([math.nan, math.inf], ["nan", "inf"]),
            ("\ud800", "\\ud800"),
            ([Mute()], ["<Mute that cannot be shown>"]),
            ([10**5000], ["<int that cannot be shown>"]),
        ],
    )
    def test_are_json_whatever_they_are(
        self, client: httpx.Client, queue: Queue, value: object, shown: object
    ) -> None:
        @queue.task
        def give() -> object:
            return value

        job = give.delay()
        found = answer(client.get(f"jobs/{job.id}/result", params={"timeout": 10}))
        assert found == {"id": job.id, "status": "complete", "result": shown, "error": None}

    def test_of_any_depth_are_answered(self, client: httpx.Client, queue: Queue) -> None:
        @queue.task
        def deep() -> object:
            loop: list[Any] = []
            loop.append(loop)
            nested: Any = 0
            for _ in range(150):
                nested = [nested]
            return [loop, nested]

        job = deep.delay()
        found = answer(client.get(f"jobs/{job.id}/result?timeout=10"))
        inner = found["result"][1]
        for _ in range(99):
            (inner,) = inner
        assert inner.startswith("[[[")

    def test_of_jobs_that_have_not_ended_say_how_they_stand(
        self, client: httpx.Client, queue: Queue
    ) -> None:
        job = queue.enqueue("unknown")
        pending = {"id": job.id, "status": "pending", "result": None, "error": None}
        assert answer(client.get(f"jobs/{job.id}/result")) == pending
        assert answer(client.get(f"jobs/{job.id}/result?timeout=0.2")) == pending

    def test_of_failed_and_cancelled_jobs_say_why(self, client: httpx.Client, queue: Queue) -> None:
        @queue.task(max_retries=0)
        def bad() -> None:
            raise KeyError("gone")

        job = bad.delay()
        found = answer(client.get(f"jobs/{job.id}/result?timeout=10"))
        assert (found["status"], found["result"]) == ("dead", None)
        assert found["error"].endswith("KeyError: 'gone'")
        never = queue.enqueue("unknown", expires=0)
        found = answer(client.get(f"jobs/{never.id}/result?timeout=10"))
        assert (found["status"], found["error"]) == ("cancelled", "expired before execution")

    def test_that_cannot_be_decoded_say_so(self, client: httpx.Client, queue: Queue) -> None:
        class Mine:
            def __reduce__(self) -> tuple[Any, ...]:
                return (eval, ("no_such_name",))

        @queue.task
        def give() -> object:
            return Mine()

        job = give.delay()
        found = answer(client.get(f"jobs/{job.id}/result?timeout=10"))
        assert (found["status"], found["result"]) == ("complete", None)
        assert "cannot be decoded" in found["error"]

    def test_come_when_the_job_ends_not_at_the_deadline(
        self, client: httpx.Client, queue: Queue
    ) -> None:
        leave = threading.Event()

        @queue.task
        def wait() -> int:
            return int(leave.wait(30))

        job = wait.delay()
        until(lambda: job.status == "running")
        threading.Timer(0.2, leave.set).start()
        response = client.get(f"jobs/{job.id}/result?timeout=300")
        assert answer(response)["result"] == 1

    @pytest.mark.parametrize("timeout", ["-1", "300.1", "nan", "inf", "x", ""])
    def test_for_a_wrong_timeout_are_refused(
        self, client: httpx.Client, queue: Queue, timeout: str
    ) -> None:
        job = queue.enqueue("unknown")
        answer(client.get(f"jobs/{job.id}/result", params={"timeout": timeout}), 422)
