"""The systems that are measured, one module each.

To add a system, add one file here. ``run.py --systems NAME:VARIANT`` finds it as ``NAME.py``,
or ``NAME_.py`` where the system's own package is called ``NAME``. It defines

* ``connect(place) -> System``: called once, in a process of its own;
* ``versions() -> dict[str, str]``: what to print about the software measured.

A file ``NAME.txt`` beside it, of pip's requirements, gives it a virtual environment of its own.
Most systems with a worker process derive from ``peer.Peer``. The job of every system is the one
of ``jobs.body(place)``. Workers in other processes find their place with
``Place.from_environment()``.
"""

import importlib
import os
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol, cast, runtime_checkable

from benchmarks.board import Board

VARIABLE = "TASKITO_BENCHMARK_PLACE"
FOLDER = Path(__file__).parent


class MissingError(Exception):
    """What a system needs is not on this machine; the message is one line that names it."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where and how one measurement happens; the same for the caller and its worker.

    Attributes:
        directory: empty at the start, removed at the end.
        variant: the part of the system's name after the colon, such as a durability.
        kind: what its jobs do, of ``jobs.BODIES``.
        threads: how many jobs the worker runs at once, in all its processes.
        processes: how many processes it has, at least.
        coroutines: whether its jobs are coroutines, ``threads`` of them at once.
    """

    directory: Path
    variant: str
    kind: str = "noop"
    threads: int = 2
    processes: int = 1
    coroutines: bool = False

    @cached_property
    def board(self) -> Board:
        """Where jobs note their start."""
        return Board(self.directory / "board")

    def environment(self) -> dict[str, str]:
        """Return the environment for a worker process, in which programs find ours first."""
        words = (
            self.kind,
            str(self.threads),
            str(self.processes),
            "coroutines" if self.coroutines else "",
            self.variant,
            str(self.directory),
        )
        programs = str(Path(sys.executable).parent)
        return {
            **os.environ,
            VARIABLE: "\n".join(words),
            "PYTHONPATH": str(FOLDER.parent.parent),
            "PATH": os.pathsep.join((programs, os.environ.get("PATH", os.defpath))),
        }

    @classmethod
    def from_environment(cls) -> "Place":
        """Return the place of the measurement this process belongs to."""
        kind, threads, processes, coroutines, variant, directory = os.environ[VARIABLE].split(
            "\n", 5
        )
        return cls(
            directory=Path(directory),
            variant=variant,
            kind=kind,
            threads=int(threads),
            processes=int(processes),
            coroutines=bool(coroutines),
        )


class System(Protocol):
    """One system, empty, with its worker not yet started."""

    workloads: frozenset[str]
    """Names of the workloads it can do, of ``workloads.WORKLOADS``."""

    scale: float
    """Its share of the jobs of a measurement: what makes one take a few seconds, 1 at most."""

    def enqueue(self, index: int) -> object:
        """Submit ``job(index)``. Before ``start``, it waits."""

    def enqueue_many(self, indexes: range) -> object:
        """Submit one job for each index, by the fastest public way."""

    def call(self, index: int) -> object:
        """Submit ``job(index)`` and return its result."""

    def start(self) -> None:
        """Start one worker: a process, or threads for a system inside this process."""

    def finish(self, jobs: int) -> None:
        """Block until this many jobs, all that were submitted, are done and their results kept."""

    def close(self) -> None:
        """Stop the worker and release everything. Also called after a failure."""


@runtime_checkable
class WorkerSystem(System, Protocol):
    """A system whose worker is another process, and whose jobs lie somewhere."""

    imports: str
    """What a program imports to enqueue: a statement."""

    def stop(self) -> None:
        """Stop the worker; ``start`` starts another one."""

    def processes(self) -> list[int]:
        """Return the ids of the processes of the worker."""
        ...

    def size(self) -> int:
        """Return how many bytes its jobs take where they wait."""
        ...


@runtime_checkable
class LimitedSystem(WorkerSystem, Protocol):
    """A system in which jobs can be held back."""

    def hold_back(self, jobs: int) -> int:
        """Submit so many jobs that may not start.

        Returns:
            How many others were submitted with them: those that use up what limits allow.
        """
        ...

    def close_gate(self) -> None:
        """Let no job start until ``open_gate``."""

    def open_gate(self) -> None:
        """Let jobs start again."""


@runtime_checkable
class WatchedSystem(LimitedSystem, Protocol):
    """A system with a page for people to look at."""

    def open_page(self) -> str:
        """Serve the page from a process of its own until ``close``, and return its address."""
        ...


class Plugin(Protocol):
    """What a module in this package defines."""

    def connect(self, place: Place) -> System:
        """Prepare the system.

        Raises:
            MissingError: something it needs is not there.
        """
        ...

    def versions(self) -> dict[str, str]:
        """Return name and version of what is measured."""
        ...


def load(name: str) -> Plugin:
    """Import the plug-in of that name.

    Raises:
        LookupError: there is none.
    """
    return cast("Plugin", importlib.import_module(f"{__name__}.{find(name).stem}"))


def find(name: str) -> Path:
    """Return the file of the plug-in of that name, without importing it.

    Raises:
        LookupError: there is none.
    """
    for path in (FOLDER / f"{name}.py", FOLDER / f"{name}_.py"):
        if name.isidentifier() and path.is_file():
            return path
    raise LookupError(f"there is no system {name!r} in {FOLDER}")


def requirements(name: str) -> Path | None:
    """Return what must be installed for a plug-in, ``None`` if nothing."""
    path = FOLDER / f"{name}.txt"
    return path if path.is_file() else None
