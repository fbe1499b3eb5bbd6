"""Turn the sales of many shops into reports, and go on after a file was broken.

``python examples/pipeline``; ``--help`` lists the options, README.md in the folder above says
what to look for.
"""

import argparse
import sys
from pathlib import Path

if __name__ == "__main__":
    # The workers import the same package, so it must have one name everywhere.
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from examples.common import program
from examples.pipeline.run import Options, report


def main() -> int:
    """Run the example; return its exit status."""
    parser = argparse.ArgumentParser(prog="pipeline", description="Reports from made-up sales.")
    add = parser.add_argument
    add("--shops", type=program.positive, default=24, metavar="N", help="how many shops (24)")
    add("--sales", type=program.positive, default=2000, metavar="N", help="sales of each (2000)")
    add("--broken", type=int, default=2, metavar="N", help="shops whose first file is broken (2)")
    add("--seed", type=int, default=1, metavar="N", help="chooses the sales (1)")
    add("--workers", type=program.positive, default=2, metavar="N", help="worker processes (2)")
    add("--keep", action="store_true", help="leave the temporary folder in place")
    add("--json", action="store_true", help="print one JSON document instead of the table")
    args = parser.parse_args()
    if not 0 <= args.broken <= args.shops:
        parser.error(f"--broken must be between 0 and the number of shops, got {args.broken}")
    options = Options(
        shops=args.shops,
        sales=args.sales,
        broken=args.broken,
        seed=args.seed,
        workers=args.workers,
        keep=args.keep,
    )
    return program.run(lambda screen: report(options, screen), as_json=args.json)


if __name__ == "__main__":
    sys.exit(main())
