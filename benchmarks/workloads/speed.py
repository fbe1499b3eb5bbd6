"""How many jobs in a second."""

import time

from benchmarks.board import Board
from benchmarks.systems import LimitedSystem, System

BULK = 1000
HELD_BACK = 100_000
ENQUEUE_AT_MOST_S = 1.0
WARM_UP = 20
CPU_SHARE = 0.02
WAITING_SHARE = 0.3
RETRY_SHARE = 0.5


def drain(system: System, board: Board, jobs: int) -> dict[str, float]:
    """Jobs that wait when the worker starts: first start until the last result is stored."""
    return {"drain": drained(system, board, range(jobs))}


def heldback(system: System, board: Board, jobs: int) -> dict[str, float]:
    """Two drains of a third of the jobs, after one to warm up: the last beside 100,000 others.

    Those may not start: they wait in every way there is, for a time, for other jobs, in a paused
    queue, and, before the others in the same queue, for limits of their task and of their keys.
    One worker runs all the time; the jobs that it drains wait behind a gate until all are there.
    """
    if not isinstance(system, LimitedSystem):
        raise TypeError(f"{system!r} cannot hold jobs back")
    third = jobs // 3
    warm_up, few, many = (range(third * turn, third * (turn + 1)) for turn in range(3))
    system.start()
    let_through(system, board, warm_up)
    alone = let_through(system, board, few, already=third)
    others = system.hold_back(HELD_BACK)
    system.finish(2 * third + others)
    beside = let_through(system, board, many, already=2 * third + others)
    return {"alone": alone, "beside": beside, "beside_to_alone": beside / alone}


def enqueue(system: System, _board: Board, jobs: int) -> dict[str, float]:
    """One call per job, from one thread, while no worker runs; for one second at most."""
    return {"enqueue": _enqueued(system, jobs)[1]}


def bulk(system: System, _board: Board, jobs: int) -> dict[str, float]:
    """One call per 1,000 jobs, from one thread, while no worker runs."""
    begin = time.perf_counter()
    fill(system, range(jobs))
    return {"bulk": jobs / (time.perf_counter() - begin)}


def end2end(system: System, _board: Board, jobs: int) -> dict[str, float]:
    """One call per job while the worker works: from the first call until the last result."""
    system.start()
    fill(system, range(WARM_UP))
    system.finish(WARM_UP)
    begin = time.perf_counter()
    done, _ = _enqueued(system, jobs)
    system.finish(WARM_UP + done)
    return {"end2end": done / (time.perf_counter() - begin)}


def retry(system: System, board: Board, jobs: int) -> dict[str, float]:
    """As ``drain``, with half the jobs: each fails at first and is tried again at once."""
    count = max(1, int(jobs * RETRY_SHARE))
    half = len(board) // 2
    fill(system, range(count))
    system.start()
    system.finish(count)
    return {"retry": _rate(board, range(half, half + count))}


def cpu(system: System, board: Board, jobs: int) -> dict[str, float]:
    """As ``drain``, with fewer jobs, each of which uses the processor for 5 ms."""
    return {"cpu": drained(system, board, range(max(100, int(jobs * CPU_SHARE))))}


def sleep(system: System, board: Board, jobs: int) -> dict[str, float]:
    """As ``drain``, with jobs that wait for 10 ms, 100 at once."""
    return {"sleep": drained(system, board, range(max(100, int(jobs * WAITING_SHARE))))}


def asleep(system: System, board: Board, jobs: int) -> dict[str, float]:
    """As ``sleep``, with coroutines, 1,000 at once."""
    return {"asleep": drained(system, board, range(jobs))}


def drained(system: System, board: Board, indexes: range, *, already: int = 0) -> float:
    """Jobs per second, of a worker that finds these; it also ends ``already`` others."""
    fill(system, indexes)
    system.start()
    system.finish(already + len(indexes))
    return _rate(board, indexes)


def let_through(system: LimitedSystem, board: Board, indexes: range, *, already: int = 0) -> float:
    """Jobs per second, of a worker that runs and may start these when all are there."""
    system.close_gate()
    fill(system, indexes)
    system.open_gate()
    system.finish(already + len(indexes))
    return _rate(board, indexes)


def fill(system: System, indexes: range) -> None:
    """Submit one job for each index, 1,000 a call."""
    for first in range(indexes.start, indexes.stop, BULK):
        system.enqueue_many(range(first, min(first + BULK, indexes.stop)))


def _rate(board: Board, indexes: range) -> float:
    """Jobs per second from the first of these starts until now."""
    return len(indexes) / ((time.monotonic_ns() - board.first_start_ns(indexes)) / 1e9)


def _enqueued(system: System, jobs: int) -> tuple[int, float]:
    """Submit jobs one by one; how many in one second, and how many a second that is."""
    done = 0
    begin = time.perf_counter()
    while done < jobs and time.perf_counter() - begin < ENQUEUE_AT_MOST_S:
        system.enqueue(done)
        done += 1
    return done, done / (time.perf_counter() - begin)
