"""What is measured. Each workload takes a fresh system and returns figures by name.

``speed`` counts jobs per second, ``delay`` how long a call takes to start something, ``state``
what a system costs that waits: for jobs, for its start, with a long backlog, ``watched`` what it
costs to look at it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.board import Board
from benchmarks.systems import System
from benchmarks.workloads import delay, speed, state, watched

Measure = Callable[[System, Board, int], dict[str, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One way to use a system.

    Attributes:
        measure: takes the system, its board and a number of jobs.
        figures: what it returns: name of each figure, and how a table calls it, with its unit.
        kind: what its jobs do, of ``jobs.BODIES``.
        threads: how many run at once, if not as many as the driver was told.
        processes: how many processes the worker has, at least.
        coroutines: whether the jobs are coroutines.
        short: whether it is part of a short run.
    """

    measure: Measure
    figures: dict[str, str]
    kind: str = "noop"
    threads: int | None = None
    processes: int = 1
    coroutines: bool = False
    short: bool = False


WORKLOADS = {
    "drain": Workload(measure=speed.drain, figures={"drain": "drain, /s"}, short=True),
    "enqueue": Workload(
        measure=speed.enqueue, figures={"enqueue": "enqueue, one by one, /s"}, short=True
    ),
    "bulk": Workload(measure=speed.bulk, figures={"bulk": "enqueue, 1,000 a call, /s"}, short=True),
    "end2end": Workload(
        measure=speed.end2end, figures={"end2end": "enqueue and run at once, /s"}, short=True
    ),
    "latency": Workload(
        measure=delay.latency,
        figures={
            "start_p50": "call to start, p50, ms",
            "start_p99": "call to start, p99, ms",
            "result_p50": "call to result, p50, ms",
            "result_p99": "call to result, p99, ms",
        },
        short=True,
    ),
    "retry": Workload(
        measure=speed.retry,
        figures={"retry": "every job fails once, jobs/s"},
        kind="fail_once",
        short=True,
    ),
    "mixed": Workload(
        measure=delay.mixed,
        figures={
            "mixed_p50": "short beside 50 ms jobs, call to start, p50, ms",
            "mixed_p99": "short beside 50 ms jobs, call to start, p99, ms",
        },
        kind="mixed",
    ),
    "cpu": Workload(
        measure=speed.cpu,
        figures={"cpu": "5 ms of Python, 2 processes, /s"},
        kind="burn",
        threads=2,
        processes=2,
    ),
    "sleep": Workload(
        measure=speed.sleep,
        figures={"sleep": "10 ms of waiting, 100 threads, /s"},
        kind="sleep",
        threads=100,
    ),
    "asleep": Workload(
        measure=speed.asleep,
        figures={"asleep": "10 ms of waiting, 1,000 coroutines, /s"},
        kind="sleep",
        threads=1000,
        coroutines=True,
    ),
    "startup": Workload(
        measure=state.startup,
        figures={
            "import": "import for enqueuing, ms",
            "startup": "worker's start to first result, ms",
        },
        short=True,
    ),
    "idle": Workload(
        measure=state.idle,
        figures={
            "idle_cpu": "idle worker, processor time, ms/s",
            "idle_own": "idle worker, memory of its own, MB",
            "idle_rss": "idle worker, resident memory, MB",
        },
    ),
    "backlog": Workload(
        measure=state.backlog,
        figures={
            "few": "drain with few waiting (N/2), /s",
            "many": "drain with many waiting (50 N), /s",
            "many_to_few": "many to few, ratio",
            "bytes_few": "bytes per waiting job, few",
            "bytes_many": "bytes per waiting job, many",
        },
    ),
    "heldback": Workload(
        measure=speed.heldback,
        figures={
            "alone": "drain, a third of the jobs, /s",
            "beside": "the same beside 100,000 held-back jobs, /s",
            "beside_to_alone": "beside them to alone, ratio",
        },
    ),
    "viewers": Workload(
        measure=watched.viewers,
        figures={
            "unwatched": "drain, nobody looks at the page, /s",
            "watched": "the same with ten pages open, /s",
            "watched_to_unwatched": "with ten pages to nobody, ratio",
        },
    ),
}

FIGURES = {
    figure: title for workload in WORKLOADS.values() for figure, title in workload.figures.items()
}
