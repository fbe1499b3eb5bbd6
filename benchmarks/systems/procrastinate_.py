"""Procrastinate on PostgreSQL: coroutines in one process, woken by the database.

It keeps the state of each job and no result, so ``call`` does not exist here. PostgreSQL runs
with its own settings: every commit is synced.
"""

from importlib import import_module
from importlib.metadata import version
from typing import Any

from benchmarks import jobs
from benchmarks.peer import Peer, program
from benchmarks.services import POSTGRES_URL, SCHEMA, PostgresSchema, postgres_version
from benchmarks.systems import Place

AT_ONCE = 10

place = Place.from_environment()
coroutine_body = jobs.coroutine_body(place)
url = f"{POSTGRES_URL}?options=-csearch_path%3D{SCHEMA}"
procrastinate: Any = import_module("procrastinate")
app: Any = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url, max_size=20))
caller: Any = procrastinate.App(connector=procrastinate.SyncPsycopgConnector(conninfo=url))
RETRY: Any = procrastinate.RetryStrategy(max_attempts=3)


async def job(index: int) -> int:
    return await coroutine_body(index)


def called_job(index: int) -> None:
    """Stand for the job where jobs are deferred."""


app.task(name="job", retry=RETRY)(job)
deferred: Any = caller.task(name="job", retry=RETRY)(called_job)


class Procrastinate(Peer):
    """See ``System``."""

    workloads = frozenset(
        (
            *("drain", "enqueue", "bulk", "end2end", "idle", "startup"),
            *("backlog", "cpu", "sleep", "asleep", "retry", "mixed"),
        )
    )
    scale = 0.1
    imports = "from procrastinate import App"
    poll_s = 0.02

    def __init__(self, place: Place) -> None:
        self._schema = PostgresSchema()
        caller.open()
        caller.schema_manager.apply_schema()
        super().__init__(place)

    def copies(self) -> int:
        return self.place.processes

    def command(self) -> list[str]:
        few = self.place.kind in {"burn", "mixed"}
        at_once = self.place.threads if few else max(AT_ONCE, self.place.threads)
        words = ["worker", "-c", str(at_once // self.copies())]
        return [program("procrastinate"), "--app", f"{__name__}.app", *words]

    def enqueue(self, index: int) -> object:
        return deferred.defer(index=index)

    def enqueue_many(self, indexes: range) -> object:
        return deferred.batch_defer(*({"index": index} for index in indexes))

    def call(self, index: int) -> object:
        raise NotImplementedError(index)

    def stored(self) -> int:
        query = "SELECT count(*) FROM procrastinate_jobs WHERE status = 'succeeded'"
        return self._schema.number(query)

    def size(self) -> int:
        tables = ("procrastinate_jobs", "procrastinate_events")
        return sum(
            self._schema.number(f"SELECT pg_total_relation_size('{table}')") for table in tables
        )

    def close(self) -> None:
        super().close()
        caller.close()
        self._schema.close()


def connect(place: Place) -> Procrastinate:
    return Procrastinate(place)


def versions() -> dict[str, str]:
    return {"procrastinate": version("procrastinate"), **postgres_version()}
