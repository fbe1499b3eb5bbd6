"""The tasks' own record of when each attempt began and ended, in a file beside the queue.

The demo proves what a kill costs with this record, so that it need not believe the queue. One
short line is one ``write`` to a file opened for appending: it survives the process, and
several processes may write. Times are of the monotonic clock, which all of them share.
"""

import os
import time
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

VARIABLE = "WORDCOUNT_DIARY"
"""The environment variable that names the file. Without it nothing is recorded."""


class Writer:
    """Notes the attempts of one worker process."""

    def __init__(self, path: str | None) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        self._descriptor = os.open(path, flags, 0o600) if path else None

    @contextmanager
    def attempt(self, number: int) -> Generator[None]:
        """Note the beginning and, unless the process dies, the end of an attempt of a job."""
        self._note("begin", number)
        try:
            yield
        finally:
            self._note("end", number)

    def _note(self, what: str, number: int) -> None:
        if self._descriptor is not None:
            line = f"{what} {number} {os.getpid()} {time.monotonic_ns()}\n"
            os.write(self._descriptor, line.encode())


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One run of a job's function. ``ended_ns`` is ``None`` when the process died in it."""

    pid: int
    began_ns: int
    ended_ns: int | None = None


@dataclass(slots=True)
class Reader:
    """Follows the record while workers write it.

    Attributes:
        attempts: by number of the job, its attempts so far, oldest first.
        running: by process, how many attempts have begun and not ended.
    """

    path: Path
    attempts: dict[int, list[Attempt]] = field(default_factory=dict[int, list[Attempt]])
    running: Counter[int] = field(default_factory=Counter[int])
    _offset: int = 0

    def update(self) -> None:
        """Read what was added since the last call."""
        with self.path.open("rb") as handle:
            handle.seek(self._offset)
            added = handle.read()
        whole = added[: added.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.decode().splitlines():
            what, number, pid, at_ns = line.split()
            attempts = self.attempts.setdefault(int(number), [])
            if what == "begin":
                attempts.append(Attempt(pid=int(pid), began_ns=int(at_ns)))
                self.running[int(pid)] += 1
            else:
                open_one = next(a for a in reversed(attempts) if a.pid == int(pid))
                open_one.ended_ns = int(at_ns)
                self.running[int(pid)] -= 1
