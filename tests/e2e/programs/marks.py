"""Marks that tasks and producers leave outside the product: the ground truth of these tests.

A mark is one line of one file, appended by a single write, so marks of many processes never
mix and a mark that was left survives the death of its process.
"""

import json
import os
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.support.until import PATIENCE, until


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something that happened in some process.

    Attributes:
        event: what happened, e.g. ``start``, ``end``, ``ack``.
        token: what it happened to.
        job_id: the job, where the process that left the mark knows it.
        pid: the process that left the mark.
        at: seconds of the monotonic clock, which all processes of a machine share.
        clock: seconds since the epoch.
    """

    event: str
    token: str = ""
    job_id: str = ""
    pid: int = field(default_factory=os.getpid)
    at: float = field(default_factory=time.monotonic)
    clock: float = field(default_factory=time.time)


class Marks:
    """The file of marks. Reading again reads only what is new."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = 0
        self._seen: list[Mark] = []

    def leave(self, event: str, token: str = "", job_id: str = "") -> None:
        """Append one mark. When this returns, killing the process does not undo it."""
        line = json.dumps(asdict(Mark(event=event, token=token, job_id=job_id))) + "\n"
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)

    def all(self, event: str | None = None, token: str | None = None) -> list[Mark]:
        """The marks so far, in the order they were left."""
        self._read()
        return [
            mark
            for mark in self._seen
            if (event is None or mark.event == event) and (token is None or mark.token == token)
        ]

    def fresh(self) -> list[Mark]:
        """The marks that no other call has seen; :meth:`all` forgets them."""
        self._read()
        fresh, self._seen = self._seen, []
        return fresh

    def tokens(self, event: str) -> list[str]:
        """The tokens of all marks of one event."""
        return [mark.token for mark in self.all(event)]

    def wait(
        self, event: str, token: str | None = None, *, count: int = 1, within: float = PATIENCE
    ) -> Mark:
        """Wait for the ``count``-th mark of this kind and return it."""

        def there() -> list[Mark]:
            found = self.all(event, token)
            assert len(found) >= count, f"{len(found)} of {count} marks '{event}' of {token!r}"
            return found

        return until(there, within=within)[count - 1]

    def _read(self) -> None:
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            file.seek(self._offset)
            fresh = file.read()
        complete = fresh[: fresh.rfind(b"\n") + 1]
        self._offset += len(complete)
        self._seen += [Mark(**json.loads(line)) for line in complete.splitlines()]
