"""What systems with a worker in another process have in common."""

import os
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from typing import IO

from benchmarks.systems import Place

STOP_WITHIN_S = 10.0
FINISH_WITHIN_S = 60.0
LOOK_S = 0.02


def program(name: str) -> str:
    """Return the path of a program that was installed with this interpreter."""
    return str(Path(sys.executable).parent / name)


def descendants(pid: int) -> list[int]:
    """Return the ids of a process and of all that it and they started; empty if it has ended."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                parents.setdefault(int(parent), []).append(int(folder.name))
    family = [pid] if (Path("/proc") / str(pid)).exists() else []
    for member in family:  # grows while we walk
        family += parents.get(member, [])
    return family


def birth(pid: int) -> str | None:
    """Return when a process began, in ticks of the kernel; ``None`` if there is none."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return None


class Peer(ABC):
    """A ``System`` whose worker is a command. See there for the methods it does not describe.

    Attributes:
        workloads: see ``System``.
        scale: see ``System``.
        imports: see ``WorkerSystem``.
        poll_s: seconds between two looks at what is stored, which also use the processor.
    """

    workloads: frozenset[str]
    scale: float = 1.0
    imports: str
    poll_s = 0.005

    def __init__(self, place: Place) -> None:
        self.place = place
        self._workers: list[subprocess.Popen[bytes]] = []
        self._log: IO[bytes] = (place.directory / "worker.log").open("wb")

    @abstractmethod
    def command(self) -> list[str]:
        """Return the command of the worker."""

    def copies(self) -> int:
        """Return how often it must be started to have the processes that are wanted."""
        return 1

    @abstractmethod
    def stored(self) -> int:
        """Return how many jobs are done with their results kept."""

    @abstractmethod
    def size(self) -> int:
        """Return how many bytes the jobs take."""

    @abstractmethod
    def enqueue(self, index: int) -> object:
        """Submit one."""

    def enqueue_many(self, indexes: range) -> object:
        return [self.enqueue(index) for index in indexes]

    def start(self) -> None:
        self._workers = [
            subprocess.Popen(
                self.command(),
                env=self.place.environment(),
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
            )
            for _ in range(self.copies())
        ]

    def finish(self, jobs: int) -> None:
        deadline = time.monotonic() + FINISH_WITHIN_S
        while (stored := self.stored()) < jobs:
            dead = [worker.args for worker in self._workers if worker.poll() is not None]
            if dead or time.monotonic() > deadline:
                raise RuntimeError(f"{stored} of {jobs} jobs are done; {self.said()}")
            time.sleep(self.poll_s)

    def said(self) -> str:
        """Return the end of what the worker printed."""
        text = (self.place.directory / "worker.log").read_text(errors="replace")
        return f"the worker said: {text[-1000:]!r}"

    def processes(self) -> list[int]:
        return [pid for worker in self._workers for pid in descendants(worker.pid)]

    def stop(self) -> None:
        """End the worker: politely, then whatever is left of it."""
        family = {pid: birth(pid) for pid in self.processes()}
        for worker in self._workers:
            worker.terminate()
        deadline = time.monotonic() + STOP_WITHIN_S
        for worker in self._workers:
            with suppress(subprocess.TimeoutExpired):
                worker.wait(max(0.1, deadline - time.monotonic()))
        for pid, born in family.items():
            if born and birth(pid) == born:  # not another process with the same id
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        for worker in self._workers:
            worker.wait()
        self._workers = []

    def close(self) -> None:
        self.stop()
        self._log.close()


def pages(database: Path) -> int:
    """Return how many bytes the pages of an SQLite file take that are in use.

    Another process asks: closing a file here would release the locks the system has on it.
    """
    query = "SELECT (page_count - freelist_count) * page_size"
    tables = "pragma_page_count, pragma_freelist_count, pragma_page_size"
    code = (
        "import sqlite3, sys; connection = sqlite3.connect(sys.argv[1]); "
        f"print(connection.execute('{query} FROM {tables}').fetchone()[0])"
    )
    command = [sys.executable, "-c", code, str(database)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
