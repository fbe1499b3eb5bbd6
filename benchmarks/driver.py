"""Measure systems side by side.

Every measurement has a fresh process and a fresh folder, and the rounds go around all systems,
so that what else the machine does falls on all of them alike. Compare the ratios; the absolute
figures belong to one machine.
"""

import argparse
import json
import os
import shlex
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, cast

from benchmarks import machine, report
from benchmarks.workloads import WORKLOADS

ROOT = Path(__file__).resolve().parent.parent

BASELINE = "threadpool"
SYSTEMS = ("taskito:full", "taskito:normal", BASELINE, "sqlite:full", "sqlite:normal")
PROBE_WITHIN_S = 120
INTERRUPTED = 130
DISTURBED = 0.1
"""A measurement is worth repeating when others used more than this share of the machine."""

LOOK_S = 1.0


@dataclass(slots=True)
class Results:
    """What was measured so far.

    Attributes:
        samples: figure name, then system, then one value per round.
        versions: of the software measured.
        impossible: workloads and the systems that have no such thing.
        failures: what went wrong, for people.
    """

    samples: dict[str, dict[str, list[float]]] = field(
        default_factory=dict[str, dict[str, list[float]]]
    )
    versions: dict[str, str] = field(default_factory=dict[str, str])
    impossible: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    failures: list[str] = field(default_factory=list[str])

    def add(self, workload: str, system: str, reply: dict[str, Any]) -> str:
        """Keep the reply of one probe; return it in short."""
        self.versions.update(reply["versions"])
        if reply["figures"] is None:
            self.impossible.add((workload, system))
            return "not for this system"
        figures = cast("dict[str, float]", reply["figures"])
        for figure, value in figures.items():
            self.samples.setdefault(figure, {}).setdefault(system, []).append(value)
        return "  ".join(f"{name} {report.number(value)}" for name, value in figures.items())


@dataclass(slots=True)
class Patience:
    """Repeats measurements that other programs disturb, as long as its seconds last.

    Attributes:
        shares: what others used of the machine, for each measurement that was kept.
        repeated: how many were thrown away.
    """

    seconds: float
    shares: list[float] = field(default_factory=list[float])
    repeated: int = 0

    def measure(self, args: argparse.Namespace, workload: str, system: str) -> dict[str, Any]:
        """Probe until nobody disturbs, or until patience ends."""
        while True:
            begin = time.monotonic()
            self._wait_for_quiet()
            neighbours = machine.Neighbours()
            reply = _probe(args, workload, system)
            share = neighbours.share()
            if share <= DISTURBED or self.seconds <= 0:
                self.shares.append(share)
                return reply
            self.repeated += 1
            self.seconds -= time.monotonic() - begin

    def _wait_for_quiet(self) -> None:
        """Look at the machine for a second at a time, until others leave it alone."""
        while self.seconds > 0:
            neighbours = machine.Neighbours()
            time.sleep(LOOK_S)
            if neighbours.share() <= DISTURBED:
                return
            self.seconds -= LOOK_S

    def summary(self) -> str:
        """Say how quiet the machine was."""
        if not self.shares:
            return "unknown"
        middle, most = statistics.median(self.shares), max(self.shares)
        again = f"; {self.repeated} disturbed measurements repeated" if self.repeated else ""
        return f"{middle:.0%} of the machine, at most {most:.0%}{again}"


def main() -> int:
    """Measure, print the tables on standard output, and return the exit status.

    Interrupted, it prints what it has.
    """
    args = _parse()
    signal.signal(signal.SIGTERM, _interrupt)
    results, patience = Results(), Patience(args.patience)
    status = 0
    try:
        _measure(args, results, patience)
    except KeyboardInterrupt:
        _say("stopped")
        status = INTERRUPTED
    facts = {**machine.facts(args.directory), **_settings(args, patience), **results.versions}
    print("\n".join(f"* {name}: {value}" for name, value in facts.items()), end="\n\n")
    print(report.table(results.samples, BASELINE))
    if args.json:
        document = {"facts": facts, "samples": results.samples, "failures": results.failures}
        args.json.write_text(json.dumps(document, indent=2) + "\n")
    for failure in results.failures:
        _say(f"error: {failure}")
    return status or (1 if results.failures else 0)


