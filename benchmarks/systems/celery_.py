"""Celery on Redis, results in a second database of it. The variants are its pools.

``prefork`` has a process for each job at once, ``threads`` one process. A job is acknowledged
when it has ended, as all others here do it; each process fetches 32 jobs ahead, not the default
4, and tells nobody what it does.
"""

from importlib import import_module
from importlib.metadata import version
from typing import Any

from benchmarks import jobs
from benchmarks.peer import Peer, program
from benchmarks.services import REDIS_URL, RedisDatabase, neighbour, redis_version
from benchmarks.systems import Place

place = Place.from_environment()
body = jobs.body(place)
app: Any = import_module("celery").Celery(
    "benchmark", broker=REDIS_URL, backend=neighbour(REDIS_URL)
)
app.conf.update(
    broker_connection_retry_on_startup=True,
    task_acks_late=True,
    worker_prefetch_multiplier=32,
    worker_send_task_events=False,
    worker_hijack_root_logger=False,
)


def bound_job(task: Any, index: int) -> int:
    try:
        return body(index)
    except jobs.PlannedError as error:
        raise task.retry(exc=error, countdown=0) from error


job: Any = app.task(name="job", bind=True, max_retries=3)(bound_job)


class Celery(Peer):
    """See ``System``."""

    workloads = frozenset(
        (
            *("drain", "enqueue", "end2end", "latency", "idle", "startup", "retry", "mixed"),
            "cpu" if place.variant == "prefork" else "sleep",
        )
    )
    scale = 0.1
    imports = "from celery import Celery"

    def __init__(self, place: Place) -> None:
        self._broker = RedisDatabase()
        self._results = RedisDatabase(neighbour(REDIS_URL))
        self._done = 0
        super().__init__(place)

    def command(self) -> list[str]:
        pool = ["-P", self.place.variant, "-c", str(self.place.threads)]
        quiet = ["-l", "ERROR", "--without-gossip", "--without-mingle", "--without-heartbeat"]
        return [program("celery"), "-A", __name__, "worker", *pool, *quiet]

    def enqueue(self, index: int) -> object:
        return job.delay(index)

    def call(self, index: int) -> object:
        return job.delay(index).get(timeout=10)

    def stored(self) -> int:
        if self.place.kind == "fail_once":  # an attempt that failed leaves a result as well
            while self.place.board[self._done]:
                self._done += 1
            return min(self._done, self._results.size())
        return self._results.size()

    def size(self) -> int:
        return self._broker.grown()

    def close(self) -> None:
        super().close()
        self._broker.close()
        self._results.close()


def connect(place: Place) -> Celery:
    return Celery(place)


def versions() -> dict[str, str]:
    return {"celery": version("celery"), **redis_version()}
