"""How long after the call."""

import random
import statistics
import time
from collections.abc import Iterator

from benchmarks.board import Board
from benchmarks.jobs import LONG_S
from benchmarks.systems import System

WARM_UP = 20
SAMPLES = 100
IDLE_S = (0.008, 0.016)
START_WITHIN_S = 5.0
LOOK_S = 0.0002
MIXED_S = 4.0
MIXED_SHORT_EVERY_S = 0.02
SEED = 2026


def latency(system: System, board: Board, _jobs: int) -> dict[str, float]:
    """One job at a time for an idle worker: the call until it starts; until its result is here.

    A system whose results cannot be had with a call has no figures for those.
    """
    system.start()
    system.enqueue_many(range(WARM_UP))
    system.finish(WARM_UP)
    indexes = iter(range(WARM_UP, WARM_UP + 2 * SAMPLES))
    starts = sorted(_starts(system, board, indexes))
    figures = {"start_p50": statistics.median(starts), "start_p99": p99(starts)}
    try:
        results = sorted(_results(system, indexes))
    except NotImplementedError:
        return figures
    return {**figures, "result_p50": statistics.median(results), "result_p99": p99(results)}


def mixed(system: System, board: Board, _jobs: int) -> dict[str, float]:
    """Short jobs among long ones: the call until a short one starts.

    Jobs of 50 ms come at random, so many that they keep one of two threads busy; a short job
    comes about every 20 ms. The instants are the same in every run.
    """
    half = len(board) // 2
    system.start()
    system.enqueue_many(range(WARM_UP))
    system.finish(WARM_UP)
    called: dict[int, int] = {}
    longs = 0
    begin = time.monotonic()
    for at, is_long in _arrivals():
        time.sleep(max(0.0, begin + at - time.monotonic()))
        if is_long:
            system.enqueue(half + longs)
            longs += 1
        else:
            index = WARM_UP + len(called)
            called[index] = time.monotonic_ns()
            system.enqueue(index)
    system.finish(WARM_UP + longs + len(called))
    delays = sorted((board[index] - since) / 1e6 for index, since in called.items())
    return {"mixed_p50": statistics.median(delays), "mixed_p99": p99(delays)}


def p99(ordered: list[float]) -> float:
    """Return the value that one in a hundred exceeds."""
    return ordered[int(0.99 * len(ordered))]


def _arrivals() -> list[tuple[float, bool]]:
    """Return when jobs come, in seconds, and whether they are long."""
    chance = random.Random(SEED)
    arrivals: list[tuple[float, bool]] = []
    for every, is_long in ((LONG_S, True), (MIXED_SHORT_EVERY_S, False)):
        at = chance.expovariate(1 / every)
        while at < MIXED_S:
            arrivals.append((at, is_long))
            at += chance.expovariate(1 / every)
    return sorted(arrivals)


def _starts(system: System, board: Board, indexes: Iterator[int]) -> Iterator[float]:
    for _, index in zip(range(SAMPLES), indexes, strict=False):
        _rest()
        begin = time.monotonic_ns()
        system.enqueue(index)
        while not (started := board[index]):
            if time.monotonic_ns() - begin > START_WITHIN_S * 1e9:
                raise TimeoutError(f"job {index} did not start within {START_WITHIN_S} s")
            time.sleep(LOOK_S)
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