def _measure(args: argparse.Namespace, results: Results, patience: Patience) -> None:
    plan = list(_plan(args))
    begin = time.monotonic()
    for number, (turn, workload, system) in enumerate(plan):
        if (workload, system) in results.impossible:
            continue
        left = (time.monotonic() - begin) / number * (len(plan) - number) if number else 0
        about = f"about {left:.0f} s left" if number else ""
        _say(f"round {turn}/{args.rounds}  {workload:<8} {system:<15} {about}", end="\r")
        try:
            short = results.add(workload, system, patience.measure(args, workload, system))
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            results.failures.append(f"{workload}, {system}: {error}")
            short = "FAILED"
        _say(f"round {turn}/{args.rounds}  {workload:<8} {system:<15} {short}")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--rounds", type=int, default=3, metavar="N", help="how often each is measured (3)")
    add("--workloads", default=",".join(WORKLOADS), help="%(default)s")
    add("--systems", default=",".join(SYSTEMS), help="%(default)s")
    add("--jobs", type=int, default=20_000, metavar="N", help="jobs per measurement (20000)")
    add("--threads", type=int, default=2, metavar="N", help="threads of a worker (2)")
    add(
        "--directory",
        type=_folder,
        default=Path().absolute(),
        help="where databases are made (here)",
    )
    add("--patience", type=float, default=0.0, metavar="S", help="repeat what others disturb (0)")
    add("--json", type=Path, metavar="FILE", help="write every single value to FILE")
    args = parser.parse_args()
    if unknown := set(args.workloads.split(",")) - WORKLOADS.keys():
        parser.error(f"unknown workload {unknown.pop()!r}; there are {', '.join(WORKLOADS)}")
    return args


def _folder(text: str) -> Path:
    path = Path(text).absolute()
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is not a folder")
    return path


def _plan(args: argparse.Namespace) -> Iterator[tuple[int, str, str]]:
    for turn in range(1, args.rounds + 1):
        for workload in args.workloads.split(","):
            for system in args.systems.split(","):
                yield turn, workload, system


def _settings(args: argparse.Namespace, patience: "Patience") -> dict[str, str]:
    words = f"{args.jobs:,} jobs a measurement, rounds: {args.rounds}, threads: {args.threads}"
    return {
        "command": f"python benchmarks/run.py {shlex.join(sys.argv[1:])}".strip(),
        "settings": words,
        "used by other programs meanwhile": patience.summary(),
    }


def _probe(args: argparse.Namespace, workload: str, system: str) -> dict[str, Any]:
    """Measure once, in a new process and an empty folder.

    Raises:
        RuntimeError: the probe failed; the message is the end of what it said.
        TimeoutExpired: it took more than two minutes.
    """
    with tempfile.TemporaryDirectory(prefix="bench-", dir=args.directory) as folder:
        options = {"directory": folder, "threads": args.threads, "jobs": args.jobs}
        words = [f"--{name}={value}" for name, value in options.items()]
        command = [sys.executable, "-m", "benchmarks.probe", workload, system, *words]
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            output, errors = process.communicate(timeout=PROBE_WITHIN_S)
        finally:
            if process.poll() is None:  # interrupted or late: end it with its worker
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
    if process.returncode:
        raise RuntimeError(errors.strip()[-600:])
    return cast("dict[str, Any]", json.loads(output))


def _say(text: str, *, end: str = "\n") -> None:
    if end == "\n" or sys.stderr.isatty():
        clear = "\x1b[K" if sys.stderr.isatty() else ""
        print(clear + text, file=sys.stderr, end=end, flush=True)


def _interrupt(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt
