"""Kill producers and workers again and again, then count what was lost: nothing.

Usage: python -m tests.crash.cycles [--cycles N] [--durability full|normal] [--json]

It prints how often it killed at which moment, and exits with 1 if any promise was broken.
"""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import NoReturn

from tests.crash.cycles.campaign import Campaign
from tests.crash.cycles.verdict import Verdict, judge
from tests.support.traps import compiled


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash.cycles", description=__doc__)
    parser.add_argument("--cycles", type=int, default=200, help="processes to kill (200)")
    parser.add_argument("--durability", choices=["full", "normal"], default="full")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args(argv)
    if (library := os.environ.get("LD_PRELOAD")) is None:
        preload()
    elif library:
        shutil.rmtree(Path(library).parent)  # it is loaded
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="taskito-cycles-") as folder:
        begin = time.monotonic()
        campaign = Campaign(Path(folder), args.durability, has_traps=bool(library))
        campaign.run(args.cycles, lambda done: progress(done, args.cycles))
        killing = time.monotonic() - begin
        verdict = judge(campaign.database, campaign.marks)
    verdict.violations += campaign.violations
    if args.json:
        kills = dict(campaign.kills)
        print(json.dumps({"kills": kills, "traps": bool(library), **asdict(verdict)}))
    else:
        print_table(campaign, verdict, killing)
    return 1 if verdict.violations else 0


def preload() -> NoReturn:
    """Become the same command with ``trap.c``; without a compiler there is none."""
    folder = Path(tempfile.mkdtemp(prefix="taskito-trap-"))
    if (library := compiled(folder)) is None:
        folder.rmdir()
        print("no C compiler: no process is killed at a system call", file=sys.stderr)
    command = [sys.executable, "-m", "tests.crash.cycles", *sys.argv[1:]]
    os.execve(sys.executable, command, {**os.environ, "LD_PRELOAD": str(library or "")})


def progress(done: int, cycles: int) -> None:
    if done % 100 == 0 or done == cycles:
        print(f"{done} of {cycles} killed", file=sys.stderr, flush=True)


def print_table(campaign: Campaign, verdict: Verdict, seconds: float) -> None:
    total = campaign.kills.total()
    print(f"{total} processes killed in {seconds:.0f} s, durability={campaign.durability}")
    for name, number in campaign.kills.most_common():
        print(f"  {number:6,}  {name}")
    rows = {
        "tried": verdict.tried,
        "acknowledged": verdict.acknowledged,
        "jobs stored": verdict.jobs,
        "finished": verdict.finished,
        "dead letters, three losses each": verdict.buried,
        "cancelled with their parent": verdict.cascaded,
        "lost": verdict.lost,
        "phantom": verdict.phantom,
        "runs again after a loss": verdict.repeats,
        "without a reason on record": verdict.unexplained,
        "losses on record": verdict.losses,
    }
    for name, number in rows.items():
        print(f"{name:32}{number:10,}")
    if delays := sorted(verdict.recoveries):
        print(
            f"from a kill to the new start of a job: median {median(delays) * 1000:.0f} ms, "
            f"longest {delays[-1] * 1000:.0f} ms, {len(delays)} times"
        )
    for violation in verdict.violations[:20]:
        print(f"VIOLATION: {violation}")


if __name__ == "__main__":
    sys.exit(main())
