"""Traps: what kills or stops a process at one chosen moment, without a seam in the product.

A trap for a system call is sprung by ``trap.c``, a library that is compiled here and preloaded
into the process; one for a named moment by the program itself, through :meth:`Trap.reach`.
"""

import ctypes
import mmap
import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

SOURCE = Path(__file__).with_name("trap.c")
SLOT = 16
"""Bytes of one trap: place, countdown, manner, as ``trap.c`` reads them, and the sign of life."""


class Call(IntEnum):
    """System calls, as ``trap.c`` numbers them."""

    WRITE = 1
    SYNC = 2
    LOCK = 3
    TURN = 4


class File(IntEnum):
    """Files of a database. A lock is on the file, or on a byte of it, that says what it is for."""

    DATABASE = 16
    LOG = 32
    WRITER = 48
    CHECKPOINTER = 64
    BELL = 80


class Manner(IntEnum):
    """What happens, and when."""

    BEFORE = 1
    AFTER = 2
    TORN = 3
    STOP = 4


NAMED = 1000
"""Places from here on are named moments of the program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A moment at which a process can be caught.

    Attributes:
        number: a call on a file, or a named moment.
        manner: what happens there.
    """

    number: int
    manner: Manner = Manner.BEFORE

    @property
    def is_call(self) -> bool:
        return self.number < NAMED


class Trap:
    """One process's trap, in memory that it shares with its owner."""

    def __init__(self, memory: mmap.mmap, slot: int) -> None:
        self._words = (ctypes.c_int32 * 4).from_buffer(memory, slot * SLOT)

    # For the owner

    def arm(self, place: Place, countdown: int) -> None:
        """Catch the process at the ``countdown``-th time that it gets there from now on."""
        self._words[1] = countdown
        self._words[2] = place.manner
        self._words[0] = place.number

    def reset(self) -> None:
        """Prepare it for another process."""
        self._words[0] = 0
        self._words[3] = 0

    @property
    def is_up(self) -> bool:
        """Whether the process has said so."""
        return bool(self._words[3])

    # For the process

    def set_up(self, database: Path) -> None:
        """Have calls on the files of this database caught, if ``trap.c`` was preloaded."""
        try:
            function = ctypes.CDLL(None)["trap_set_up"]
        except AttributeError:
            return
        function(ctypes.byref(self._words), os.fsencode(database))

    def report_up(self) -> None:
        self._words[3] = 1

    def reach(self, moment: int) -> None:
        """Die here if the trap is armed for this moment."""
        if self._words[0] == moment:
            self._words[1] -= 1
            if self._words[1] == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def traps(count: int) -> list[Trap]:
    """Traps in memory that forked children share with this process."""
    memory = mmap.mmap(-1, max(count * SLOT, mmap.PAGESIZE))
    return [Trap(memory, slot) for slot in range(count)]


def trap_in(path: Path) -> Trap:
    """The trap in a file, which other processes open by the same path."""
    with path.open("a+b") as file:
        file.truncate(SLOT)
        return Trap(mmap.mmap(file.fileno(), SLOT), 0)


def compiled(folder: Path) -> Path | None:
    """Compile ``trap.c``; ``None`` where there is no compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    library = folder / "trap.so"
    flags = ["-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run([compiler, *flags, "-o", str(library), str(SOURCE), "-ldl"], check=True)
    return library
