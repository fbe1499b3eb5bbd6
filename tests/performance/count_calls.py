"""A program with ``tally.c`` preloaded: it does one thing and prints which calls that took.

``python -m tests.performance.count_calls THING DATABASE DURABILITY``
"""

import ctypes
import json
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from taskito import Queue

KINDS = ("writes", "flushes", "locks", "futexes")
WARM_UP = 20
CALLS = 200
MANY = 1000
DRAINED = 5000
LOOK_S = 0.05


def one_by_one(_queue: Queue, job: Any) -> None:
    for index in range(CALLS):
        job.delay(index)


def together(_queue: Queue, job: Any) -> None:
    job.map((index,) for index in range(MANY))


def look(queue: Queue, _job: Any) -> None:
    for _ in range(CALLS):
        queue.stats()


def drain(queue: Queue, _job: Any) -> None:
    """Let a real worker run what waits."""
    worker = threading.Thread(target=queue.run_worker, kwargs={"workers": 2})
    worker.start()
    while queue.stats()["pending"] + queue.stats()["running"]:
        time.sleep(LOOK_S)
    queue.shutdown()
    worker.join()


THINGS: dict[str, Callable[[Queue, Any], None]] = {
    "one_by_one": one_by_one,
    "together": together,
    "look": look,
    "drain": drain,
}


def main(thing: str, database: str, durability: str) -> None:
    queue = Queue(database, durability="full" if durability == "full" else "normal")
    job = queue.task(name="job")(int)
    for index in range(WARM_UP):
        job.delay(index)
    if thing == "drain":
        job.map((index,) for index in range(DRAINED))
    before = _tally()
    THINGS[thing](queue, job)
    after = _tally()
    json.dump({kind: after[kind] - before[kind] for kind in KINDS}, sys.stdout)


def _tally() -> dict[str, int]:
    library = ctypes.CDLL(None)
    library.taskito_tally.restype = ctypes.c_long
    return {kind: int(library.taskito_tally(number)) for number, kind in enumerate(KINDS)}


if __name__ == "__main__":
    main(*sys.argv[1:])
