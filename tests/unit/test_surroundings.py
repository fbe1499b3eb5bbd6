"""What an integration puts around attempts and hooks is entered and left once for each."""

import logging
import threading
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any

import pytest

from taskito import Queue, current_job
from taskito.declarations import Declarations
from tests.support.until import until

StartWorker = Callable[..., threading.Thread]
ROOM: ContextVar[str] = ContextVar("ROOM", default="outside")


class Rooms:
    """Numbered rooms; the journal says who entered, left and why, and who was heard where."""

    def __init__(self) -> None:
        self.journal: list[str] = []
        self.broken: str | None = None

    def of_attempt(self) -> AbstractContextManager[object]:
        if self.broken == "plan":
            raise OSError("locked")
        return self._room("attempt")

    def of_call(self) -> AbstractContextManager[object]:
        return self._room("call")

    def note(self, what: str) -> None:
        self.journal.append(f"{what} in {ROOM.get()}")

    @contextmanager
    def _room(self, kind: str) -> Generator[None]:
        if self.broken == "door":
            raise OSError("locked")
        outer = ROOM.set(kind)
        try:
            yield
        except BaseException as error:
            self.journal.append(f"left {kind} after {type(error).__name__}")
            raise
        else:
            self.journal.append(f"left {kind}")
        finally:
            ROOM.reset(outer)
        if self.broken == "end":
            raise OSError("cannot tidy up")


@pytest.fixture
def rooms(queue: Queue) -> Rooms:
    rooms = Rooms()
    Declarations(lambda: queue).bind(queue, surroundings=rooms)
    return rooms


def test_function_and_hooks_up_to_the_commit_share_one(
    queue: Queue, rooms: Rooms, start_worker: StartWorker
) -> None:
    queue.before_task(lambda *_: rooms.note("before"))
    queue.after_task(lambda *_: rooms.note("after"))

    @queue.task
    def work() -> None:
        rooms.note("work")

    start_worker()
    work.delay().result(timeout=30)

    inside = ["before in attempt", "work in attempt", "after in attempt"]
    assert rooms.journal == [*inside, "left attempt"]


def test_a_coroutine_shares_it_too(queue: Queue, rooms: Rooms, start_worker: StartWorker) -> None:
    @queue.task
    async def work() -> None:
        rooms.note("work")

    start_worker()
    work.delay().result(timeout=30)

    assert rooms.journal == ["work in attempt", "left attempt"]


def test_leaving_it_is_told_the_error_and_hooks_after_the_commit_have_their_own(
    queue: Queue, rooms: Rooms, start_worker: StartWorker
) -> None:
    queue.on_dead_letter(lambda *_: rooms.note("dead letter"))

    @queue.task(max_retries=0)
    def fail() -> None:
        raise KeyError("no")

    start_worker()
    fail.delay()

    until(lambda: len(rooms.journal) == 3)
    assert rooms.journal == [
        "left attempt after KeyError",
        "dead letter in attempt",
        "left attempt",
    ]


def test_hooks_of_a_timeout_have_their_own_and_the_function_keeps_its_own(
    queue: Queue, rooms: Rooms, start_worker: StartWorker
) -> None:
    gate = threading.Event()
    queue.on_failure(lambda *_: rooms.note("failure"))

    @queue.task(max_retries=0, timeout=0.1)
    def slow() -> None:
        gate.wait(30)
        rooms.note("slow")

    start_worker()
    slow.delay().wait(timeout=30)
    assert rooms.journal == ["failure in attempt", "left attempt"]

    gate.set()
    until(lambda: len(rooms.journal) == 4)
    assert rooms.journal[2:] == ["slow in attempt", "left attempt"]


def test_enqueue_hooks_and_test_mode_are_in_those_of_the_call(queue: Queue, rooms: Rooms) -> None:
    queue.on_enqueue(lambda *_: rooms.note("enqueue"))

    @queue.task
    async def work() -> None:
        rooms.note("work")

    with queue.test_mode() as results:
        work.delay()

    assert results[0].succeeded
    assert rooms.journal == ["enqueue in call", "left call", "work in call", "left call"]


@pytest.mark.parametrize("broken", ["plan", "door"])
def test_what_cannot_be_entered_fails_the_attempt(
    queue: Queue, rooms: Rooms, start_worker: StartWorker, broken: str
) -> None:
    rooms.broken = broken

    @queue.task(max_retries=0)
    def work() -> None:
        rooms.note("work")

    start_worker()
    job = work.delay()
    job.wait(timeout=30)

    assert "OSError: locked" in str(job.error)
    assert rooms.journal == []


def test_what_leaving_raises_is_logged_and_changes_nothing(
    queue: Queue, rooms: Rooms, start_worker: StartWorker, caplog: pytest.LogCaptureFixture
) -> None:
    rooms.broken = "end"

    @queue.task
    def work() -> str:
        return current_job.id

    start_worker()
    job = work.delay()

    assert job.result(timeout=30) == job.id
    (record,) = [r for r in caplog.records if r.levelno == logging.ERROR]
    facts: dict[str, Any] = vars(record)
    assert facts["job_id"] == job.id
    assert "leaving the application's context raised" in record.message
    assert "cannot tidy up" in caplog.text
