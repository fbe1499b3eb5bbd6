"""Hold a lock again and again until a gate is opened, and leave a mark of each hold.

Usage: hold_lock.py NAME TTL GATE SECONDS
"""

import logging
import sys
import time
from pathlib import Path

from tests.e2e.programs.workshop import marks, queue


def main(name: str, ttl: str, gate: str, seconds: str) -> None:
    logging.basicConfig(level=logging.WARNING)
    marks.leave("ready", name)
    while Path(gate).exists():
        with queue.lock(name, float(ttl)) as lock:
            marks.leave("taken", str(lock.fence))
            end = time.monotonic() + float(seconds)
            while Path(gate).exists() and time.monotonic() < end:
                time.sleep(0.002)
            # The last word inside: what others may see comes after it.
            marks.leave("left" if lock.held else "lost", str(lock.fence))


if __name__ == "__main__":
    main(*sys.argv[1:])
