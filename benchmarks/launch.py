"""Start one measurement, in a new process and an empty folder, and repeat it if disturbed."""

import argparse
import json
import os
import signal
import statistics
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

from benchmarks import machine
from benchmarks.environments import Environments
from benchmarks.options import ROOT

PROBE_WITHIN_S = 120
END_WITHIN_S = 20
DISTURBED = 0.1
"""A measurement is worth repeating when others used more than this share of the machine."""

LOOK_S = 1.0


@dataclass(slots=True)
class Patience:
    """Repeats measurements that other programs disturb, as long as its seconds last.

    Attributes:
        seconds: how long it may wait and repeat in all.
        shares: what others used of the machine, for each measurement that was kept.
        repeated: how many were thrown away.
    """

    seconds: float
    shares: list[float] = field(default_factory=list[float])
    repeated: int = 0

    def measure(
        self, args: argparse.Namespace, environments: Environments, workload: str, system: str
    ) -> dict[str, Any]:
        """Probe until nobody disturbs, or until patience ends.

        What a server does that a system uses counts as a disturbance, so only systems without
        one are repeated.

        Raises:
            MissingError: the system cannot be installed.
            RuntimeError: the probe failed; the message is the end of what it said.
            TimeoutExpired: it took more than two minutes.
        """
        python = environments.python(system)
        while True:
            begin = time.monotonic()
            self._wait_for_quiet()
            neighbours = machine.Neighbours()
            reply = _probe(args, python, workload, system)
            share = neighbours.share()
            served = {"Redis", "PostgreSQL"} & reply.get("versions", {}).keys()
            if served or share <= DISTURBED or self.seconds <= 0:
                if not served:
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


def _end(process: subprocess.Popen[str]) -> None:
    """Let a probe stop its worker and clean up; if it does not, kill both."""
    process.terminate()
    try:
        process.communicate(timeout=END_WITHIN_S)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _probe(args: argparse.Namespace, python: str, workload: str, system: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="bench-", dir=args.directory) as folder:
        options = {"directory": folder, "threads": args.threads, "jobs": args.jobs}
        words = [f"--{name}={value}" for name, value in options.items()]
        process = subprocess.Popen(
            [python, "-m", "benchmarks.probe", workload, system, *words],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            output, errors = process.communicate(timeout=PROBE_WITHIN_S)
        finally:
            if process.poll() is None:  # interrupted or late
                _end(process)
    if process.returncode:
        raise RuntimeError(errors.strip()[-600:])
    return cast("dict[str, Any]", json.loads(output))
