"""Measure systems side by side.

Every measurement has a fresh process and a fresh folder, and the rounds go around all systems,
so that what else the machine does falls on all of them alike. Compare the ratios; the absolute
figures belong to one machine.
"""

import argparse
import json
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import Any, NoReturn, cast

from benchmarks import machine, options, plot, report
from benchmarks.environments import Environments
from benchmarks.launch import Patience
from benchmarks.systems import MissingError

INTERRUPTED = 130


@dataclass(slots=True)
class Results:
    """What was measured so far.

    Attributes:
        samples: figure name, then system, then one value per round.
        versions: of the software measured.
        impossible: workloads and the systems that have no such thing.
        missing: systems that are not on this machine, and why.
        failures: what went wrong, for people.
    """

    samples: dict[str, dict[str, list[float]]] = field(
        default_factory=dict[str, dict[str, list[float]]]
    )
    versions: dict[str, str] = field(default_factory=dict[str, str])
    impossible: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    missing: dict[str, str] = field(default_factory=dict[str, str])
    failures: list[str] = field(default_factory=list[str])

    def add(self, workload: str, system: str, reply: dict[str, Any]) -> str:
        """Keep the reply of one probe; return it in short."""
        if "missing" in reply:
            self.missing[system] = reply["missing"]
            return f"left out: {reply['missing']}"
        if reply["figures"] is None:
            self.impossible.add((workload, system))
            return "not for this system"
        self.versions.update(reply["versions"])
        figures = cast("dict[str, float]", reply["figures"])
        for figure, value in figures.items():
            self.samples.setdefault(figure, {}).setdefault(system, []).append(value)
        return "  ".join(f"{name} {report.number(value)}" for name, value in figures.items())


def main() -> int:
    """Measure, print the tables on standard output, and return the exit status.

    Interrupted, it prints what it has.
    """
    args = options.parse()
    environments = Environments(args.environments)
    if args.setup:
        return _set_up(args, environments)
    signal.signal(signal.SIGTERM, _interrupt)
    results, patience = Results(), Patience(args.patience)
    status = 0
    try:
        _measure(args, environments, results, patience)
    except KeyboardInterrupt:
        _say("stopped")
        status = INTERRUPTED
    facts = {**machine.facts(args.directory), **_settings(args, patience), **results.versions}
    facts |= {f"left out, {system}": why for system, why in results.missing.items()}
    _tell(args, facts, results)
    for failure in results.failures:
        _say(f"error: {failure}")
    return status or (1 if results.failures else 0)


def _tell(args: argparse.Namespace, facts: dict[str, str], results: Results) -> None:
    """Write the figures wherever they are wanted."""
    print("\n".join(f"* {name}: {value}" for name, value in facts.items()), end="\n\n")
    print(report.closing(results.samples, args.systems), end="\n\n")
    print(report.table(results.samples, args.baseline))
    if args.json:
        document = {"facts": facts, "samples": results.samples, "failures": results.failures}
        args.json.write_text(json.dumps(document, indent=2) + "\n")
    if args.plot:
        args.plot.write_text(plot.svg(results.samples))


def _set_up(args: argparse.Namespace, environments: Environments) -> int:
    """Install every system that must be; 1 if one cannot."""
    status = 0
    for system in args.systems:
        try:
            _say(f"{system:<16} {environments.python(system)}")
        except MissingError as error:
            _say(f"{system:<16} left out: {error}")
            status = 1
    return status


def _measure(
    args: argparse.Namespace, environments: Environments, results: Results, patience: Patience
) -> None:
    plan = list(options.plan(args))
    begin = time.monotonic()
    for number, (turn, workload, system) in enumerate(plan):
        if (workload, system) in results.impossible or system in results.missing:
            continue
        left = (time.monotonic() - begin) / number * (len(plan) - number) if number else 0
        about = f"about {left:.0f} s left" if number else ""
        _say(f"round {turn}/{args.rounds}  {workload:<8} {system:<15} {about}", end="\r")
        try:
            reply = patience.measure(args, environments, workload, system)
            short = results.add(workload, system, reply)
        except MissingError as error:
            short = results.add(workload, system, {"missing": str(error)})
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            results.failures.append(f"{workload}, {system}: {error}")
            short = "FAILED"
        _say(f"round {turn}/{args.rounds}  {workload:<8} {system:<15} {short}")


def _settings(args: argparse.Namespace, patience: Patience) -> dict[str, str]:
    words = f"{args.jobs:,} jobs a measurement, rounds: {args.rounds}, threads: {args.threads}"
    return {
        "command": f"python benchmarks/run.py {shlex.join(sys.argv[1:])}".strip(),
        "settings": words,
        "used by other programs meanwhile": patience.summary(),
    }


def _say(text: str, *, end: str = "\n") -> None:
    if end == "\n" or sys.stderr.isatty():
        clear = "\x1b[K" if sys.stderr.isatty() else ""
        print(clear + text, file=sys.stderr, end=end, flush=True)


def _interrupt(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt
