"""Dramatiq on Redis, with its results middleware, results in a second database.

Two processes, as it does by itself, with four threads each; more threads where jobs wait. A
retry waits a millisecond, the least it can.
"""

from importlib import import_module
from importlib.metadata import version
from typing import Any

from benchmarks import jobs
from benchmarks.peer import Peer, program
from benchmarks.services import REDIS_URL, RedisDatabase, neighbour, redis_version
from benchmarks.systems import Place

PROCESSES = 2
THREADS = 4

place = Place.from_environment()
body = jobs.body(place)
dramatiq: Any = import_module("dramatiq")
results: Any = import_module("dramatiq.results")
broker: Any = import_module("dramatiq.brokers.redis").RedisBroker(url=REDIS_URL)
backend: Any = import_module("dramatiq.results.backends").RedisBackend(url=neighbour(REDIS_URL))
broker.add_middleware(results.Results(backend=backend, store_results=True))
dramatiq.set_broker(broker)
job: Any = dramatiq.actor(body, actor_name="job", max_retries=3, min_backoff=1, max_backoff=1)


class Dramatiq(Peer):
    """See ``System``."""

    workloads = frozenset(
        (
            *("drain", "enqueue", "end2end", "latency", "idle", "startup"),
            *("cpu", "sleep", "retry", "mixed"),
        )
    )
    scale = 0.2
    imports = "import dramatiq, dramatiq.brokers.redis"

    def __init__(self, place: Place) -> None:
        self._queue = RedisDatabase()
        self._results = RedisDatabase(neighbour(REDIS_URL))
        super().__init__(place)

    def command(self) -> list[str]:
        threads = {"burn": 1, "mixed": 1, "sleep": self.place.threads // PROCESSES}
        each = threads.get(self.place.kind, THREADS)
        words = ["-p", str(PROCESSES), "-t", str(each), "--skip-logging"]
        return [program("dramatiq"), __name__, *words]

    def enqueue(self, index: int) -> object:
        return job.send(index)

    def call(self, index: int) -> object:
        return job.send(index).get_result(block=True, timeout=10_000)

    def stored(self) -> int:
        return self._results.size()

    def size(self) -> int:
        return self._queue.grown()

    def close(self) -> None:
        super().close()
        self._queue.close()
        self._results.close()


def connect(place: Place) -> Dramatiq:
    return Dramatiq(place)


def versions() -> dict[str, str]:
    return {"dramatiq": version("dramatiq"), **redis_version()}
