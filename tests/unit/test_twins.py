"""No coroutine of a verb ever touches the database on the thread of the event loop.

The verbs are found by looking, so that a new one cannot be forgotten: whoever adds one adds
its arguments below.
"""

import asyncio
import inspect
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from taskito import (
    AsyncTask,
    BoundTask,
    JobResult,
    Queue,
    Signature,
    TaskWrapper,
    chain,
    chord,
    group,
)
from taskito._database import Database
from taskito.lock import AsyncLock
from tests.support.until import until
from tests.support.working import working

if TYPE_CHECKING:
    from taskito._core import Store

KINDS = [
    *(Queue, TaskWrapper, AsyncTask, BoundTask, JobResult, AsyncLock),
    *(Signature, chain, group, chord),
]
"""Every public class that may have coroutines."""
NO_DATABASE = {"Queue.__aenter__", "AsyncTask.__call__"}
"""Coroutines that have nothing to read or write."""

Use = Callable[["Stage"], Coroutine[Any, Any, object]]


class Stage:
    """A queue with something in it for every verb."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with Queue(path) as queue:
            task = queue.task(name="t", max_retries=0)(int)
            queue.periodic("@yearly", "s")(task)
            self.dead = queue.task(name="dead", max_retries=0)(lambda: 1 / 0).delay().id
            self.done = task.delay().id
            with working(queue):
                until(lambda: queue.stats()["dead"] == queue.stats()["completed"] == 1)
            self.letter = queue.dead_letters()[0]["id"]
            self.waiting = task.delay().id
        self.queue = Queue(path, workers=1, drain_timeout=0)
        """One that has not been used: it must not be opened on the loop either."""
        self.task = self.queue.task(name="t", max_retries=0)(int)
        self.coroutine = self.queue.task(name="c")(nothing)
        self.step = self.task.s()

    def job(self, job_id: str) -> JobResult[Any]:
        return JobResult(self.queue._database, self.queue.serializer, job_id)


async def nothing() -> None:
    """Stand for a task that is a coroutine."""


async def run_and_end(stage: Stage) -> None:
    """Run a worker until it has been told to end."""
    worker = asyncio.create_task(stage.queue.arun_worker())
    await asyncio.to_thread(until, stage.queue.workers)
    await stage.queue.ashutdown(now=True)
    await worker


async def acquire_and_release(stage: Stage) -> None:
    """Take a lock and give it back."""
    lock = stage.queue.alock("l")
    assert await lock.acquire()
    await lock.release()


async def enter_and_leave(stage: Stage) -> None:
    """Take a lock for a block."""
    async with stage.queue.alock("l"):
        pass


USES: dict[str, Use] = {
    "Queue.aenqueue": lambda s: s.queue.aenqueue("t", [1], delay=60),
    "Queue.aenqueue_many": lambda s: s.queue.aenqueue_many("t", [()] * 3, delay=60),
    "Queue.aget_job": lambda s: s.queue.aget_job(s.done),
    "Queue.alist_jobs": lambda s: s.queue.alist_jobs(),
    "Queue.acount_jobs": lambda s: s.queue.acount_jobs(),
    "Queue.astats": lambda s: s.queue.astats(),
    "Queue.astats_by_queue": lambda s: s.queue.astats_by_queue(),
    "Queue.alist_queues": lambda s: s.queue.alist_queues(),
    "Queue.ajob_errors": lambda s: s.queue.ajob_errors(s.dead),
    "Queue.atask_logs": lambda s: s.queue.atask_logs(s.dead),
    "Queue.aquery_logs": lambda s: s.queue.aquery_logs(),
    "Queue.ametrics": lambda s: s.queue.ametrics(),
    "Queue.areplay": lambda s: s.queue.areplay(s.done),
    "Queue.areplay_history": lambda s: s.queue.areplay_history(s.done),
    "Queue.acircuit_breakers": lambda s: s.queue.acircuit_breakers(),
    "Queue.aworkers": lambda s: s.queue.aworkers(),
    "Queue.awhy": lambda s: s.queue.awhy(s.waiting),
    "Queue.acheck": lambda s: s.queue.acheck(),
    "Queue.acancel_job": lambda s: s.queue.acancel_job(s.waiting),
    "Queue.acancel_running_job": lambda s: s.queue.acancel_running_job(s.waiting),
    "Queue.arun_now": lambda s: s.queue.arun_now(s.waiting),
    "Queue.aupdate_progress": lambda s: s.queue.aupdate_progress(s.waiting, 5),
    "Queue.asnapshot": lambda s: s.queue.asnapshot(s.path.with_name("copy.db")),
    "Queue.adead_letters": lambda s: s.queue.adead_letters(),
    "Queue.aretry_dead": lambda s: s.queue.aretry_dead(s.letter),
    "Queue.aretry_all_dead": lambda s: s.queue.aretry_all_dead(),
    "Queue.adelete_dead": lambda s: s.queue.adelete_dead(s.letter),
    "Queue.apurge_dead": lambda s: s.queue.apurge_dead(),
    "Queue.apurge_completed": lambda s: s.queue.apurge_completed(),
    "Queue.apurge_jobs": lambda s: s.queue.apurge_jobs("dead"),
    "Queue.apause": lambda s: s.queue.apause(),
    "Queue.aresume": lambda s: s.queue.aresume(),
    "Queue.adrain_worker": lambda s: s.queue.adrain_worker("nobody"),
    "Queue.amark": lambda s: s.queue.amark("v1"),
    "Queue.apaused_queues": lambda s: s.queue.apaused_queues(),
    "Queue.aset_queue_rate_limit": lambda s: s.queue.aset_queue_rate_limit("q", "1/s"),
    "Queue.aset_queue_concurrency": lambda s: s.queue.aset_queue_concurrency("q", 1),
    "Queue.alist_periodic": lambda s: s.queue.alist_periodic(),
    "Queue.apause_periodic": lambda s: s.queue.apause_periodic("s"),
    "Queue.aresume_periodic": lambda s: s.queue.aresume_periodic("s"),
    "Queue.adelete_periodic": lambda s: s.queue.adelete_periodic("s"),
    "Queue.atrigger_periodic": lambda s: s.queue.atrigger_periodic("s"),
    "Queue.ashutdown": lambda s: s.queue.ashutdown(wait=True),
    "Queue.aclose": lambda s: s.queue.aclose(),
    "Queue.__aexit__": lambda s: s.queue.__aexit__(None, None, None),
    "Queue.arun_worker": run_and_end,
    "BoundTask.adelay": lambda s: s.task.options(delay=60).adelay(),
    "BoundTask.amap": lambda s: s.task.options(delay=60).amap([()]),
    "TaskWrapper.adelay": lambda s: s.task.adelay(),
    "TaskWrapper.amap": lambda s: s.task.amap([()]),
    "TaskWrapper.aapply_async": lambda s: s.task.aapply_async(delay=60),
    "AsyncTask.adelay": lambda s: s.coroutine.adelay(),
    "AsyncTask.amap": lambda s: s.coroutine.amap([()]),
    "AsyncTask.aapply_async": lambda s: s.coroutine.aapply_async(),
    "JobResult.aresult": lambda s: s.job(s.done).aresult(),
    "JobResult.await_": lambda s: s.job(s.waiting).await_(0.05),
    "JobResult.arefresh": lambda s: s.job(s.done).arefresh(),
    "JobResult.alogs": lambda s: s.job(s.done).alogs(),
    "JobResult.acancel": lambda s: s.job(s.waiting).acancel(),
    "JobResult.awhy": lambda s: s.job(s.waiting).awhy(),
    "AsyncLock.acquire": lambda s: s.queue.alock("l").acquire(),
    "AsyncLock.release": acquire_and_release,
    "AsyncLock.__aenter__": lambda s: s.queue.alock("l").__aenter__(),
    "AsyncLock.__aexit__": enter_and_leave,
    "Signature.aapply": lambda s: s.step.aapply(),
    "chain.aapply": lambda s: chain(s.step).aapply(),
    "group.aapply": lambda s: group(s.step).aapply(),
    "chord.aapply": lambda s: chord([s.task.si()], s.task.si()).aapply(),
}
WRITES = """
    aenqueue aenqueue_many areplay acancel_job arun_now aupdate_progress aretry_dead aretry_all_dead
    adelete_dead apause amark aset_queue_rate_limit aset_queue_concurrency apause_periodic
    adelete_periodic atrigger_periodic adelay amap aapply_async acancel aapply
