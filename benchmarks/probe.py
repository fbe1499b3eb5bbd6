"""One measurement, in a process of its own: ``python -m benchmarks.probe drain taskito:full``.

Prints one JSON object: the figures, or why there are none.
"""

import argparse
import json
import os
import sys
from contextlib import closing
from pathlib import Path

from benchmarks import systems
from benchmarks.board import Board
from benchmarks.workloads import SAMPLES, WARM_UP, WORKLOADS


def main() -> None:
    """Measure what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workload", choices=WORKLOADS)
    parser.add_argument("system", metavar="NAME:VARIANT")
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--jobs", type=int, required=True)
    args = parser.parse_args()
    name, _, variant = args.system.partition(":")
    place = systems.Place(directory=args.directory, variant=variant, threads=args.threads)
    board = Board(args.directory / "board", max(args.jobs, WARM_UP + 2 * SAMPLES))
    os.environ.update(place.environment())
    plugin = systems.load(name)
    figures: dict[str, float] | None = None
    with closing(plugin.connect(place)) as system:
        if args.workload in system.workloads:
            figures = WORKLOADS[args.workload].measure(system, board, args.jobs)
    json.dump({"figures": figures, "versions": plugin.versions()}, sys.stdout)


if __name__ == "__main__":
    main()
