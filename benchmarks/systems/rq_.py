"""RQ on Redis: a pool of two workers of the kind that does not fork for each job."""

from importlib import import_module
from importlib.metadata import version
from typing import Any

from benchmarks import jobs
from benchmarks.peer import Peer, program
from benchmarks.services import REDIS_URL, RedisDatabase, redis_version
from benchmarks.systems import Place

QUEUE = "benchmark"

place = Place.from_environment()
body = jobs.body(place)
rq: Any = import_module("rq")


def job(index: int) -> int:
    return body(index)


class Rq(Peer):
    """See ``System``. It runs one job per process, so it cannot wait for many at once."""

    workloads = frozenset(
        (
            *("drain", "enqueue", "bulk", "end2end", "latency", "idle", "startup"),
            *("backlog", "cpu", "retry", "mixed"),
        )
    )
    scale = 0.05
    imports = "from rq import Queue"

    def __init__(self, place: Place) -> None:
        self._database = RedisDatabase()
        self._queue: Any = rq.Queue(QUEUE, connection=self._database.client)
        retry = rq.Retry(max=3) if place.kind == "fail_once" else None
        self._options: dict[str, Any] = {"retry": retry, "result_ttl": 3600}
        self._finished = self._queue.finished_job_registry.key
        super().__init__(place)

    def command(self) -> list[str]:
        kind = ["-w", "rq.worker.SimpleWorker", "-n", str(max(2, self.place.processes))]
        return [program("rq"), "worker-pool", "-q", "-u", REDIS_URL, *kind, QUEUE]

    def enqueue(self, index: int) -> object:
        return self._queue.enqueue(job, index, **self._options)

    def enqueue_many(self, indexes: range) -> object:
        return self._queue.enqueue_many(
            [rq.Queue.prepare_data(job, args=(index,), **self._options) for index in indexes]
        )

    def call(self, index: int) -> object:
        return self._queue.enqueue(job, index, **self._options).latest_result(timeout=10)

    def stored(self) -> int:
        return int(self._database.client.zcard(self._finished))

    def size(self) -> int:
        return self._database.grown()

    def close(self) -> None:
        super().close()
        self._database.close()


def connect(place: Place) -> Rq:
    return Rq(place)


def versions() -> dict[str, str]:
    return {"rq": version("rq"), **redis_version()}
