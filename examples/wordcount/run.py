"""The demo itself: fill the queue, lose a worker, finish with another, check everything."""

import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from examples.common.program import ExampleError, temporary_home
from examples.common.screen import Screen
from examples.common.worker import Worker
from examples.wordcount import check, diary, files
from examples.wordcount.check import Failure, Outcome
from examples.wordcount.kill import Kill, cost_of
from examples.wordcount.model import UNFINISHED, Options, Report

if TYPE_CHECKING:
    from examples.wordcount.analysis import FileFacts
    from taskito import JobResult, Queue

TICK_S = 0.05
KILL_AT = 0.4


@dataclass(slots=True, kw_only=True)
class Demo:
    """One run. It owns the worker process that is alive at the moment."""

    options: Options
    screen: Screen
    database: str
    folder: Path
    queue: "Queue"
    jobs: "dict[str, JobResult[FileFacts]]" = field(
        default_factory=dict[str, "JobResult[FileFacts]"]
    )
    _worker: Worker | None = None
    _diary: diary.Reader = field(init=False)
    _before: dict[str, int] = field(default_factory=dict[str, int])

    def __post_init__(self) -> None:
        path = self.folder / "diary"
        path.touch()
        self._diary = diary.Reader(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._worker:
            self._worker.stop()
        self.screen.clear()

    def run(self) -> Report:
        """Do it all; blocks until every job is finished and checked."""
        paths = self._find()
        enqueue_s = self._enqueue(paths)
        begin = time.monotonic()
        self._start_worker()
        kill = self._kill_midway() if self.options.kill else None
        self._watch()
        run_s = time.monotonic() - begin
        if self._worker:
            self._worker.stop()
        self._diary.update()
        outcomes = self._collect()
        cost = cost_of(kill, self._diary.attempts) if kill else None
        loop_begin = time.monotonic()
        loop = dict(self._count_plainly(paths))
        return Report(
            totals=check.total(outcomes),
            dead={path: o for path, o in outcomes.items() if isinstance(o, Failure)},
            retries=sum(job.retry_count for job in self.jobs.values()),
            threads=self.options.workers,
            enqueue_s=enqueue_s,
            run_s=run_s,
            loop_s=time.monotonic() - loop_begin,
            kill=kill,
            cost=cost,
            losses=sum(self._has_loss(paths[n]) for n in cost.interrupted) if cost else 0,
            comparison=check.compare(outcomes, loop),
            database=self.database if self.options.db or self.options.keep else None,
        )

    def _find(self) -> list[str]:
        folders = self.options.folders
        if folders:
            paths = files.find(folders, beside=self.database)
        else:
            paths = files.find_default(beside=self.database)
        if self.options.limit:
            del paths[self.options.limit :]
        if not paths:
            raise ExampleError("there is no file to count", hint="name a folder that has some")
        where = ", ".join(map(files.printable, folders)) or "the standard library and the docs"
        self.screen.say("input", f"{len(paths):,} files of {where}")
        return paths

    def _enqueue(self, paths: list[str]) -> float:
        """Store one job per file; return how long it took, in seconds."""
        from examples.wordcount.tasks import examine

        before = self.queue.stats()
        if unfinished := before["pending"] + before["running"]:
            raise ExampleError(
                f"{self.database} still holds {unfinished} unfinished jobs",
                hint="name a new file with --db",
            )
        self._before = before
        begin = time.monotonic()
        handles = examine.map((n, path, self.options.pause_s) for n, path in enumerate(paths))
        seconds = time.monotonic() - begin
        self.jobs = dict(zip(paths, handles, strict=True))
        self.screen.say("enqueued", f"{len(paths):,} jobs in {seconds:.2f} s, on disk for good")
        return seconds

    def _start_worker(self) -> None:
        self._worker = Worker(
            app="examples.wordcount.tasks:queue",
            threads=self.options.workers,
            log=self.folder / "worker.log",
            env={
                diary.VARIABLE: str(self._diary.path),
                "PYTHONDONTWRITEBYTECODE": "1",  # it may be counting its own sources
            },
        )
        self.screen.begin()
        self.screen.say("worker", f"{self._worker.command}   pid {self._worker.pid}")

    def _kill_midway(self) -> Kill | None:
        """Kill the worker while it works, and start another."""
        worker = self._worker
        if not worker or not self._watch(kill_at=int(KILL_AT * len(self.jobs))):
            self.screen.say("no kill", "all jobs were done before it; --pause 50 slows them down")
            return None
        at_ns = time.monotonic_ns()
        worker.kill()
        stats = self.queue.stats()
        done = self._finished(stats)
        kill = Kill(pid=worker.pid, at_ns=at_ns, done=done, held=stats["running"])
        share = 100 * done // len(self.jobs)
        self.screen.say("kill -9", self.screen.paint.yellow(f"pid {worker.pid} at {share} %"))
        self._start_worker()
        return kill

    def _watch(self, kill_at: int | None = None) -> bool:
        """Show the progress until no job is left; then return ``False``.

        With ``kill_at``: return ``True`` as soon as that many jobs are finished while others
        are running.
        """
        total = len(self.jobs)
        last_done, last_change = -1, time.monotonic()
        while True:
            stats = self.queue.stats()
            done = self._finished(stats)
            self._diary.update()
            if done >= total:
                self.screen.clear()
                return False
            running = self._diary.running[self._worker.pid] if self._worker else 0
            if kill_at is not None and done >= kill_at and running:
                return True
            dead = stats["dead"] - self._before["dead"]
            self.screen.progress(
                done, total, f"running {running}" + (f"  dead {dead}" if dead else "")
            )
            if done != last_done:
                last_done, last_change = done, time.monotonic()
            if self._worker:
                self._worker.insist_on_life(time.monotonic() - last_change)
            time.sleep(TICK_S)

    def _collect(self) -> dict[str, Outcome]:
        """Read back what every job came to."""
        letters = {
            letter["original_job_id"]: str(letter["error"])
            for letter in self.queue.dead_letters(limit=self._before["dead"] + len(self.jobs))
        }
        outcomes: dict[str, Outcome] = {}
        for path, job in self.jobs.items():
            job.refresh()
            status = job.status
            if status == "complete":
                outcomes[path] = job.result(timeout=0)
            elif job.id in letters:
                outcomes[path] = Failure.from_traceback(letters[job.id])
            else:
                outcomes[path] = Failure(kind=UNFINISHED, reason=f"{job.id} is {status}")
        return outcomes

    def _count_plainly(self, paths: list[str]) -> Iterator[tuple[str, Outcome]]:
        """Count all files here, showing the progress."""
        self.screen.say("check", "the same files in a plain loop, in this process")
        self.screen.begin()
        drawn = 0.0
        for number, outcome in enumerate(check.plain(paths)):
            if time.monotonic() - drawn > TICK_S:
                drawn = time.monotonic()
                self.screen.progress(number, len(paths))
            yield outcome
        self.screen.clear()

    def _finished(self, stats: dict[str, int]) -> int:
        """How many of our jobs are: the file may hold some of an earlier run."""
        states = ("completed", "dead", "cancelled")
        return sum(stats[state] - self._before[state] for state in states)

    def _has_loss(self, path: str) -> bool:
        errors = self.queue.job_errors(self.jobs[path].id)
        return any("WorkerLostError" in str(error["error"]) for error in errors)


@contextmanager
def opened(options: Options, screen: Screen) -> Generator[Demo]:
    """Prepare the files of one run, and clean up after it."""
    with temporary_home("demo", database=options.db, keep=options.keep) as home:
        from examples.wordcount.tasks import queue

        demo = Demo(
            options=options,
            screen=screen,
            database=home.database,
            folder=home.folder,
            queue=queue,
        )
        with queue, demo:
            yield demo
