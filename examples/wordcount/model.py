"""What the demo is asked for, and what it finds out."""

from dataclasses import dataclass

from examples.wordcount.check import Comparison, Failure, Totals
from examples.wordcount.kill import Cost, Kill

UNFINISHED = "UnfinishedJob"
"""What stands for an exception's class when a job is neither complete nor dead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asks for.

    Attributes:
        folders: where to look for files; none means the default input.
        workers: threads of the worker process.
        limit: count this many files at most.
        db: the queue's file; ``None`` means one that is removed at the end.
        kill: whether a worker is killed on the way.
        keep: leave the temporary folder in place.
        pause_s: how long each job waits before it counts.
    """

    folders: tuple[str, ...] = ()
    workers: int = 4
    limit: int | None = None
    db: str | None = None
    kill: bool = True
    keep: bool = False
    pause_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything the demo found out.

    Attributes:
        totals: what the jobs counted.
        dead: the files that could not be counted, and why.
        retries: attempts beyond the first of each job, other than those the kill cost.
        threads: threads of each worker.
        enqueue_s: how long it took to store all jobs.
        run_s: from the start of the first worker until no job was left.
        loop_s: how long the plain loop took.
        kill: the moment of the kill, or ``None`` if there was none.
        cost: what the kill cost.
        losses: how many interrupted jobs have a ``WorkerLostError`` on record.
        comparison: whether the jobs and the plain loop agree.
        database: the queue's file if it is still there, else ``None``.
    """

    totals: Totals
    dead: dict[str, Failure]
    retries: int
    threads: int
    enqueue_s: float
    run_s: float
    loop_s: float
    kill: Kill | None
    cost: Cost | None
    losses: int
    comparison: Comparison
    database: str | None

    @property
    def jobs(self) -> int:
        """How many jobs there were."""
        return self.totals.counted + self.totals.failed
