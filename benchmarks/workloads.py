"""What is measured. Each workload takes a fresh system and returns figures by name."""

import random
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks.board import Board
from benchmarks.systems import System

BULK = 1000
ENQUEUE_AT_MOST_S = 1.0
WARM_UP = 20
SAMPLES = 100
IDLE_S = (0.008, 0.016)
START_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One way to use a system.

    Attributes:
        measure: takes the system, its board and a number of jobs.
        figures: what it returns: name of each figure, and how a table calls it.
        unit: of all its figures.
    """

    measure: Callable[[System, Board, int], dict[str, float]]
    figures: dict[str, str]
    unit: str


def drain(system: System, board: Board, jobs: int) -> dict[str, float]:
    """Jobs that wait when the worker starts: first start until the last result is stored."""
    for first in range(0, jobs, BULK):
        system.enqueue_many(range(first, min(first + BULK, jobs)))
    system.start()
    system.finish(jobs)
    seconds = (time.monotonic_ns() - board.first_start_ns(range(jobs))) / 1e9
    return {"drain": jobs / seconds}


def enqueue(system: System, _board: Board, jobs: int) -> dict[str, float]:
    """One call per job, from one thread, while no worker runs; for one second at most."""
    done = 0
    begin = time.perf_counter()
    while done < jobs and time.perf_counter() - begin < ENQUEUE_AT_MOST_S:
        system.enqueue(done)
        done += 1
    return {"enqueue": done / (time.perf_counter() - begin)}


def bulk(system: System, _board: Board, jobs: int) -> dict[str, float]:
    """One call per 1,000 jobs, from one thread, while no worker runs."""
    begin = time.perf_counter()
    for first in range(0, jobs, BULK):
        system.enqueue_many(range(first, min(first + BULK, jobs)))
    return {"bulk": jobs / (time.perf_counter() - begin)}


def end2end(system: System, _board: Board, jobs: int) -> dict[str, float]:
    """One call per job while the worker works: from the first call until the last result."""
    system.start()
    for index in range(WARM_UP):
        system.call(index)
    done = 0
    begin = time.perf_counter()
    while done < jobs and time.perf_counter() - begin < ENQUEUE_AT_MOST_S:
        system.enqueue(done)
        done += 1
    system.finish(WARM_UP + done)
    return {"end2end": done / (time.perf_counter() - begin)}


def latency(system: System, board: Board, _jobs: int) -> dict[str, float]:
    """One job at a time for an idle worker: the call until it starts; until its result is here."""
    system.start()
    indexes = iter(range(WARM_UP + 2 * SAMPLES))
    for _ in range(WARM_UP):
        system.call(next(indexes))
    starts = sorted(_starts(system, board, indexes))
    results = sorted(_results(system, indexes))
    return {
        "start_p50": statistics.median(starts),
        "start_p99": _p99(starts),
        "result_p50": statistics.median(results),
        "result_p99": _p99(results),
    }


def _starts(system: System, board: Board, indexes: Iterator[int]) -> Iterator[float]:
    for _, index in zip(range(SAMPLES), indexes, strict=False):
        _rest()
        begin = time.monotonic_ns()
        system.enqueue(index)
        while not (started := board[index]):
            if time.monotonic_ns() - begin > START_WITHIN_S * 1e9:
                raise TimeoutError(f"job {index} did not start within {START_WITHIN_S} s")
            time.sleep(0.0002)
        yield (started - begin) / 1e6


def _results(system: System, indexes: Iterator[int]) -> Iterator[float]:
    for _, index in zip(range(SAMPLES), indexes, strict=False):
        _rest()
        begin = time.monotonic_ns()
        system.call(index)
        yield (time.monotonic_ns() - begin) / 1e6


def _rest() -> None:
    """Let the worker fall asleep, for a time that keeps step with no timer of its."""
    time.sleep(random.uniform(*IDLE_S))


def _p99(ordered: list[float]) -> float:
    return ordered[int(0.99 * len(ordered))]


WORKLOADS = {
    "drain": Workload(measure=drain, figures={"drain": "drain"}, unit="/s"),
    "enqueue": Workload(measure=enqueue, figures={"enqueue": "enqueue, one by one"}, unit="/s"),
    "bulk": Workload(measure=bulk, figures={"bulk": "enqueue, 1,000 a call"}, unit="/s"),
    "end2end": Workload(measure=end2end, figures={"end2end": "enqueue and run at once"}, unit="/s"),
    "latency": Workload(
        measure=latency,
        figures={
            "start_p50": "call to start, p50",
            "start_p99": "call to start, p99",
            "result_p50": "call to result, p50",
            "result_p99": "call to result, p99",
        },
        unit="ms",
    ),
}
