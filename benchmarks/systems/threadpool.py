"""``concurrent.futures.ThreadPoolExecutor``: nothing leaves this process, nothing is kept."""

import platform
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

from benchmarks.systems import Place, job


class ThreadPool:
    """See ``System``. Its threads wait for ``start`` before they take the first job."""

    workloads = frozenset(("drain", "enqueue", "bulk", "end2end", "latency"))

    def __init__(self, place: Place) -> None:
        self._place = place
        self._started = Event()
        self._pool = ThreadPoolExecutor(place.threads, initializer=self._started.wait)
        self._futures: list[Future[int]] = []

    def enqueue(self, index: int) -> None:
        self._submit(index)

    def enqueue_many(self, indexes: range) -> None:
        for index in indexes:
            self._submit(index)

    def call(self, index: int) -> int:
        return self._submit(index).result()

    def start(self) -> None:
        self._started.set()

    def finish(self, jobs: int) -> None:
        for future in reversed(self._futures):  # the last ones are the last to be done
            future.result()
        if len(self._futures) != jobs:
            raise RuntimeError(f"{len(self._futures)} jobs were submitted, not {jobs}")

    def close(self) -> None:
        self._started.set()
        self._pool.shutdown(cancel_futures=True)

    def _submit(self, index: int) -> Future[int]:
        future = self._pool.submit(job, self._place, index)
        self._futures.append(future)
        return future


def connect(place: Place) -> ThreadPool:
    return ThreadPool(place)


def versions() -> dict[str, str]:
    return {"concurrent.futures": f"Python {platform.python_version()}"}