""".split()  # noqa: SIM905 - a list of words is read as one


def coroutines() -> set[str]:
    """The names of all coroutines of our public classes, as ``Class.name``."""
    return {
        f"{kind.__name__}.{name}"
        for kind in KINDS
        for name in dir(kind)
        if inspect.iscoroutinefunction(getattr(kind, name))
    } - NO_DATABASE


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path / "jobs.db")
    yield stage
    stage.queue.close()


class Ticking:
    """Counts the turns of a loop, from inside of it."""

    def __init__(self) -> None:
        self.turns = 0
        self.thread = threading.get_ident()

    async def beside(self, awaited: Coroutine[Any, Any, object]) -> None:
        """Await something while the turns are counted."""
        counting = asyncio.create_task(self._count())
        try:
            await awaited
        finally:
            counting.cancel()

    async def _count(self) -> None:
        while True:
            self.turns += 1
            await asyncio.sleep(0.001)

    def wait_for_turns(self, count: int) -> None:
        """Hold a thread until the loop has turned so often: for ever, if it is the loop's."""
        goal = self.turns + count
        until(lambda: self.turns >= goal)


def test_every_coroutine_is_tried_below() -> None:
    assert coroutines() == set(USES)
    assert set(WRITES) <= {name.partition(".")[2] for name in USES}


