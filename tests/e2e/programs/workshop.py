"""The application of these tests: one queue, and tasks that leave marks outside of it.

A job that must wait does so at a gate, a file that the test removes.
"""

import asyncio
import ctypes
import os
import resource
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Literal, cast

from taskito import Queue, Snooze
from taskito.context import current_job
from tests.e2e.programs.marks import Marks

marks = Marks(Path(os.environ["SITE_MARKS"]))
queue = Queue(
    os.environ["SITE_DATABASE"],
    durability=cast("Literal['full', 'normal']", os.environ["SITE_DURABILITY"]),
)


def wait_at(gate: str) -> None:
    """Return when the gate is open, that is, when its file is gone."""
    while Path(gate).exists():
        time.sleep(0.002)


@queue.task(name="note")
def note(token: str) -> str:
    marks.leave("start", token)
    return token


@queue.task(name="work")
def work(token: str, seconds: float) -> str:
    marks.leave("start", token)
    time.sleep(seconds)
    marks.leave("end", token)
    return token


@queue.task(name="join")
def join(parts: list[str], token: str) -> str:
    """The callback of a chord."""
    marks.leave("start", token)
    return " ".join(parts)


@queue.task(name="join_behind")
def join_behind(parts: list[str], token: str, gate: str) -> str:
    """As ``join``, behind a gate."""
    marks.leave("start", token)
    wait_at(gate)
    return " ".join(parts)


@queue.task(name="extend")
def extend(text: str, letter: str) -> str:
    """A step of a chain."""
    marks.leave("start", letter)
    return text + letter


@queue.task(name="hold")
def hold(token: str, gate: str) -> str:
    """Wait at the gate; the result says which process finished the job."""
    marks.leave("start", token)
    wait_at(gate)
    marks.leave("end", token)
    return f"{token} by {os.getpid()}"


@queue.task(name="hold_by_turns")
def hold_by_turns(token: str, first: str, second: str) -> str:
    """As ``hold``, but the first run of the token and the others have gates of their own."""
    gate = second if marks.all("start", token) else first
    marks.leave("start", token)
    wait_at(gate)
    marks.leave("end", token)
    return f"{token} by {os.getpid()}"


@queue.task(name="hold_as_if_dead")
def hold_as_if_dead(token: str, first: str, second: str) -> str:
    """As ``hold_by_turns``, but the first run makes its worker look dead.

    Closing any descriptor of a file drops the locks by which a process shows that it lives.
    """
    if not marks.all("start", token):
        database = Path(queue.db_path)
        for path in database.parent.glob(f"{database.name}*"):
            os.close(os.open(path, os.O_RDWR))
    return hold_by_turns(token, first, second)


@queue.task(name="watch")
def watch(token: str, gate: str) -> str:
    """As ``hold``, and stop when asked to."""
    marks.leave("start", token)
    while Path(gate).exists():
        if current_job.is_cancelled():
            marks.leave("told", token)
        current_job.check_cancelled()
        time.sleep(0.002)
    marks.leave("end", token)
    return token


@queue.task(name="report")
def report(token: str, gate: str) -> str:
    """As ``hold``, half done and with something to say."""
    current_job.update_progress(50)
    current_job.log("half of it", level="debug", extra={"token": token})
    marks.leave("start", token)
    wait_at(gate)
    current_job.update_progress(99)
    return token


@queue.task(name="snooze_until")
def snooze_until(token: str, gate: str) -> str:
    """Come back later as long as the gate is closed."""
    marks.leave("start", token)
    if Path(gate).exists():
        raise Snooze(0.1, "the gate is closed")
    return token


@queue.task(name="hold_async")
async def hold_async(token: str, gate: str) -> str:
    """As ``hold``, as a coroutine that says when it is cancelled."""
    marks.leave("start", token)
    try:
        while Path(gate).exists():  # noqa: ASYNC110, ASYNC240 - other processes open it
            await asyncio.sleep(0.002)
    except asyncio.CancelledError:
        marks.leave("cancelled", token)
        raise
    marks.leave("end", token)
    return f"{token} by {os.getpid()}"


@queue.task(name="block_the_loop")
async def block_the_loop(token: str, gate: str) -> str:
    """As ``hold``, on the event loop, where it should not be done."""
    return hold(token, gate)


@queue.task(name="fail_until", retry_backoff=0.01)
def fail_until(token: str, successes_at: int) -> str:
    """Fail until this many runs of the token were started."""
    marks.leave("start", token)
    runs = len(marks.all("start", token))
    if runs < successes_at:
        raise ValueError(f"run {runs} of {token} fails")
    return token


@queue.task(name="fail_behind")
def fail_behind(token: str, gate: str) -> str:
    """Fail as long as the gate is closed."""
    marks.leave("start", token)
    if Path(gate).exists():
        raise ValueError(f"the gate is closed for {token}")
    return token


@queue.task(name="die")
def die(token: str, how: str) -> None:
    """Kill the worker that runs this."""
    marks.leave("start", token)
    match how:
        case "exit":
            os._exit(1)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "segfault":
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            ctypes.string_at(0)
        case _:
            raise ValueError(how)


class UnprintableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text for you")


@queue.task(name="misbehave")
def misbehave(kind: str) -> object:
    """Fail in a way that is hard to record."""
    match kind:
        case "SystemExit":
            sys.exit(3)
        case "KeyboardInterrupt":
            raise KeyboardInterrupt
        case "GeneratorExit":
            raise GeneratorExit
        case "unprintable":
            raise UnprintableError
        case "unpicklable result":
            return threading.Lock()
        case "deep recursion":
            return misbehave(kind)
        case "huge message":
            raise ValueError("x" * 10_000_000)
        case _:
            raise ValueError("\ud800 is half a character")


@queue.task(name="hold_the_interpreter")
def hold_the_interpreter(token: str, pipe: str) -> str:
    """Keep every other Python thread of the process from running until a byte comes."""
    descriptor = os.open(pipe, os.O_RDWR)
    marks.leave("start", token)
    ctypes.PyDLL(None).read(descriptor, ctypes.create_string_buffer(1), 1)
    return token


@queue.task(name="hold_with_a_child")
def hold_with_a_child(token: str, gate: str) -> str:
    """As ``hold``, with a forked child that inherits every open file and outlives the worker."""
    marks.leave("start", token)
    if (child := os.fork()) == 0:
        signal.alarm(20)
        wait_at(gate)
        os._exit(0)
    marks.leave("forked", token)
    wait_at(gate)
    os.waitpid(child, 0)
    return f"{token} by {os.getpid()}"


@queue.task(name="fork_and_enqueue")
def fork_and_enqueue(token: str) -> str:
    """Enqueue from a forked child; return its exit status."""
    if (child := os.fork()) == 0:
        status = 1
        try:
            job = note.delay(f"child of {token}")
            marks.leave("ack", f"child of {token}", job.id)
            status = 0
        finally:
            os._exit(status)
    return str(os.waitpid(child, 0)[1])


@queue.task(name="fork_and_return")
def fork_and_return(token: str, gate: str) -> str:
    """Fork, and let the child leave the function by the same way as the parent."""
    marks.leave("start", token)
    if os.fork() == 0:
        signal.alarm(10)
        marks.leave("child returns", token)
    else:
        wait_at(gate)
    return f"the result of {os.getpid()}"


marks.leave("imported")
