"""What a system costs that waits: at its start, at rest, with a long backlog."""

import os
import statistics
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from benchmarks.board import Board
from benchmarks.systems import System, WorkerSystem
from benchmarks.workloads.speed import fill

IMPORTS = 7
SETTLE_S = 1.5
IDLE_S = 5.0
MANY_TO_FEW = 100
FILL_WITHIN_S = 25.0
START_WITHIN_S = 60.0
LOOK_S = 0.005


def startup(system: System, _board: Board, _jobs: int) -> dict[str, float]:
    """Import what a producer needs, less a bare interpreter; start a worker for one job."""
    asked = _worker_system(system)
    _python(asked.imports)
    bare = statistics.median(_python("pass") for _ in range(IMPORTS))
    full = statistics.median(_python(asked.imports) for _ in range(IMPORTS))
    system.enqueue(0)
    begin = time.perf_counter()
    system.start()
    system.finish(1)
    ready = time.perf_counter() - begin
    return {"import": (full - bare) * 1e3, "startup": ready * 1e3}


def idle(system: System, _board: Board, _jobs: int) -> dict[str, float]:
    """A worker that has run one job and has none, for five seconds; its server apart."""
    asked = _worker_system(system)
    system.start()
    system.enqueue(0)
    system.finish(1)
    time.sleep(SETTLE_S)
    family = asked.processes()
    before, begin = _processor_s(family), time.monotonic()
    time.sleep(IDLE_S)
    used, elapsed = _processor_s(family) - before, time.monotonic() - begin
    return {
        "idle_cpu": used / elapsed * 1e3,
        "idle_own": _memory(family, "smaps_rollup", "Private_"),
        "idle_rss": _memory(family, "status", "VmRSS:"),
    }


def backlog(system: System, board: Board, jobs: int) -> dict[str, float]:
    """Start as many jobs of a short and of a long queue, and weigh what waits.

    The short queue has half the jobs, the long one 100 times as many. A system that cannot be
    filled with those within 25 s has figures for the short one only.
    """
    asked = _worker_system(system)
    few = max(100, jobs // 2)
    begin, empty = time.monotonic(), asked.size()
    fill(system, range(few))
    took = time.monotonic() - begin
    figures = {"bytes_few": (asked.size() - empty) / few}
    figures["few"] = _started(system, board, range(few))
    system.finish(few)
    if took * MANY_TO_FEW > FILL_WITHIN_S:
        return figures
    asked.stop()
    many, empty = few * MANY_TO_FEW, asked.size()
    fill(system, range(few, few + many))
    figures["bytes_many"] = (asked.size() - empty) / many
    figures["many"] = _started(system, board, range(few, 2 * few))
    return {**figures, "many_to_few": figures["many"] / figures["few"]}


def _started(system: System, board: Board, indexes: range) -> float:
    """Starts per second of a new worker, until it has started these."""
    system.start()
    deadline = time.monotonic() + START_WITHIN_S
    for index in indexes:
        while not board[index]:
            if time.monotonic() > deadline:
                raise TimeoutError(f"job {index} did not start within {START_WITHIN_S} s")
            time.sleep(LOOK_S)
    starts = [board[index] for index in indexes]
    return len(indexes) / ((max(starts) - min(starts)) / 1e9)


def _worker_system(system: System) -> WorkerSystem:
    if not isinstance(system, WorkerSystem):
        raise TypeError(f"{system!r} has no worker to look at")
    return system


def _python(code: str) -> float:
    """Seconds that an interpreter takes to run this and end, its modules compiled as installed."""
    compiled = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], env=compiled, check=True)
    return time.perf_counter() - begin


def _processor_s(family: list[int]) -> float:
    """Seconds of processor time that all threads of these processes have used."""
    used = 0
    for pid in family:
        for statistic in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            with suppress(OSError):
                used += int(statistic.read_text().split()[0])
    return used / 1e9


def _memory(family: list[int], file: str, field: str) -> float:
    """Megabytes in all lines that begin with ``field``, over these processes."""
    kilobytes = 0
    for pid in family:
        with suppress(OSError):
            lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
            kilobytes += sum(int(line.split()[1]) for line in lines if line.startswith(field))
    return kilobytes / 1024