@pytest.mark.parametrize("name", USES)
def test_the_loop_turns_while_a_thread_waits_for_the_database(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Each access to the database takes as long as the loop needs for three turns."""
    accesses: list[bool] = []
    enter = Database.__enter__

    async def main() -> None:
        ticking = Ticking()

        def slowly(database: Database) -> "Store":
            on_the_loop = threading.get_ident() == ticking.thread
            accesses.append(on_the_loop)
            if not on_the_loop and ticking.turns and len(accesses) < 20:
                ticking.wait_for_turns(3)
            return enter(database)

        monkeypatch.setattr(Database, "__enter__", slowly)
        await ticking.beside(USES[name](stage))
        monkeypatch.setattr(Database, "__enter__", enter)

    asyncio.run(main())
    if name not in {"Queue.ashutdown", "Queue.aclose", "Queue.__aexit__"}:
        assert accesses, "it did not use the database at all"
    assert not any(accesses), "it used the database on the thread of the loop"


LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.readline()
connection.execute("ROLLBACK")
"""


@contextmanager
def locked_by_another_process(path: Path) -> Generator[Callable[[], object]]:
    """Hold the write lock of a database until the yielded function is called."""
    command = [sys.executable, "-c", LOCK, str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as locker:
        assert locker.stdout is not None
        assert locker.stdout.readline() == "locked\n"
        yield lambda: locker.communicate("go on\n")


def test_the_loop_turns_while_another_process_holds_the_write_lock(stage: Stage) -> None:
    """All that writes waits at once, each in a thread, and none of it holds up the loop."""
    uses = [use for name, use in USES.items() if name.partition(".")[2] in WRITES]
    stage.queue.stats()

    async def write(ticking: Ticking, release: Callable[[], object]) -> None:
        tasks = [asyncio.ensure_future(use(stage)) for use in uses]
        await asyncio.to_thread(ticking.wait_for_turns, 200)
        assert not any(task.done() for task in tasks)
        release()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def main(release: Callable[[], object]) -> None:
        ticking = Ticking()
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(len(uses) + 1))
        await asyncio.wait_for(ticking.beside(write(ticking, release)), 20)

    with locked_by_another_process(stage.path) as release:
        asyncio.run(main(release))
