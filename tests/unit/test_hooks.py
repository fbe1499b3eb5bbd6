"""Hooks and middleware in a worker: who is called, in which order, with what."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from taskito import (
    Cancel,
    JobContext,
    JobResult,
    Queue,
    Retry,
    SerializationError,
    Snooze,
    TaskCancelledError,
    TaskMiddleware,
    TaskTimeoutError,
    TaskWrapper,
    current_job,
)
from taskito.testing._manual import manual_worker
from tests.support.journal import Journal, Recorder, listen
from tests.support.until import until
from tests.unit.conftest import StartWorker


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def queue(tmp_path: Path, journal: Journal) -> Iterator[Queue]:
    """A queue on which everything listens, with a middleware for all tasks."""
    middleware = [Recorder("wide", journal)]
    with Queue(
        tmp_path / "jobs.db", workers=2, middleware=middleware, durability="normal"
    ) as queue:
        listen(queue, journal)
        yield queue


@pytest.fixture
def held() -> Iterator[threading.Event]:
    """Holds functions that run over their timeout until the test ends."""
    event = threading.Event()
    yield event
    event.set()


Register = Callable[..., TaskWrapper[..., Any]]


@pytest.fixture(params=["thread", "coroutine"])
def register(
    request: pytest.FixtureRequest, queue: Queue, journal: Journal, held: threading.Event
) -> Register:
    """Make a task of what it does: returns, raises what it is given, or takes too long."""

    def act(what: object) -> object:
        if isinstance(what, BaseException):
            raise what
        return threading.Lock() if what == "unserializable" else what

    def run(what: object, **_: object) -> object:
        journal.note("function")
        if what == "too long":
            held.wait(30)
        return act(what)

    async def arun(what: object, **_: object) -> object:
        journal.note("function")
        if what == "too long":
            await asyncio.sleep(20)
        return act(what)

    def register(**options: Any) -> TaskWrapper[..., Any]:
        function: Any = run if request.param == "thread" else arun
        middleware = [Recorder("own", journal)]
        task: TaskWrapper[..., Any] = queue.task(name="t", middleware=middleware, **options)(
            function
        )
        return task

    return register


START = ["wide.before", "own.before", "before_task", "function"]
SUCCESS = [
    "on_success",
    "after_task",
    "wide.on_success",
    "own.on_success",
    "wide.after",
    "own.after",
]
FAILURE = [name.replace("success", "failure") for name in SUCCESS]
AFTER = [name for name in SUCCESS if "success" not in name]
RETRY = ["wide.on_retry", "own.on_retry", "on_retry"]
DEAD = [name.replace("retry", "dead_letter") for name in RETRY]
CANCEL = [name.replace("retry", "cancel") for name in RETRY]
TIMEOUT = [name.replace("retry", "timeout") for name in RETRY]

LATER = {"max_retries": 1, "retry_backoff": 60}
NEVER = {"max_retries": 0}
SOON = {"timeout": 0.05}

ORDERS = {
    "success": (7, {}, "complete", START + SUCCESS),
    "failure": (OSError("x"), LATER, "pending", START + FAILURE + RETRY),
    "last failure": (OSError("x"), NEVER, "dead", START + FAILURE + DEAD),
    "exit": (SystemExit(3), NEVER, "dead", START + FAILURE + DEAD),
    "interrupt": (KeyboardInterrupt(), LATER, "pending", START + FAILURE + RETRY),
    "retry": (Retry(60), {"max_retries": 1}, "pending", START + FAILURE + RETRY),
    "retry of the last attempt": (Retry(60), NEVER, "dead", START + FAILURE + DEAD),
    "snooze": (Snooze(60), NEVER, "pending", START + AFTER),
    "cancel": (Cancel("no"), LATER, "cancelled", START + FAILURE + CANCEL),
    "cancelled": (TaskCancelledError(), LATER, "cancelled", START + FAILURE + CANCEL),
    "timeout": ("too long", SOON | LATER, "pending", START + FAILURE + TIMEOUT + RETRY),
    "last timeout": ("too long", SOON | NEVER, "dead", START + FAILURE + TIMEOUT + DEAD),
    "bad result": ("unserializable", LATER, "pending", START + FAILURE + RETRY),
}
# Nothing runs over its time in a worker whose clock stands still.
IN_TIME = {name: row for name, row in ORDERS.items() if "timeout" not in name}


def settled(job: JobResult[Any], journal: Journal, order: list[str], status: str) -> bool:
    """Wait until the job is where it should be and as much was called as should be."""
    return bool(until(lambda: len(journal) >= len(order) and job.status == status))


class TestOrder:
    @pytest.mark.parametrize(("act", "options", "status", "order"), ORDERS.values(), ids=ORDERS)
    def test_of_one_attempt(  # noqa: PLR0913 - a table and its fixtures
        self,
        register: Register,
        start_worker: StartWorker,
        journal: Journal,
        act: object,
        options: dict[str, Any],
        status: str,
        order: list[str],
    ) -> None:
        job = register(**options).delay(act)
        start_worker()
        assert settled(job, journal, order, status)
        assert journal == order

    def test_of_arguments_that_cannot_be_decoded(
        self, queue: Queue, register: Register, start_worker: StartWorker, journal: Journal
    ) -> None:
        task = register(max_retries=0)
        with queue._database as store:
            spec = queue._producer.spec("t", task.definition.options, task._call)
            store.insert([(spec, b"no pickle", None)])
        start_worker()
        order = [*START[:-1], *FAILURE, *DEAD]
        until(lambda: len(journal) >= len(order))
        assert journal == order
        name, args, kwargs, error = journal.facts["on_dead_letter"]
        assert (name, args, kwargs) == ("t", (), {})
        assert isinstance(error, SerializationError)

    def test_all_up_to_the_commit_was_called_when_the_result_is_there(
        self, register: Register, start_worker: StartWorker, journal: Journal
    ) -> None:
        task = register()
        start_worker()
        for number in range(20):
            journal.clear()
            assert task.delay(number).result() == number
            assert journal == START + SUCCESS


class TestFacts:
    def test_of_a_success(
        self, register: Register, start_worker: StartWorker, journal: Journal
    ) -> None:
        job = register().delay(7, k="v")
        start_worker()
        assert job.result() == 7
        call = ("t", (7,), {"k": "v"})
        facts = journal.facts
        assert facts["before_task"] == call
        assert facts["on_success"] == (*call, 7)
        assert facts["after_task"] == (*call, 7, None)
        assert facts["wide.before"] == facts["own.before"] == ()
        assert facts["wide.on_success"] == (7,)
        assert facts["own.after"] == (7, None)

    def test_of_a_failure_that_is_retried(
        self, register: Register, start_worker: StartWorker, journal: Journal
    ) -> None:
        job = register(**LATER).delay(OSError("x"))
        start_worker()
        assert settled(job, journal, [*START, *FAILURE, *RETRY], "pending")
        (error,) = journal.facts["wide.on_failure"]
        assert repr(error) == "OSError('x')"
        call: tuple[Any, ...] = ("t", journal.facts["before_task"][1], {})
        assert journal.facts["on_failure"] == (*call, error)
        assert journal.facts["after_task"] == (*call, None, error)
        assert journal.facts["own.after"] == (None, error)
        assert journal.facts["on_retry"] == (*call, error, 1)
        assert journal.facts["wide.on_retry"] == (error, 1)

    def test_of_a_last_failure(
        self, register: Register, start_worker: StartWorker, journal: Journal
    ) -> None:
        job = register(**NEVER).delay(OSError("x"))
        start_worker()
        assert settled(job, journal, [*START, *FAILURE, *DEAD], "dead")
        (error,) = journal.facts["own.on_dead_letter"]
        assert isinstance(error, OSError)
        assert journal.facts["on_dead_letter"][3] is error

    def test_of_a_timeout(
        self, register: Register, start_worker: StartWorker, journal: Journal
    ) -> None:
        job = register(**SOON, **NEVER).delay("too long")
        start_worker()
        assert settled(job, journal, [*START, *FAILURE, *TIMEOUT, *DEAD], "dead")
        assert journal.facts["on_timeout"] == ("t", ("too long",), {})
        for event in ("on_failure", "on_dead_letter"):
            error = journal.facts[event][3]
            assert isinstance(error, TaskTimeoutError)
            assert str(error) == "task 't' ran longer than its timeout of 0.05 s"

    def test_what_a_hook_does_to_the_arguments_does_not_reach_the_function(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        queue.before_task(lambda _name, _args, kwargs: kwargs.clear())
        job = queue.task(name="t")(lambda **kwargs: kwargs).delay(k="v")
        start_worker()
        assert job.result() == {"k": "v"}

    def test_attributes_of_the_context_last_for_one_attempt(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        seen: list[object] = []

        class Marking(TaskMiddleware):
            def before(self, ctx: JobContext) -> None:
                seen.append(hasattr(ctx, "mark"))
                ctx.mark = ctx.attempt

            def after(self, ctx: JobContext, result: Any, error: BaseException | None) -> None:
                seen.append((ctx.mark, ctx.remark, result, type(error)))

        @queue.task(max_retries=1, retry_backoff=0, middleware=[Marking()])
        def mark() -> None:
            current_job.remark = f"of attempt {current_job.mark}"
            raise OSError

        mark.delay()
        start_worker()
        until(lambda: len(seen) == 4)
        first, second = ((n, f"of attempt {n}", None, OSError) for n in (1, 2))
        assert seen == [False, first, False, second]


class TestThreads:
    def test_hooks_run_where_the_job_does_and_after_the_commit_elsewhere(
        self, queue: Queue, start_worker: StartWorker, journal: Journal
    ) -> None:
        @queue.task(name="t", max_retries=0)
        def fail() -> None:
            journal.note("function")
            raise OSError

        job = fail.delay()
        start_worker(workers=1)
        until(lambda: "on_dead_letter" in journal)
        assert job.status == "dead"
        for name in ("wide.before", "before_task", "function", "on_failure", "wide.after"):
            assert journal.threads[name] == "taskito-1"
        assert journal.threads["on_dead_letter"] == "taskito-hooks"


@pytest.mark.parametrize(("act", "options", "status", "order"), IN_TIME.values(), ids=IN_TIME)
def test_a_stepped_worker_calls_the_same_before_it_goes_on(  # noqa: PLR0913 - a table
    queue: Queue,
    register: Register,
    journal: Journal,
    act: object,
    options: dict[str, Any],
    status: str,
    order: list[str],
) -> None:
    with manual_worker(queue) as worker:
        job = register(**options).delay(act)
        worker.run(max_jobs=1)
        assert journal == order
        assert job.status == status
