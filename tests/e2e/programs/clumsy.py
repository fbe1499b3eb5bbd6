"""An application whose tasks close what does not belong to them, or keep everything open."""

import os
import resource
from pathlib import Path

from taskito import Queue
from tests.e2e.programs.marks import Marks
from tests.e2e.programs.workshop import wait_at

marks = Marks(Path(os.environ["SITE_MARKS"]))
queue = Queue(os.environ["SITE_DATABASE"])


@queue.task(name="note")
def note(token: str) -> str:
    marks.leave("start", token)
    return token


@queue.task(name="hold")
def hold(token: str, gate: str) -> str:
    marks.leave("start", token)
    wait_at(gate)
    return token


@queue.task(name="close_everything")
def close_everything(token: str, gate: str) -> str:
    """Close every descriptor but the standard ones, at the first run only."""
    runs = len(marks.all("start", token))
    marks.leave("start", token)
    if not runs:
        os.closerange(3, 4096)
        wait_at(gate)
    return f"run {runs + 1}"


@queue.task(name="take_all_descriptors")
def take_all_descriptors(token: str, gate: str) -> int:
    """Open files until no more can be opened, and keep them while the gate is closed."""
    Path(gate).exists()
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (128, limits[1]))
    files: list[int] = []
    try:
        while True:
            files.append(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        os.close(files.pop())  # a mark needs one
        marks.leave("start", token)
        files.append(os.open(os.devnull, os.O_RDONLY))
    wait_at(gate)
    for file in files:
        os.close(file)
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    return len(files)
