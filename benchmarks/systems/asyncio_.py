"""Plain ``asyncio``: the coroutines of all jobs on one loop in this process, nothing is kept."""

import asyncio
import platform

from benchmarks import jobs
from benchmarks.systems import Place


class Asyncio:
    """See ``System``; it can only run coroutines, so many at once as there are threads."""

    workloads = frozenset(("asleep",))
    scale = 1.0

    def __init__(self, place: Place) -> None:
        self._job = jobs.coroutine_body(place)
        self._at_once = place.threads
        self._waiting: list[int] = []

    def enqueue(self, index: int) -> None:
        self._waiting.append(index)

    def enqueue_many(self, indexes: range) -> None:
        self._waiting += indexes

    def call(self, index: int) -> int:
        raise NotImplementedError(index)

    def start(self) -> None:
        asyncio.run(self._run())

    def finish(self, jobs: int) -> None:
        if jobs != len(self._waiting):
            raise RuntimeError(f"{len(self._waiting)} jobs were submitted, not {jobs}")

    def close(self) -> None:
        self._waiting.clear()

    async def _run(self) -> None:
        waiting = iter(self._waiting)

        async def run() -> None:
            for index in waiting:
                await self._job(index)

        await asyncio.gather(*(run() for _ in range(self._at_once)))


def connect(place: Place) -> Asyncio:
    return Asyncio(place)


def versions() -> dict[str, str]:
    return {"asyncio": f"Python {platform.python_version()}"}
