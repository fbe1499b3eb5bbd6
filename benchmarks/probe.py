"""One measurement, in a process of its own: ``python -m benchmarks.probe drain taskito:full``.

Prints one JSON object: the figures, or why there are none.
"""

import argparse
import json
import os
import signal
import sys
from contextlib import closing
from pathlib import Path
from typing import Any, NoReturn

from benchmarks import systems
from benchmarks.board import Board
from benchmarks.workloads import WORKLOADS

WORDS_PER_JOB = 128
MORE_WORDS = 10_000
FEWEST_JOBS = 200


def main() -> None:
    """Measure what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workload", choices=WORKLOADS)
    parser.add_argument("system", metavar="NAME:VARIANT")
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--jobs", type=int, required=True)
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, _leave)
    json.dump(_measured(args), sys.stdout)


def _leave(_signal: int, _frame: object) -> NoReturn:
    """End as by an exception, so that the system is closed."""
    raise SystemExit(128 + signal.SIGTERM)


def _measured(args: argparse.Namespace) -> dict[str, Any]:
    name, _, variant = args.system.partition(":")
    workload = WORKLOADS[args.workload]
    place = systems.Place(
        directory=args.directory,
        variant=variant,
        kind=workload.kind,
        threads=workload.threads or args.threads,
        processes=workload.processes,
        coroutines=workload.coroutines,
    )
    # What is never written to takes no room.
    board = Board(args.directory / "board", WORDS_PER_JOB * args.jobs + MORE_WORDS)
    os.environ.update(place.environment())
    try:
        plugin = systems.load(name)
        system = plugin.connect(place)
    except (systems.MissingError, ImportError) as error:
        return {"missing": " ".join(str(error).split())}
    with closing(system):
        if args.workload not in system.workloads:
            return {"figures": None}
        jobs = max(min(args.jobs, FEWEST_JOBS), int(args.jobs * system.scale))
        figures = workload.measure(system, board, jobs)
        return {"figures": figures, "versions": plugin.versions()}


if __name__ == "__main__":
    main()
