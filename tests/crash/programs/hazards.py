"""The workshop with tasks that harm their worker, and a trap for the worker itself.

``HAZARD_TRAP`` names the file of a trap, for a process with ``trap.c`` preloaded.
"""

import faulthandler
import multiprocessing
import os
import resource
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, cast

from taskito import current_job
from tests.e2e.programs.workshop import marks, note, queue, wait_at
from tests.support.traps import trap_in

__all__ = ["queue"]

SPARE = 256 * 2**20

if path := os.environ.get("HAZARD_TRAP"):
    trap = trap_in(Path(path))
    trap.set_up(Path(queue.db_path))


class UnpicklableError(Exception):
    def __reduce__(self) -> str:
        raise RuntimeError("not to be pickled")


@contextmanager
def little_memory() -> Generator[None]:
    """Let this process have a little more memory than now, and no more."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    limit = pages * resource.getpagesize() + SPARE
    resource.setrlimit(resource.RLIMIT_AS, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@queue.task(name="harm")
def harm(token: str, how: str) -> object:
    """Do something that no task should do."""
    marks.leave("start", token)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    match how:
        case "stack overflow":
            faulthandler._stack_overflow()  # type: ignore[attr-defined]
        case "abort":
            os.abort()
        case "memory hog":
            with little_memory():
                hoard = [bytearray(2**20) for _ in range(2**20)]
                return len(hoard)
        case "MemoryError":
            raise MemoryError
        case "unpicklable error":
            raise UnpicklableError("on purpose")
        case "error without a class of its own":
            raise type("Unnamed", (Exception,), {"__module__": None})
        case "group":
            raise ExceptionGroup("several", [ValueError("one"), ExceptionGroup("two", [OSError()])])
        case "cycle of causes":
            first, second = ValueError("first"), ValueError("second")
            first.__cause__, second.__cause__ = second, first
            raise first
        case _:
            raise ValueError(how)
    return None


@queue.task(name="leave_a_thread")
def leave_a_thread(token: str, gate: str) -> str:
    """Return while a thread that is no daemon goes on, and still finds its job's context gone."""

    def go_on() -> None:
        wait_at(gate)
        marks.leave("thread over", token)

    threading.Thread(target=go_on).start()
    return current_job.id


@queue.task(name="outlive")
def outlive(token: str, gate: str) -> str:
    """Wait at the gate, longer than the timeout. The job has one."""
    marks.leave("start", token)
    wait_at(gate)
    marks.leave("end", token)
    return token


def produce(name: str, jobs: int) -> None:
    for number in range(jobs):
        token = f"{name}/{number}"
        job = note.delay(token)
        marks.leave("ack", token, job.id)


@queue.task(name="use_processes")
def use_processes(token: str, method: str) -> list[int | None]:
    """Enqueue from children of ``multiprocessing``, started by this method; their exit codes."""
    context = multiprocessing.get_context(cast("Literal['fork']", method))
    children = [
        context.Process(target=produce, args=(f"{token}/{number}", 5)) for number in range(3)
    ]
    for child in children:
        child.start()
    produce(f"{token}/parent", 5)
    for child in children:
        child.join(30)
    return [child.exitcode for child in children]
