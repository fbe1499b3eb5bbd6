"""Fetch many documents from a server that this program runs itself.

``python examples/fetcher``; ``--help`` lists the options, README.md in the folder above says
what to look for.
"""

import argparse
import sys
from pathlib import Path

if __name__ == "__main__":
    # The worker imports the same package, so it must have one name everywhere.
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from examples.common import program
from examples.fetcher.run import Options, fetch_all


def main() -> int:
    """Run the example; return its exit status."""
    parser = argparse.ArgumentParser(prog="fetcher", description="Fetch a hundred at a time.")
    add = parser.add_argument
    add("--requests", type=program.positive, default=1000, metavar="N", help="how many (1000)")
    add("--seed", type=int, default=1, metavar="N", help="chooses contents and latencies (1)")
    add("--keep", action="store_true", help="leave the temporary folder in place")
    add("--json", action="store_true", help="print one JSON document instead of the table")
    args = parser.parse_args()
    options = Options(requests=args.requests, seed=args.seed, keep=args.keep)
    return program.run(lambda screen: fetch_all(options, screen), as_json=args.json)


if __name__ == "__main__":
    sys.exit(main())
