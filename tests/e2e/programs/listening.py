"""An application whose hooks and middleware leave marks of every event they hear of."""

import asyncio
import os
import signal
import time
from pathlib import Path
from typing import Any, cast

from taskito import JobContext, Queue, TaskCancelledError, TaskMiddleware, current_job
from tests.e2e.programs.marks import Marks
from tests.e2e.programs.workshop import wait_at

marks = Marks(Path(os.environ["SITE_MARKS"]))


class Marking(TaskMiddleware):
    def before(self, ctx: JobContext) -> None:
        marks.leave("before", ctx.task_name, ctx.id)

    def after(self, ctx: JobContext, *_: Any, **__: Any) -> None:
        marks.leave("after", ctx.task_name, ctx.id)


queue = Queue(
    os.environ["SITE_DATABASE"],
    durability=cast("Any", os.environ["SITE_DURABILITY"]),
    middleware=[Marking()],
)


@queue.on_failure
def failed(task_name: str, _args: object, _kwargs: object, error: BaseException) -> None:
    marks.leave(f"failure: {type(error).__name__}", task_name, current_job.id)


@queue.on_dead_letter
def died(task_name: str, args: tuple[Any, ...], _kwargs: object, error: BaseException) -> None:
    if args and args[0] == "slow hook":
        time.sleep(0.5)
    marks.leave(f"dead: {type(error).__name__}", task_name, current_job.id)


@queue.task(name="fail", retry_backoff=0.1)
def fail(_what: str = "") -> None:
    raise OSError


@queue.task(name="die")
def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@queue.task(name="sleep")
def sleep() -> None:
    time.sleep(20)


@queue.task(name="sleep_async")
async def sleep_async() -> None:
    await asyncio.sleep(20)


@queue.task(name="fork_and_return")
def fork_and_return(gate: str) -> str:
    """Fork, and let the child leave the function by the same way as the parent."""
    if os.fork() == 0:
        signal.alarm(10)
    else:
        marks.leave("forked")
        wait_at(gate)
    return f"the result of {os.getpid()}"


@queue.task(name="look_dead")
def look_dead(first: str, second: str) -> None:
    """Wait at a gate; the first run makes its worker look dead before.

    Closing any descriptor of a file drops the locks by which a process shows that it lives.
    """
    if len(marks.all("before")) > 1:
        wait_at(second)
        return
    database = Path(queue.db_path)
    for path in database.parent.glob(f"{database.name}*"):
        os.close(os.open(path, os.O_RDWR))
    wait_at(first)


@queue.task(name="check")
def check() -> None:
    """Report progress, then look for a cancel request all the time."""
    current_job.update_progress(10)
    marks.leave("checking")
    try:
        while True:
            current_job.check_cancelled()
            time.sleep(0.005)
    except TaskCancelledError:
        marks.leave("cancelled")
        raise


@queue.task(name="quick")
def quick() -> str:
    return "done"
