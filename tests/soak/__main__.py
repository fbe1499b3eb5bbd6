"""Soak taskito in a mixed load, and say whether anything grows.

Usage: python -m tests.soak [--seconds 600] [--rate 60] [--every 10] [--loose]

Two producers and two workers. One worker is restarted all the time, by turns with SIGTERM and
SIGKILL; the other one and the producers are watched. Exits with 1 if memory, descriptors,
threads or files grew in the second half beyond what ``sample.py`` allows.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path

from taskito import Queue
from tests.soak.sample import Bounds, Latencies, Sample, count, memory_mib, p99_ms, size_mib
from tests.support.until import until

LOOSE = Bounds(growth=1.0, files=30, file_growth=20.0)
"""For a run too short to have a second half worth the name."""
RESTARTS = 8
"""Seconds between two restarts of the second worker."""
STOPPING = 30
ENDS = cycle([(signal.SIGTERM, 0), (signal.SIGKILL, -signal.SIGKILL)])


class Soak:
    """The processes of one run, and what was seen of them."""

    def __init__(self, home: Path, rate: float) -> None:
        self.samples: list[Sample] = []
        self.problems: list[str] = []
        self.restarts = 0
        self._home = home
        self._rate = rate
        self._complaints = (home / "complaints").open("wb")
        self._begin = time.monotonic()
        self._latencies = Latencies(home / "latencies")
        self._queue = Queue(home / "jobs.db")
        self._worker, self._other = self._start_worker(), self._start_worker()
        self._producers = [self._start("-m", "tests.soak.producer", str(rate)) for _ in range(2)]

    def run(self, seconds: float, every: float) -> None:
        """Watch for so long; print a line at every look."""
        print(Sample.header())
        look, restart = self._begin + every, self._begin + RESTARTS
        while time.monotonic() < self._begin + seconds:
            time.sleep(0.1)
            now = time.monotonic()
            if now >= restart:
                self._restart()
                restart = now + RESTARTS
            if now >= look:
                self.samples.append(self._look())
                print(self.samples[-1].line(), flush=True)
                look += every

    def finish(self) -> None:
        """Stop the producers, have everything done, stop the workers."""
        for producer in self._producers:
            self._end(producer, signal.SIGTERM, 0)

        def nothing_is_left() -> bool:
            stats = self._queue.stats()
            assert stats["pending"] + stats["running"] == 0, stats
            return True

        until(nothing_is_left, within=60)
        for worker in (self._worker, self._other):
            self._end(worker, signal.SIGTERM, 0)
        if complaints := (self._home / "complaints").read_text():
            self.problems.append(f"processes complained:\n{complaints[:4000]}")

    def close(self) -> None:
        """Leave nothing behind, whatever happened."""
        for program in (self._worker, self._other, *self._producers):
            program.kill()
            program.wait()
        self._queue.close()
        self._complaints.close()

    def _start(self, *argv: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, *argv],
            stdout=subprocess.DEVNULL,
            stderr=self._complaints,
            env={**os.environ, "SOAK_HOME": str(self._home)},
        )

    def _start_worker(self) -> "subprocess.Popen[bytes]":
        # Failed jobs are logged at ERROR, and here many shall fail.
        quiet = "logging.getLogger('taskito').setLevel('CRITICAL')"
        run = "from tests.soak.app import queue; queue.run_worker()"
        return self._start("-c", f"import logging; {quiet}; {run}")

    def _restart(self) -> None:
        signum, status = next(ENDS)
        if self._is_listed(self._other):
            self._end(self._other, signum, status)
            self._other = self._start_worker()
            self.restarts += 1

    def _is_listed(self, worker: "subprocess.Popen[bytes]") -> bool:
        return any(row["pid"] == worker.pid for row in self._queue.workers())

    def _end(self, program: "subprocess.Popen[bytes]", signum: int, status: int) -> None:
        program.send_signal(signum)
        if (ended := program.wait(STOPPING)) != status:
            self.problems.append(f"exit status {ended} after {signal.Signals(signum).name}")

    def _look(self) -> Sample:
        worker, producer = self._worker.pid, self._producers[0].pid
        metrics = self._queue.metrics(since=86_400)
        files = {path.name for path in self._home.iterdir() if path.name.startswith("jobs.db")}
        return Sample(
            at=time.monotonic() - self._begin,
            done=sum(int(row["count"]) for row in metrics.values()),
            worker_mib=memory_mib(worker),
            worker_files=count(f"/proc/{worker}/fd"),
            worker_threads=count(f"/proc/{worker}/task"),
            producer_mib=memory_mib(producer),
            producer_files=count(f"/proc/{producer}/fd"),
            file_mib=size_mib(self._home / "jobs.db"),
            log_mib=size_mib(self._home / "jobs.db-wal"),
            others=len(files),
            p99_ms=p99_ms(self._latencies.fresh()),
        )


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--rate", type=float, default=60, help="calls a second of each producer")
    parser.add_argument("--every", type=float, default=10, help="seconds between two looks")
    parser.add_argument("--loose", action="store_true", help="hardly check that nothing grows")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="taskito-soak-") as folder:
        soak = Soak(Path(folder), args.rate)
        try:
            soak.run(args.seconds, args.every)
            soak.finish()
        finally:
            soak.close()
    problems = soak.problems + (LOOSE if args.loose else Bounds()).broken_by(soak.samples)
    print_summary(soak, problems)
    return 1 if problems else 0


def print_summary(soak: Soak, problems: Sequence[str]) -> None:
    """The table for people: half time against the end."""
    middle, last = soak.samples[len(soak.samples) // 2], soak.samples[-1]
    worst = max(sample.p99_ms for sample in soak.samples)
    print(f"{last.done:,} attempts in {last.at:.0f} s, {soak.restarts} restarts of a worker")
    print(f"{'':22}{'half time':>12}{'end':>12}")
    for name in ("worker_mib", "worker_files", "worker_threads", "producer_mib"):
        print(f"{name:22}{getattr(middle, name):12.1f}{getattr(last, name):12.1f}")
    for name in ("producer_files", "file_mib", "log_mib", "others", "p99_ms"):
        print(f"{name:22}{getattr(middle, name):12.1f}{getattr(last, name):12.1f}")
    print(f"worst p99 of the start latency: {worst:.1f} ms")
    for problem in problems:
        print(f"PROBLEM: {problem}")


if __name__ == "__main__":
    sys.exit(main())
