"""The systems that are measured, one module each.

To add a system, add one file here. ``run.py --systems NAME:VARIANT`` finds it as ``NAME.py``,
or ``NAME_.py`` where the system's own package is called ``NAME``. It defines

* ``connect(place) -> System``: called once, in a process of its own;
* ``versions() -> dict[str, str]``: what to print about the software measured.

The job of every system is ``job`` below. Workers in other processes find their place with
``Place.from_environment()``.
"""

import importlib
import importlib.util
import os
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol, cast, runtime_checkable

from benchmarks.board import Board

VARIABLE = "TASKITO_BENCHMARK_PLACE"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where and how one measurement happens; the same for the caller and its worker.

    Attributes:
        directory: empty at the start, removed at the end.
        variant: the part of the system's name after the colon, such as a durability.
        threads: how many jobs the worker runs at once.
    """

    directory: Path
    variant: str
    threads: int

    @cached_property
    def board(self) -> Board:
        """Where jobs note their start."""
        return Board(self.directory / "board")

    def environment(self) -> dict[str, str]:
        """Return the environment for a worker process."""
        words = (str(self.threads), self.variant, str(self.directory))
        return {**os.environ, VARIABLE: "\n".join(words)}

    @classmethod
    def from_environment(cls) -> "Place":
        """Return the place of the measurement this process belongs to."""
        threads, variant, directory = os.environ[VARIABLE].split("\n", 2)
        return cls(directory=Path(directory), variant=variant, threads=int(threads))


class System(Protocol):
    """One system, empty, with its worker not yet started."""

    workloads: frozenset[str]
    """Names of the workloads it can do, of ``workloads.WORKLOADS``."""

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
class LimitedSystem(System, Protocol):
    """A system in which jobs can be held back."""

    def stop(self) -> None:
        """Stop the worker; ``start`` starts another one."""

    def hold_back(self, jobs: int) -> int:
        """Submit so many jobs that may not start.

        Returns:
            How many others were submitted with them: those that use up what limits allow.
        """
        ...


class Plugin(Protocol):
    """What a module in this package defines."""

    def connect(self, place: Place) -> System:
        """Prepare the system."""
        ...

    def versions(self) -> dict[str, str]:
        """Return name and version of what is measured."""
        ...


def load(name: str) -> Plugin:
    """Import the plug-in of that name.

    Raises:
        LookupError: there is none.
    """
    for module in (f"{__name__}.{name}", f"{__name__}.{name}_"):
        if importlib.util.find_spec(module):
            return cast("Plugin", importlib.import_module(module))
    raise LookupError(f"there is no system {name!r} in {Path(__file__).parent}")


def job(place: Place, index: int) -> int:
    """Note the start and return the argument: the least a job can do and be seen to do."""
    place.board[index] = time.monotonic_ns()
    return index
