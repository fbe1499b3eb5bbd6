"""What is measured. Each workload takes a fresh system and returns figures by name."""

import random
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks.board import Board
from benchmarks.systems import LimitedSystem, System

BULK = 1000
HELD_BACK = 100_000
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
        figures: what it returns: name of each figure, and how a table calls it, with its unit.
    """

    measure: Callable[[System, Board, int], dict[str, float]]
    figures: dict[str, str]


def drain(system: System, board: Board, jobs: int) -> dict[str, float]:
    """Jobs that wait when the worker starts: first start until the last result is stored."""
    return {"drain": _drained(system, board, range(jobs))}


def heldback(system: System, board: Board, jobs: int) -> dict[str, float]:
    """Two drains of half the jobs: the second beside 100,000 jobs that may not start.

    They wait in every way there is: for a time, for other jobs, in a paused queue, and, before
    the others in the same queue, for limits of their task and of their keys.
    """
    if not isinstance(system, LimitedSystem):
        raise TypeError(f"{system!r} cannot hold jobs back")
    half = jobs // 2
    alone = _drained(system, board, range(half))
    system.stop()
    others = system.hold_back(HELD_BACK)
    system.start()
    system.finish(half + others)
    system.stop()
    beside = _drained(system, board, range(half, 2 * half), already=half + others)
    return {"alone": alone, "beside": beside, "beside_to_alone": beside / alone}


def _drained(system: System, board: Board, indexes: range, *, already: int = 0) -> float:
    """Jobs per second, of a worker that finds these; it also ends ``already`` others."""
    for first in range(indexes.start, indexes.stop, BULK):
        system.enqueue_many(range(first, min(first + BULK, indexes.stop)))
    system.start()
    system.finish(already + len(indexes))
    seconds = (time.monotonic_ns() - board.first_start_ns(indexes)) / 1e9
    return len(indexes) / seconds


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
    "drain": Workload(measure=drain, figures={"drain": "drain, /s"}),
    "enqueue": Workload(measure=enqueue, figures={"enqueue": "enqueue, one by one, /s"}),
    "bulk": Workload(measure=bulk, figures={"bulk": "enqueue, 1,000 a call, /s"}),
    "end2end": Workload(measure=end2end, figures={"end2end": "enqueue and run at once, /s"}),
    "latency": Workload(
        measure=latency,
        figures={
            "start_p50": "call to start, p50, ms",
            "start_p99": "call to start, p99, ms",
            "result_p50": "call to result, p50, ms",
            "result_p99": "call to result, p99, ms",
        },
    ),
    "heldback": Workload(
        measure=heldback,
        figures={
            "alone": "drain, half the jobs, /s",
            "beside": "the same beside 100,000 held-back jobs, /s",
            "beside_to_alone": "beside them to alone, ratio",
        },
    ),
}
