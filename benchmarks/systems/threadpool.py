"""``concurrent.futures.ThreadPoolExecutor``: nothing leaves this process, nothing is kept."""

import platform
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

from benchmarks import jobs
from benchmarks.systems import Place


class ThreadPool:
    """See ``System``. Its threads wait for ``start`` before they take the first job."""

    workloads = frozenset(
        ("drain", "enqueue", "bulk", "end2end", "latency", "cpu", "sleep", "retry", "mixed")
    )
    scale = 1.0

    def __init__(self, place: Place) -> None:
        self._job = jobs.body(place)
        fails = place.kind == "fail_once"
        self._run = self._tried_again if fails else self._job
        self._attempts = 2 if fails else 1
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
        known = len(self._futures)
        for future in reversed(self._futures[:known]):  # the last ones are the last to be done
            future.result()
        for future in self._futures[known:]:  # tried again meanwhile
            future.result()
        if len(self._futures) != jobs * self._attempts:
            raise RuntimeError(f"{len(self._futures)} attempts were made for {jobs} jobs")

    def close(self) -> None:
        self._started.set()
        self._pool.shutdown(cancel_futures=True)

    def _submit(self, index: int) -> Future[int]:
        future = self._pool.submit(self._run, index)
        self._futures.append(future)
        return future

    def _tried_again(self, index: int) -> int:
        """Run the job, and when it fails, submit it anew and wait for nothing."""
        try:
            return self._job(index)
        except jobs.PlannedError:
            self._futures.append(self._pool.submit(self._job, index))
            return index


def connect(place: Place) -> ThreadPool:
    return ThreadPool(place)


def versions() -> dict[str, str]:
    return {"concurrent.futures": f"Python {platform.python_version()}"}
