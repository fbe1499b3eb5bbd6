"""Enqueue jobs of every kind at a steady rate, until told to stop.

Usage: python -m tests.soak.producer CALLS_PER_SECOND
"""

import random
import signal
import sys
import threading
import time
from collections.abc import Callable

from taskito import chain
from tests.soak.app import brief, fail, limited, long, queue, retry, step, wait

CALLS: list[tuple[int, Callable[[], object]]] = [
    (10, lambda: brief.delay(time.monotonic())),
    (3, lambda: limited.options(limit_key=random.choice("ab")).delay()),
    (2, lambda: step.map([(number,) for number in range(10)])),
    (2, lambda: wait.delay(random.uniform(0, 0.5))),
    (2, lambda: step.options(delay=random.uniform(1, 5)).delay(1)),
    (1, lambda: long.delay(random.uniform(0, 0.1))),
    (1, fail.delay),
    (1, retry.delay),
    (1, lambda: chain(step.s(1), step.s(), step.s()).apply()),
    (1, lambda: step.options(unique_key="one at a time").delay(1)),
    (1, lambda: queue.list_jobs(limit=20)),
    (1, queue.stats_by_queue),
]


def main(rate: float) -> None:
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    weights, calls = zip(*CALLS, strict=True)
    while not over.wait(random.expovariate(rate)):
        random.choices(calls, weights)[0]()
    queue.close()


if __name__ == "__main__":
    main(float(sys.argv[1]))
