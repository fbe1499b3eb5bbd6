"""``concurrent.futures.ProcessPoolExecutor``: two processors, and nothing is kept."""

import multiprocessing
import platform
from concurrent.futures import Future, ProcessPoolExecutor

from benchmarks import jobs
from benchmarks.systems import Place

place = Place.from_environment()
body = jobs.body(place)


def job(index: int) -> int:
    return body(index)


class ProcessPool:
    """See ``System``. What is submitted before ``start`` is kept until then."""

    workloads = frozenset(("cpu",))
    scale = 1.0

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(place.processes, mp_context=context)
        for future in [self._pool.submit(int) for _ in range(place.processes)]:
            future.result()  # the processes are up
        self._waiting: list[int] = []
        self._futures: list[Future[int]] = []

    def enqueue(self, index: int) -> None:
        self._waiting.append(index)

    def enqueue_many(self, indexes: range) -> None:
        self._waiting += indexes

    def call(self, index: int) -> int:
        return self._pool.submit(job, index).result()

    def start(self) -> None:
        self._futures = [self._pool.submit(job, index) for index in self._waiting]

    def finish(self, jobs: int) -> None:
        if len([future.result() for future in self._futures]) != jobs:
            raise RuntimeError(f"{len(self._futures)} jobs were submitted, not {jobs}")

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)


def connect(_place: Place) -> ProcessPool:
    return ProcessPool()


def versions() -> dict[str, str]:
    return {"concurrent.futures": f"Python {platform.python_version()}"}
