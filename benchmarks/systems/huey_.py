"""Huey. The variants are its storages, ``redis`` and ``sqlite``, and ``sqlite-nosync``.

Threads, or processes where jobs use the processor. Redis tells waiting callers of results. On
SQLite it polls, here every 5 ms instead of 100 ms to 10 s; ``sqlite`` syncs as SQLite does by
itself, ``sqlite-nosync`` never: the machine must not fail.
"""

from importlib import import_module
from importlib.metadata import version
from typing import Any

from benchmarks import jobs
from benchmarks.peer import Peer, pages, program
from benchmarks.services import REDIS_URL, RedisDatabase, redis_version
from benchmarks.systems import Place

place = Place.from_environment()
body = jobs.body(place)
on_redis = place.variant == "redis"
# Otherwise an attempt that failed would count as a result until the next one is over.
OPTIONS = {"store_intermediate_errors": False}
huey: Any = import_module("huey")
if on_redis:
    app: Any = huey.RedisHuey("benchmark", url=REDIS_URL, notify_result=True, **OPTIONS)
else:
    fsync = None if place.variant == "sqlite" else False
    app = huey.SqliteHuey(
        "benchmark", filename=str(place.directory / "huey.db"), fsync=fsync, **OPTIONS
    )
job: Any = app.task(name="job", retries=3, retry_delay=0)(body)


class Huey(Peer):
    """See ``System``. Counting results costs SQLite something, so we look less often."""

    workloads = frozenset(
        (
            *("drain", "enqueue", "end2end", "latency", "idle", "startup"),
            *("backlog", "cpu", "sleep", "retry", "mixed"),
        )
    )
    scale = 0.2
    imports = "from huey import RedisHuey, SqliteHuey"
    poll_s = 0.005 if on_redis else 0.02

    def __init__(self, place: Place) -> None:
        self._database = RedisDatabase() if on_redis else None
        super().__init__(place)

    def command(self) -> list[str]:
        kind = "process" if self.place.kind == "burn" else "thread"
        polling = [] if on_redis else ["-d", "0.005", "-m", "0.005"]
        crew = ["-k", kind, "-w", str(self.place.threads), "-g", "TERM", "-t", "2"]
        return [program("huey_consumer"), f"{__name__}.app", "-q", *crew, *polling]

    def enqueue(self, index: int) -> object:
        return job(index)

    def call(self, index: int) -> object:
        return job(index).get(blocking=True, timeout=10, backoff=1.1, max_delay=0.05)

    def stored(self) -> int:
        return int(app.result_count())

    def size(self) -> int:
        if self._database:
            return self._database.grown()
        return pages(self.place.directory / "huey.db")

    def close(self) -> None:
        super().close()
        if self._database:
            self._database.close()


def connect(place: Place) -> Huey:
    return Huey(place)


def versions() -> dict[str, str]:
    return {"huey": version("huey"), **(redis_version() if on_redis else {})}
