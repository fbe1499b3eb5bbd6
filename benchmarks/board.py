"""One number per job in memory that all processes share: when its function started.

The times are of the monotonic clock, which every process of a machine reads alike. Each job
writes its own place, so writers need no lock.
"""

import mmap
import os
from pathlib import Path

WORD_BYTES = 8


class Board:
    """A file of 64-bit integers, mapped into memory. Zero means "not started"."""

    def __init__(self, path: Path, size: int | None = None) -> None:
        """Open the file, and create it with room for ``size`` jobs if that is given."""
        descriptor = os.open(path, os.O_RDWR | (os.O_CREAT if size else 0), 0o600)
        try:
            if size:
                os.ftruncate(descriptor, size * WORD_BYTES)
            self._words = memoryview(mmap.mmap(descriptor, 0)).cast("q")
        finally:
            os.close(descriptor)

    def __len__(self) -> int:
        return len(self._words)

    def __getitem__(self, index: int) -> int:
        return self._words[index]

    def __setitem__(self, index: int, started_ns: int) -> None:
        self._words[index] = started_ns

    def first_start_ns(self, jobs: range) -> int:
        """Return when the earliest of these jobs started.

        Raises:
            ValueError: one of them has not.
        """
        starts = [self._words[index] for index in jobs]
        if missing := starts.count(0):
            raise ValueError(f"{missing} of {len(jobs)} jobs never started")
        return min(starts)
