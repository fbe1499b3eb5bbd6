"""taskito: a worker in another process, all jobs and results in one file.

The variants are the durability levels, ``full`` and ``normal``.
"""

import subprocess
import sys
import time

from benchmarks.systems import Place, job
from taskito import Queue

KEYS = 1000
POLL_S = 0.002
STOP_WITHIN_S = 15.0
FINISH_WITHIN_S = 60.0

place = Place.from_environment()
queue = Queue(
    place.directory / "queue.db", durability="full" if place.variant == "full" else "normal"
)


@queue.task(name="job")
def stored_job(index: int) -> int:
    return job(place, index)


@queue.task(rate_limit="1/d", priority=1)
def limited_job() -> None:
    """Run once a day."""


@queue.task(rate_limit="1/d", priority=1)
def keyed_job() -> None:
    """Run once a day for each key."""


class Taskito:
    """See ``System``."""

    workloads = frozenset(("drain", "enqueue", "bulk", "end2end", "latency", "heldback"))

    def __init__(self) -> None:
        self._worker: subprocess.Popen[bytes] | None = None
        self._log = (place.directory / "worker.log").open("wb")
        queue.stats()  # creates the file

    def enqueue(self, index: int) -> None:
        stored_job.delay(index)

    def enqueue_many(self, indexes: range) -> None:
        stored_job.map((index,) for index in indexes)

    def call(self, index: int) -> int:
        return stored_job.delay(index).result(timeout=10)

    def start(self) -> None:
        options = ["--app", f"{__name__}:queue", "--workers", str(place.threads)]
        self._worker = subprocess.Popen(
            [sys.executable, "-m", "taskito", "worker", *options],
            env=place.environment(),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )

    def finish(self, jobs: int) -> None:
        deadline = time.monotonic() + FINISH_WITHIN_S
        while (stats := queue.stats())["completed"] < jobs:
            if time.monotonic() > deadline or (self._worker and self._worker.poll() is not None):
                text = (place.directory / "worker.log").read_text(errors="replace")[-1000:]
                raise RuntimeError(f"not finished: {stats}; the worker said: {text}")
            time.sleep(POLL_S)

    def stop(self) -> None:
        if not self._worker:
            return
        self._worker.terminate()
        try:
            self._worker.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._worker.kill()
            self._worker.wait()
        self._worker = None

    def hold_back(self, jobs: int) -> int:
        queue.pause("paused")
        (paused,) = queue.enqueue_many(stored_job.name, [(0,)], queue="paused")
        share = jobs // 5
        later = [(0,)] * share
        queue.enqueue_many(stored_job.name, later, delay=3600)
        queue.enqueue_many(stored_job.name, later, queue="paused")
        queue.enqueue_many(stored_job.name, later, depends_on=paused)
        queue.enqueue_many(limited_job.name, [()] * (share + 1))
        keys = [{"limit_key": str(number % KEYS)} for number in range(share + KEYS)]
        queue.enqueue_many(keyed_job.name, [()] * len(keys), options_list=keys)
        return 1 + KEYS

    def close(self) -> None:
        self.stop()
        queue.close()
        self._log.close()


def connect(_place: Place) -> Taskito:
    return Taskito()


def versions() -> dict[str, str]:
    import taskito
    import taskito_core

    core = f"{taskito_core.__version__}, SQLite {taskito_core.SQLITE_VERSION}"
    return {"taskito": taskito.__version__, "taskito-core": core}
