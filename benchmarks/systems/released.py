"""The taskito that pip installs today, from its own virtual environment.

The variants are its settings: ``default``, and ``tuned`` with jobs claimed in batches, a poll of
5 ms instead of 50 ms, and many threads, which it needs to be busy. Processes where jobs use the
processor.
"""

from importlib.metadata import version
from typing import Any

from benchmarks import jobs
from benchmarks.peer import Peer, pages, program
from benchmarks.systems import Place
from taskito import Queue

TUNED: dict[str, Any] = {
    "scheduler_batch_size": 100,
    "scheduler_poll_interval_ms": 5,
    "push_dispatch": True,
}
MANY_THREADS = 32

place = Place.from_environment()
body = jobs.body(place)
tuned = place.variant == "tuned"
many = tuned and place.kind in {"noop", "fail_once"}
queue: Any = Queue(
    db_path=str(place.directory / "queue.db"),
    workers=MANY_THREADS if many else place.threads,
    **(TUNED if tuned else {}),
)
job: Any = queue.task(name="job", max_retries=3, retry_delays=[0.0])(body)


class Released(Peer):
    """See ``System``."""

    workloads = frozenset(
        (
            *("drain", "enqueue", "bulk", "end2end", "latency", "idle", "startup"),
            *("backlog", "cpu", "sleep", "retry", "mixed"),
        )
    )
    scale = 0.1 if tuned else 0.02
    imports = "from taskito import Queue"
    poll_s = 0.02

    def __init__(self, place: Place) -> None:
        queue.stats()  # creates the file
        super().__init__(place)

    def command(self) -> list[str]:
        pool = ["--pool", "prefork"] if self.place.kind == "burn" else []
        return [program("taskito"), "worker", "--app", f"{__name__}:queue", *pool]

    def enqueue(self, index: int) -> object:
        return job.delay(index)

    def enqueue_many(self, indexes: range) -> object:
        return job.map([(index,) for index in indexes])

    def call(self, index: int) -> object:
        return job.delay(index).result(timeout=10)

    def stored(self) -> int:
        return int(queue.stats()["completed"])

    def size(self) -> int:
        return pages(self.place.directory / "queue.db")


def connect(place: Place) -> Released:
    return Released(place)


def versions() -> dict[str, str]:
    return {"taskito, released": version("taskito")}
