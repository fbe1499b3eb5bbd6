"""taskito: a worker in another process, all jobs and results in one file.

The variants are the durability levels, ``full`` and ``normal``. More processes are more workers
on the same file.
"""

import re
import subprocess
import sys
from typing import Any

from benchmarks import jobs
from benchmarks.peer import Peer, pages
from benchmarks.systems import Place
from taskito import Queue

KEYS = 1000

place = Place.from_environment()
queue = Queue(
    place.directory / "queue.db",
    durability="full" if place.variant == "full" else "normal",
    async_concurrency=place.threads if place.coroutines else 100,
)


def _registered() -> Any:
    """Register the job as what it is here, a function or a coroutine function."""
    register = queue.task(name="job", max_retries=3, retry_delays=[0.0])
    if place.coroutines:
        body = jobs.coroutine_body(place)

        async def coroutine(index: int) -> int:
            return await body(index)

        return register(coroutine)
    return register(jobs.body(place))


stored_job = _registered()


@queue.task(rate_limit="1/d", priority=1)
def limited_job() -> None:
    """Run once a day."""


@queue.task(rate_limit="1/d", priority=1)
def keyed_job() -> None:
    """Run once a day for each key."""


class Taskito(Peer):
    """See ``System``."""

    workloads = frozenset(
        (
            *("drain", "enqueue", "bulk", "end2end", "latency", "heldback", "idle", "startup"),
            *("backlog", "cpu", "sleep", "asleep", "retry", "mixed", "viewers"),
        )
    )
    imports = "from taskito import Queue"
    poll_s = 0.002

    def __init__(self, place: Place) -> None:
        queue.stats()  # creates the file
        super().__init__(place)
        self._page: subprocess.Popen[str] | None = None

    def copies(self) -> int:
        return self.place.processes

    def command(self) -> list[str]:
        threads = 2 if self.place.coroutines else self.place.threads // self.copies()
        options = ["--app", f"{__name__}:queue", "--workers", str(threads)]
        return [sys.executable, "-m", "taskito", "worker", *options]

    def enqueue(self, index: int) -> object:
        return stored_job.delay(index)

    def enqueue_many(self, indexes: range) -> object:
        return stored_job.map((index,) for index in indexes)

    def call(self, index: int) -> object:
        return stored_job.delay(index).result(timeout=10)

    def stored(self) -> int:
        return queue.stats()["completed"]

    def size(self) -> int:
        return pages(self.place.directory / "queue.db")

    def hold_back(self, jobs: int) -> int:
        """See ``LimitedSystem``."""
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

    def close_gate(self) -> None:
        """See ``LimitedSystem``."""
        queue.pause()

    def open_gate(self) -> None:
        """See ``LimitedSystem``."""
        queue.resume()

    def open_page(self) -> str:
        """See ``WatchedSystem``."""
        app = f"{__name__}:queue"
        self._page = subprocess.Popen(
            [sys.executable, "-m", "taskito", "dashboard", "--app", app, "--port", "0"],
            env=self.place.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        said = self._page.stdout.readline() if self._page.stdout else ""
        if found := re.search(r"http://\S+", said):
            return found[0]
        raise RuntimeError(f"the dashboard said {said!r}; {self.said()}")

    def close(self) -> None:
        if self._page is not None:
            self._page.terminate()
            self._page.communicate()
        super().close()
        queue.close()


def connect(place: Place) -> Taskito:
    return Taskito(place)


def versions() -> dict[str, str]:
    import taskito
    import taskito_core

    core = f"{taskito_core.__version__}, SQLite {taskito_core.SQLITE_VERSION}"
    return {"taskito": taskito.__version__, "taskito-core": core}
